"""The results page as people use it: filters, chips, sorts, pages, the way back, and more like this."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from gallery.models import Image
from search.models import QueryEmbedding
from tests.browser.files import RED_CIRCLE, search_by
from tests.browser.shop import COUNT


def parameters(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def total(page: Page) -> int:
    return int(re.match(r"\d+", page.locator("#found").inner_text()).group())


def option(page: Page, name: str) -> Locator:
    """A filter by its name, as it is said without its count."""
    return page.locator("#filters .option").filter(has=page.get_by_text(name, exact=True))


def count_of(option: Locator) -> int:
    return int(option.locator(".count").text_content() or "")


def titles(page: Page) -> list[str]:
    return page.locator(".found > .band .tile-title").all_inner_texts()


@pytest.fixture
def by_photo(page: Page) -> Page:
    """The results of a photo of a red circle."""
    page.goto("/")
    search_by(page, RED_CIRCLE)
    return page


def test_a_filter_keeps_the_photo_and_finds_what_it_says(by_photo: Page):
    page, address = by_photo, by_photo.url
    said = count_of(option(page, "Öst"))
    assert 0 < said < total(page)
    photo = page.get_by_role("img", name="Your photo")
    photo.evaluate("(element) => { element.sameAsBefore = true; }")
    option(page, "Öst").click()
    expect(page.locator("#found")).to_have_text(re.compile(rf"^\s*{said} product"))
    assert len(titles(page)) == said
    assert all("Öst" in text for text in page.locator(".found > .band .tile").all_inner_texts())
    assert page.url != address
    assert {"photo", "brand"} <= set(parameters(page))
    # The page was not loaded anew: the photo is the very element that it was.
    assert photo.evaluate("(element) => element.sameAsBefore")
    expect(option(page, "Öst")).to_have_attribute("aria-current", "true")
    expect(page.locator("#announcer")).to_have_text(re.compile(rf"^{said} product"))
    assert QueryEmbedding.objects.count() == 1, "the photo was encoded once"


def test_a_chip_takes_its_filter_away(by_photo: Page):
    page, address, before = by_photo, by_photo.url, titles(by_photo)
    option(page, "Öst").click()
    chip = page.get_by_role("list", name="Parts of your query").get_by_role("link", name="Öst")
    chip.click()
    page.wait_for_url(address)
    expect(chip).to_have_count(0)
    assert titles(page) == before


def test_back_gives_the_same_page(by_photo: Page):
    page, before = by_photo, titles(by_photo)
    option(page, "Öst").click()
    expect(page.locator(".chip").filter(has_text="Öst")).to_be_visible()
    narrowed = titles(page)
    page.locator("summary").filter(has_text="Size").click()
    option(page, "L").click()
    expect(page.locator(".chip").filter(has_text="size")).to_be_visible()
    page.go_back()
    expect(page.locator(".chip").filter(has_text="size")).to_have_count(0)
    expect(page.get_by_role("img", name="Your photo")).to_be_visible()
    assert titles(page) == narrowed
    page.go_back()
    expect(page.locator(".chip").filter(has_text="Öst")).to_have_count(0)
    assert titles(page) == before
    page.reload()
    assert titles(page) == before


def test_a_second_step_back_gives_up_the_first(page: Page):
    page.goto("/search/?q=circle&availability=in_stock&price_max=30")
    for words in ("In stock", "30.00"):
        chip = page.locator(".chip").filter(has_text=words)
        chip.click()
        expect(chip).to_have_count(0)
    page.route(re.compile(r"q=circle&price_max=30$"), lambda route: None)  # its answer would come last
    with page.expect_event("requestfailed", lambda request: request.url.endswith("q=circle&price_max=30")):
        page.go_back()
        page.go_back()
    expect(page.locator(".chip").filter(has_text="In stock")).to_be_visible()
    assert page.url.endswith("/search/?q=circle&availability=in_stock&price_max=30")


def test_search_words_keep_the_filters_chosen_since_the_page_was_loaded(by_photo: Page):
    page = by_photo
    option(page, "Öst").click()
    page.wait_for_url(re.compile(r"brand="))
    page.get_by_role("searchbox").fill("circle")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"q=circle"))
    assert {"photo", "brand", "q"} <= set(parameters(page))


def test_words_typed_while_results_change_stay_in_the_field(by_photo: Page):
    page, held = by_photo, []
    page.route(re.compile(r"[?&]brand="), lambda route: held.append(route))
    with page.expect_request(re.compile(r"[?&]brand=")):
        option(page, "Öst").click()
    field = page.get_by_role("searchbox")
    field.fill("circle")
    for request in held:
        request.continue_()
    page.unroute_all()
    expect(page.locator(".chip").filter(has_text="Öst")).to_be_visible()
    expect(page.locator("#announcer")).to_have_text(re.compile("product"))  # everything of the change is done
    expect(field).to_have_value("circle")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"q=circle"))
    assert {"photo", "brand", "q"} <= set(parameters(page))


def test_a_price_range_narrows(page: Page):
    page.goto("/search/")
    page.get_by_label("From").fill("10")
    page.get_by_label("To", exact=True).fill("12.50")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url(re.compile(r"price_max="))
    expect(page.locator("#found")).to_have_text(re.compile("3 products"))
    expect(page.locator(".chip")).to_have_count(1)


def test_similar_on_a_card_leads_on(page: Page):
    page.goto("/search/?q=circle")
    tile = page.locator(".found .tile").filter(has_text="Red circle").first
    tile.hover()
    tile.get_by_role("link", name="Similar to Red circle").click()
    page.wait_for_url(re.compile(r"image="))
    expect(page.locator(".query-photo img")).to_be_visible()
    expect(page.locator(".band-name").first).to_be_visible()
    assert "Red circle" in titles(page)[0]
    expect(page).to_have_title(re.compile("Similar to Red circle"))


def test_results_are_sorted(page: Page):
    page.goto("/search/?q=circle")
    page.get_by_role("button", name=re.compile("Sort")).click()
    page.get_by_role("link", name="Lowest price first").click()
    page.wait_for_url(re.compile(r"sort=price"))
    facts = page.locator(".found .tile-facts:first-of-type").all_inner_texts()
    prices = [float(match.group()) for text in facts if (match := re.search(r"\d+\.\d\d", text))]
    assert len(prices) > 10
    assert prices == sorted(prices)


def test_pages_of_results_follow_each_other_in_one_grid(page: Page):
    page.goto("/search/")
    page.mouse.wheel(0, 20_000)
    expect(page.locator(".found > .band .tile-title")).to_have_count(COUNT)
    expect(page.locator(".found > .band")).to_have_count(1)
    ids = page.locator(".found .tile").evaluate_all("(tiles) => tiles.map((tile) => tile.id)")
    assert len(set(ids)) == COUNT
    page.locator(".found .tile").last.scroll_into_view_if_needed()
    page.wait_for_url(re.compile(r"/search/\?page=2$"))
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_url(re.compile(r"/search/$"))


def test_back_leads_to_a_product_of_a_later_page(page: Page):
    page.goto("/search/?page=2")
    assert len(titles(page)) == COUNT - 24
    expect(page.get_by_role("link", name="Previous")).to_be_visible()
    page.goto("/search/")
    page.mouse.wheel(0, 20_000)
    expect(page.locator(".found > .band .tile-title")).to_have_count(COUNT)
    card = page.locator(".found .tile").last
    title = card.locator(".tile-title").inner_text()
    card.locator(".tile-link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.go_back()
    page.wait_for_url(re.compile(r"/search/\?page=2#card-"))
    expect(page.locator(".found .tile").last).to_be_in_viewport()


def test_weaker_matches_come_on_request_and_are_not_counted(by_photo: Page):
    page, before, found = by_photo, total(by_photo), titles(by_photo)
    page.get_by_role("link", name="Show weaker matches").click()
    page.wait_for_url(re.compile(r"weaker=1"))
    expect(page.locator("#band-weak")).to_contain_text("Weaker matches")
    assert total(page) == before
    assert titles(page)[: len(found)] == found
    assert len(titles(page)) > len(found)


def test_a_product_and_the_way_back_to_the_same_place(page: Page):
    page.set_viewport_size({"width": 1440, "height": 500})
    page.goto("/search/?q=circle")
    tile = page.locator(".found .tile").nth(9)
    tile.scroll_into_view_if_needed()
    where = page.evaluate("scrollY")
    assert where > 0
    tile.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("circle")
    expect(page.get_by_text("on paper")).to_be_visible()
    page.get_by_role("link", name="Back to results").click()
    page.wait_for_url(re.compile(r"/search/\?q=circle#card-[0-9a-f-]{36}$"))
    page.wait_for_function("where => Math.abs(scrollY - where) < 5", arg=where)


def test_a_product_opened_from_elsewhere_links_back_to_its_results(page: Page):
    page.goto("/products/CIRCLE-00/?back=%2Fsearch%2F%3Fq%3Dcircle")
    page.get_by_role("link", name="Back to results").click()
    page.wait_for_url(re.compile(r"/search/\?q=circle$"))


def test_the_similar_strip_of_a_product(page: Page):
    page.goto("/products/CIRCLE-00/")
    page.get_by_role("heading", name="Looks similar").scroll_into_view_if_needed()
    strip = page.locator(".strip:not([aria-hidden]) .tile")
    expect(strip.first).to_be_visible()
    assert 0 < strip.count() <= 8
    hrefs = strip.locator(".tile-link").evaluate_all("(links) => links.map((link) => link.getAttribute('href'))")
    assert not [href for href in hrefs if "CIRCLE-00" in href]
    strip.first.locator(".tile-link").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_photo_opens_large_and_closes(page: Page):
    page.goto("/products/CIRCLE-00/")
    page.locator(".photo-link").first.click()
    expect(page.locator(".pswp--open .pswp__img").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".pswp--open")).to_have_count(0)


def test_filters_of_a_phone_lie_in_a_sheet(page: Page):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"/search/?image={Image.objects.filter(product__sku='CIRCLE-00').first().pk}")
    expect(page.locator("#filters")).to_be_hidden()
    page.get_by_role("button", name="Filters").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    said = count_of(option(page, "Öst"))
    option(page, "Öst").click()
    expect(page.get_by_role("button", name=re.compile(rf"Show {said} product"))).to_be_visible()
    expect(page.get_by_role("dialog")).to_be_visible()  # so that more can be chosen
    page.get_by_role("button", name=re.compile(rf"Show {said} product")).click()
    expect(page.locator("#filters")).to_be_hidden()
    assert total(page) == said


def test_nothing_found_says_what_to_do(page: Page):
    page.goto("/search/?q=zeppelin")
    expect(page.get_by_text("No product matches")).to_be_visible()
    page.get_by_role("link", name="Browse everything").click()
    expect(page.locator("#found")).to_have_text(re.compile(rf"{COUNT} products"))


def test_words_from_the_home_page(page: Page):
    page.goto("/")
    page.get_by_role("searchbox").fill("blue squares")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/search/\?q=squares&color=blue$"))
    assert "Blue square" in titles(page)
    assert all("square" in title for title in titles(page))
    page.get_by_role("link", name="Search for the word instead").click()
    page.wait_for_url(re.compile(r"/search/\?q=%E2%80%9Cblue%E2%80%9D\+squares$"))
    assert titles(page) == ["Blue square"]


def test_a_category_of_the_home_page(page: Page):
    page.goto("/")
    page.locator(".categories").get_by_role("link", name="Striped").click()
    page.wait_for_url(re.compile(r"category=\d+$"))
    assert titles(page)
    assert all("stripes" in title for title in titles(page))
