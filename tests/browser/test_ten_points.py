"""What people expect of every page, on a phone, a tablet and a desk, by mouse, by finger and with keys alone."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from gallery.models import Product, User
from search.models import QueryPhoto
from tests.browser.conftest import Complaints
from tests.browser.files import BROKEN, RED_CIRCLE, TEXT, search_by
from tests.browser.hands import WAYS, Hand
from tests.browser.shop import COUNT, photo
from tests.browser.test_layout import _WATCH_SHIFTS, MOST_SHIFT
from tests.browser.test_regions import PHOTO, SQUARE, WITH_A_PART, chosen
from tests.browser.test_upload import CUP

HEIGHTS = {390: 844, 820: 1000, 1440: 900}
_BEYOND = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# WCAG 2.2, 2.5.8: 24 pixels, but for links within a sentence.
_TOO_SMALL = """() => [...document.querySelectorAll("main a, main button, main input, main summary, header button")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .filter((one) => !one.closest("p, .notice"))
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && box.height > 1 && (box.width < 24 || box.height < 24))
  .map(([one]) => one.outerHTML.slice(0, 120))"""


@pytest.fixture(params=HEIGHTS)
def width(request) -> int:
    return request.param


@pytest.fixture(params=WAYS)
def hand(
    request, width: int, complaints: Complaints, site: str, browser: Browser, browser_context_args: dict
) -> Iterator[Hand]:
    """Somebody before a screen of a width, who has one way to work with it."""
    touch = {"has_touch": True, "is_mobile": width < 600} if request.param == "touch" else {}
    screen = {"viewport": {"width": width, "height": HEIGHTS[width]}}
    context = browser.new_context(**browser_context_args | screen | touch)
    complaints.listen(context)
    context.set_default_timeout(10_000)
    page = context.new_page()
    yield Hand(page, request.param)
    assert page.evaluate(_BEYOND) <= 0, "something lies beyond the edge"
    context.close()


def visible(found: Locator) -> Locator:
    """The one of several that this width shows."""
    return found.locator("visible=true").first


def titles(page: Page) -> list[str]:
    return page.locator(".found > .band .tile-title").all_inner_texts()


def parameters(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def choose_option(hand: Hand, name: str) -> None:
    """On small screens filters lie on a sheet."""
    page = hand.page
    opener = page.get_by_role("button", name="Filters", exact=True)
    on_sheet = opener.is_visible()
    if on_sheet:
        hand.press(opener)
        expect(page.get_by_role("dialog")).to_be_visible()
    before = page.url
    hand.press(page.locator("#filters .option").filter(has=page.get_by_text(name, exact=True)))
    page.wait_for_url(lambda url: url != before)
    if on_sheet:
        hand.press(page.get_by_role("button", name=re.compile(r"^Show \d+\+? products?$")))
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_point_1_a_photo_starts_a_search_from_any_page(hand: Hand):
    page = hand.page
    page.goto("/products/CIRCLE-00/")
    hand.choose_file(page.get_by_label("Search with a photo", exact=True), RED_CIRCLE)
    page.wait_for_url(re.compile(r"/search/\?photo="))
    expect(visible(page.get_by_role("img", name="Your photo"))).to_be_visible()
    assert titles(page)[0] == "Red circle"
    hand.type(page.get_by_role("searchbox"), "öst")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"q="))
    assert set(parameters(page)) == {"photo", "q"}, "one field takes both"


def test_point_2_the_query_stays_in_sight_and_each_part_goes_by_itself(hand: Hand):
    page = hand.page
    page.goto(f"/search/?image={photo('CIRCLE-00').pk}&image={photo('CIRCLE-12').pk}&q=circle&availability=in_stock")
    address = page.url
    hand.scroll_down()
    expect(visible(page.locator(".query-photo img"))).to_be_in_viewport()
    hand.press(page.locator(".chip").filter(has_text="In stock"))
    page.wait_for_url(lambda url: "availability" not in url)
    assert set(parameters(page)) == {"image", "q"}
    hand.press(page.locator(".chip").filter(has_text="“circle”"))
    page.wait_for_url(lambda url: "q=" not in url)
    found, there = titles(page), page.url
    page.reload()
    assert (titles(page), page.url) == (found, there)
    page.go_back()
    page.go_back()
    page.wait_for_url(address)
    expect(page.locator(".chip").filter(has_text="In stock")).to_be_visible()


def test_point_3_a_part_of_a_picture_is_searched_for(hand: Hand):
    page = hand.page
    page.goto("/")
    search_by(page, PHOTO)
    hand.press(visible(page.get_by_role("button", name="Choose a part")))
    sheet = page.get_by_role("dialog", name="Choose a part of the photo")
    expect(sheet.get_by_role("application")).to_be_focused()
    edges = [SQUARE.left, SQUARE.top, SQUARE.left + SQUARE.width, SQUARE.top + SQUARE.height]
    hand.draw_box(sheet.locator("region-canvas"), tuple(edge / 1000 for edge in edges))
    hand.press(sheet.get_by_role("button", name="Search for this part"))
    part = chosen(page)
    if hand.way != "keys":  # which move a box from the middle
        assert abs(part.left - SQUARE.left) + abs(part.top - SQUARE.top) < 60
    expect(page.locator("#found, .empty h1").first).to_be_visible()


def test_point_3_likely_objects_are_offered(hand: Hand):
    page = hand.page
    page.goto("/")
    search_by(page, PHOTO)
    hand.press(visible(page.get_by_role("button", name="Search for part 1")))
    page.wait_for_url(WITH_A_PART)


def test_point_4_more_and_less_like_a_card(hand: Hand):
    page = hand.page
    page.goto("/search/?q=circle")
    card = page.locator(".found .tile").first
    if hand.way == "mouse":
        card.hover()
    hand.press(card.get_by_role("link", name=re.compile("^Similar to")))
    page.wait_for_url(re.compile(r"image="))
    for words, name, count in (("More like this", "image", 2), ("Less like this", "less", 1)):
        card = page.locator(".found .tile").nth(1)
        if hand.way == "mouse":
            card.hover()
        hand.press(card.get_by_role("button", name=re.compile("^More for")))
        hand.press(card.get_by_role("link", name=words))
        page.wait_for_url(re.compile(rf"{name}=.*{name}=" if count == 2 else f"{name}="))
        assert len(parameters(page)[name]) == count
    assert len(parameters(page)["image"]) == 2


def test_point_5_filters_keep_the_picture_and_tell_the_truth(hand: Hand):
    page = hand.page
    page.goto(f"/search/?image={photo('CIRCLE-00').pk}")
    before = len(titles(page))
    option = page.locator("#filters .option").filter(has=page.get_by_text("Öst", exact=True))
    said = int(option.locator(".count").text_content() or "")
    assert 0 < said < before
    choose_option(hand, "Öst")
    expect(page.locator("#found")).to_have_text(re.compile(rf"^\s*{said} product"))
    assert len(titles(page)) == said
    assert set(parameters(page)) == {"image", "brand"}
    section = page.locator(".without section").first
    expect(section).to_contain_text(f"Without Öst · {before}")


def test_point_6_similarity_is_told_in_words(hand: Hand):
    page = hand.page
    page.goto(f"/search/?image={photo('CIRCLE-00').pk}")
    names = [name.split("·")[0].strip() for name in page.locator(".band-name").all_inner_texts()]
    assert names
    assert set(names) <= {"Nearly the same", "Very similar", "Similar"}
    assert not re.search(r"0\.\d", page.locator(".found").inner_text())
    card = page.locator(".found .tile").first
    if hand.way == "mouse":
        card.hover()
    hand.press(card.get_by_role("button", name=re.compile("^More for")))
    expect(card.get_by_text("Why it is here")).to_be_visible()
    expect(card.locator(".dropdown-menu")).to_contain_text(re.compile(r"Content\s+\d+ %"))
    page.keyboard.press("Escape")
    hand.press(page.get_by_role("link", name="Show weaker matches"))
    page.wait_for_url(re.compile("weaker=1"))
    expect(page.locator("#band-weak")).to_contain_text("Weaker matches")


def test_point_7_nothing_jumps_and_back_leads_to_the_same_place(hand: Hand):
    page = hand.page
    page.add_init_script(_WATCH_SHIFTS)
    page.goto("/search/")
    all_titles = page.locator(".found > .band .tile-title")
    for _window in range(30):
        if all_titles.count() == COUNT:
            break
        hand.scroll_down()
        page.wait_for_load_state("networkidle")
    expect(all_titles).to_have_count(COUNT)
    assert page.evaluate("shifted") < MOST_SHIFT, page.evaluate("shifts")
    last = page.locator(".found .tile").last
    title = last.locator(".tile-title").inner_text()
    hand.press(last.locator(".tile-link"))
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    hand.press(page.get_by_role("link", name="Back to results"))
    page.wait_for_url(re.compile(r"/search/\?page=2#card-"))
    expect(page.locator(".found .tile").last).to_be_in_viewport()


def test_point_8_long_work_ends_in_a_receipt_with_reasons(
    hand: Hand, staff: User, sign_in: Callable[[Page, User], None], complaints: Complaints
):
    complaints.expect_status(400)
    page = hand.page
    sign_in(page, staff)
    page.goto("/upload/")
    hand.choose_file(page.get_by_role("button", name="Choose files"), CUP, BROKEN)
    hand.press(page.get_by_role("button", name="Upload all (2)"))
    expect(page.get_by_text("Uploaded: 1. Failed: 1.")).to_be_visible()
    files = page.get_by_role("list", name="Files").get_by_role("listitem")
    expect(files.filter(has_text="cut.jpg")).to_contain_text(re.compile("cut.jpg.+", re.DOTALL))
    hand.press(page.get_by_role("button", name="Retry what failed"))
    expect(page.get_by_text("Uploaded: 1. Failed: 1.")).to_be_visible()
    hand.press(files.filter(has_text="teal-cup.jpg").get_by_role("link", name="Open product"))
    expect(page.get_by_role("heading", level=1)).to_have_text(Product.objects.get(title__icontains="cup").title)


def test_point_9_errors_say_what_to_do_and_photos_are_deleted(hand: Hand):
    page = hand.page
    page.goto("/")
    field = page.get_by_label("Search with a photo", exact=True)
    hand.choose_file(field, TEXT)
    expect(page.locator("#alerts")).to_contain_text("That is not a picture.")
    hand.choose_file(field, RED_CIRCLE)
    page.wait_for_url(re.compile(r"/search/\?photo="))
    hand.press(visible(page.get_by_role("button", name="Forget this photo")))
    expect(page).to_have_url(re.compile(r"/$"))
    assert not QueryPhoto.objects.exists()


def test_point_10_language_theme_and_targets(hand: Hand):
    page = hand.page
    page.goto(f"/search/?image={photo('CIRCLE-00').pk}&q=circle")
    assert page.evaluate(_TOO_SMALL) == []
    hand.press(page.get_by_role("button", name="Appearance"))
    hand.press(page.get_by_role("button", name="Dark"))
    expect(page.locator("body")).to_have_css("background-color", "rgb(21, 20, 18)")
    hand.press(page.get_by_role("button", name="中文"))
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.locator("body")).to_have_css("background-color", "rgb(21, 20, 18)")
    expect(page.locator(".found .tile-title").first).to_contain_text("圆形")
    expect(page.locator(".found .tile-facts").first).to_contain_text(re.compile(r"\d+\.\d\d EUR"))
