"""What people expect of every page, on a phone, a tablet and a desk, by mouse, by finger and with keys alone."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, Route, expect

from gallery.models import Collection, Product, User
from search.crops import Crop
from search.models import QueryPhoto
from tests.browser.conftest import Complaints
from tests.browser.files import BROKEN, RED_CIRCLE, TEXT, search_by
from tests.browser.hands import WAYS, Hand
from tests.browser.shop import COUNT, FIRST_PHOTO, photo
from tests.browser.test_layout import _WATCH_SHIFTS, MOST_SHIFT
from tests.browser.test_regions import CIRCLE, PHOTO, SQUARE, WITH_A_PART, chosen, near
from tests.browser.test_upload import BOWL, CUP, row
from tests.internet import PUBLIC, gives, internet, serving
from tests.pictures import draw, encode

HEIGHTS = {390: 844, 820: 1000, 1440: 900}
PNG = encode(draw("circle", "red", size=(330, 270)), "PNG")
PHOTO_SEARCH = re.compile(r"/search/\?photo=[0-9a-f-]{36}$")
# The box that the keys of Hand.draw_box make.
BY_KEYS = Crop(240, 240, 510, 500)
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
    hand = Hand(context.new_page(), request.param)
    yield hand
    hand.expect_no_overflow()
    context.close()


@pytest.fixture
def linked_photo(site: str, monkeypatch) -> Iterator[str]:
    """The address of a photo on the public internet."""
    with internet(monkeypatch.setattr) as net, serving(net, PUBLIC, {"/circle.jpg": gives(FIRST_PHOTO)}):
        net.names["photos.example"] = [[PUBLIC]]
        yield "http://photos.example/circle.jpg"


def signed_in(page: Page, user: User, site: str) -> Page:
    client = Client()
    client.force_login(user)
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    return page


def visible(found: Locator) -> Locator:
    """The one of several that this width shows."""
    return found.locator("visible=true").first


def refuse(route: Route) -> None:
    route.fulfill(status=503, body="Gateway")


def titles(page: Page) -> list[str]:
    return page.locator(".found > .band .tile-title").all_inner_texts()


def parameters(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def parts_of(url: str) -> int:
    """How many parts the query in an address has."""
    return sum(map(len, parse_qs(urlsplit(url).query).values()))


def chip(page: Page, words: str) -> Locator:
    return page.get_by_role("list", name="Parts of your query").get_by_role("link", name=words)


def removals(page: Page) -> Locator:
    """What takes away the pictures of the query, in their order, where nothing else is asked for."""
    query = page.get_by_role("complementary", name="Your query")
    return query.get_by_role("link", name=re.compile("^Remove")).locator("visible=true")


def found(page: Page) -> Locator:
    return page.get_by_role("main").get_by_role("heading", level=1)


def open_menu(hand: Hand, card: Locator) -> Locator:
    """The menu of a card, whose buttons a mouse has to come near to."""
    if hand.way == "mouse":
        card.hover()
    hand.press(card.get_by_role("button", name=re.compile("^More for")))
    menu = card.locator(".dropdown-menu")
    expect(menu).to_be_visible()
    return menu


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
        expect(opener).to_be_focused()


def test_point_1_a_photo_brought_to_any_page_starts_a_search(hand: Hand):
    page = hand.page
    page.goto("/products/CIRCLE-00/")
    hand.bring(RED_CIRCLE, PNG, page.get_by_label("Search with a photo", exact=True))
    expect(page).to_have_url(PHOTO_SEARCH)
    expect(visible(page.get_by_role("img", name="Your photo"))).to_be_visible()
    assert titles(page)[0] == "Red circle"
    hand.type(page.get_by_role("searchbox"), "öst")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"q="))
    assert set(parameters(page)) == {"photo", "q"}, "one field takes both"
    expect(visible(page.get_by_role("img", name="Your photo"))).to_be_visible()


def test_point_1_a_chosen_photo_and_a_link_start_a_search(hand: Hand, linked_photo: str):
    page = hand.page
    page.goto("/")
    name = "Take a photo and search with it" if hand.way == "touch" else "Search with a photo"
    hand.choose_file(page.get_by_label(name, exact=True), RED_CIRCLE)
    expect(page).to_have_url(PHOTO_SEARCH)
    chosen_photo = page.url
    hand.type(page.get_by_role("searchbox"), linked_photo)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != chosen_photo)
    expect(page).to_have_url(PHOTO_SEARCH)
    assert titles(page)[0] == "Red circle"


def test_point_2_the_query_stays_in_sight_and_each_part_goes_by_itself(hand: Hand):
    page = hand.page
    page.goto(f"/search/?q=circle&image={photo('CIRCLE-00').pk}&image={photo('CIRCLE-01').pk}&availability=in_stock")
    address, before = page.url, titles(page)
    assert before
    hand.scroll_down()
    expect(visible(page.locator(".query-photo img"))).to_be_in_viewport()
    for part in ("In stock", "“circle”"):
        hand.press(chip(page, part))
        expect(chip(page, part)).to_have_count(0)
    assert len(parameters(page)["image"]) == 2
    hand.press(removals(page).first)
    page.wait_for_url(lambda url: parts_of(url) == 1)
    assert parameters(page) == {"image": [str(photo("CIRCLE-01").pk)]}
    there, shown = page.url, titles(page)
    page.reload()
    assert (titles(page), page.url) == (shown, there)
    for _step in range(3):
        page.go_back()
    page.wait_for_url(address)
    expect(chip(page, "In stock")).to_be_visible()
    assert titles(page) == before


def test_point_2_a_private_photo_is_shared_when_asked_for_until_it_is_taken_back(hand: Hand, site: str, browser):
    page = hand.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
    page.goto("/")
    search_by(page, RED_CIRCLE)
    hand.press(page.locator("summary").filter(has_text="Share"))
    hand.press(page.get_by_role("button", name="Include my photo"))
    expect(page.locator("[data-share-status]")).to_have_text("The address is copied.")
    address = page.evaluate("navigator.clipboard.readText()")
    with browser.new_context() as context:
        friend = context.new_page()
        friend.goto(address)
        expect(visible(friend.get_by_role("img", name="The photo that was shared with you"))).to_be_visible()
        page.reload()
        hand.press(page.locator("summary").filter(has_text="Share"))
        hand.press(page.get_by_role("button", name="Stop sharing it").last)
        expect(page.get_by_role("button", name="Stop sharing")).to_have_count(0)
        friend.goto(address)
        expect(friend.get_by_role("img", name="The photo that was shared with you")).to_have_count(0)


def test_point_3_a_part_of_the_photo_is_offered_or_drawn(hand: Hand):
    page = hand.page
    page.goto("/")
    search_by(page, PHOTO)
    draw_a_part(hand)
    expect_drawn(hand, SQUARE)
    drawn = page.url
    hand.press(visible(page.get_by_role("button", name=re.compile(r"^Search for part \d$"))))
    page.wait_for_url(lambda url: url != drawn)
    assert near(chosen(page), CIRCLE, 60) or near(chosen(page), SQUARE, 60)


def test_point_3_a_part_of_a_products_photo_is_drawn(hand: Hand):
    page = hand.page
    page.goto("/products/CIRCLE-00/")
    draw_a_part(hand)
    expect_drawn(hand, SQUARE)
    assert parameters(page)["image"][0].startswith(str(photo("CIRCLE-00").pk))


def draw_a_part(hand: Hand) -> None:
    page = hand.page
    hand.press(visible(page.get_by_role("button", name="Choose a part")))
    sheet = page.get_by_role("dialog", name="Choose a part of the photo")
    expect(sheet.get_by_role("application")).to_be_focused()
    expect(sheet.get_by_role("button", name="Search for this part")).to_be_disabled()
    edges = (SQUARE.left, SQUARE.top, SQUARE.left + SQUARE.width, SQUARE.top + SQUARE.height)
    left, top, right, bottom = (edge / 1000 for edge in edges)
    hand.draw_box(sheet.locator("region-canvas"), (left, top, right, bottom))
    hand.press(sheet.get_by_role("button", name="Search for this part"))


def expect_drawn(hand: Hand, part: Crop) -> None:
    page = hand.page
    page.wait_for_url(WITH_A_PART)
    assert chosen(page) == BY_KEYS if hand.way == "keys" else near(chosen(page), part)
    expect(visible(page.locator(".query-photo img"))).to_be_visible()
    expect(page.locator(".region-current")).to_be_visible()
    expect(found(page)).to_be_visible()


def test_point_4_more_and_less_like_a_card(hand: Hand):
    page = hand.page
    page.goto("/search/?q=circle")
    card = page.locator(".found .tile").first
    similar = card.get_by_role("link", name=re.compile("^Similar to"))
    if hand.way == "mouse":
        card.hover()
    if hand.way != "keys":
        expect(similar).to_have_css("opacity", "1")
    hand.press(similar)
    page.wait_for_url(lambda url: parts_of(url) == 1 and "image=" in url)
    for words, parts in (("More like this", 2), ("Less like this", 3)):
        menu = open_menu(hand, page.locator(".found .tile").nth(1))
        hand.press(menu.get_by_role("link", name=words))
        page.wait_for_url(lambda url, parts=parts: parts_of(url) == parts)
    assert {name: len(values) for name, values in parameters(page).items()} == {"image": 2, "less": 1}
    expect(page.locator(".query-photo img")).to_have_count(3)
    hand.press(removals(page).last)
    page.wait_for_url(lambda url: "less=" not in url)
    assert len(parameters(page)["image"]) == 2


def test_point_4_a_card_is_saved_from_its_menu(hand: Hand, shopper: User, site: str):
    page = signed_in(hand.page, shopper, site)
    page.goto(f"/search/?image={photo('CIRCLE-00').pk}")
    card = page.locator(".found .tile").filter(has_text="Red circle").first
    menu = open_menu(hand, card)
    expect(menu.locator("[hx-get]")).to_have_count(0)  # until then it is what the page came with
    expect(menu.get_by_role("button", name="Save", exact=True)).to_be_visible()
    expect(menu.locator(".htmx-added")).to_have_count(0)  # before that its forms are plain forms
    hand.press(menu.get_by_role("button", name="Save", exact=True))
    saved = menu.get_by_role("button", name="Saved: remove it")
    expect(saved).to_be_visible()
    expect(saved).to_be_focused()
    assert Collection.objects.get().items.count() == 1
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(card.get_by_role("button", name=re.compile("^More for"))).to_be_focused()


def test_point_5_filters_keep_the_picture_and_tell_the_truth(hand: Hand):
    page = hand.page
    page.goto(f"/search/?image={photo('CIRCLE-00').pk}")
    address, before = page.url, titles(page)
    option = page.locator("#filters .option").filter(has=page.get_by_text("Öst", exact=True))
    said = int(option.locator(".count").text_content() or "")
    assert 0 < said < len(before)
    choose_option(hand, "Öst")
    expect(found(page)).to_have_text(re.compile(rf"^\s*{said} product"))
    assert len(titles(page)) == said
    assert set(parameters(page)) == {"image", "brand"}
    expect(visible(page.locator(".query-photo img"))).to_be_visible()
    section = page.locator(".without section").first
    expect(section).to_contain_text(f"Without Öst · {len(before)}")
    hand.press(chip(page, "Öst"))
    page.wait_for_url(address)
    expect(found(page)).to_have_text(re.compile(rf"^\s*{len(before)} product"))
    assert titles(page) == before


def test_point_6_similarity_is_told_in_words(hand: Hand):
    page = hand.page
    page.goto(f"/search/?image={photo('CIRCLE-00').pk}")
    bands = [name.split("·") for name in page.locator(".band-name").all_inner_texts()]
    assert bands
    assert {name.strip() for name, _count in bands} <= {"Nearly the same", "Very similar", "Similar"}
    assert sum(int(count) for _name, count in bands) == len(titles(page))
    assert not re.search(r"0\.\d", page.locator(".found").inner_text())
    menu = open_menu(hand, page.locator(".found .tile").first)
    expect(menu.get_by_text("Why it is here")).to_be_visible()
    expect(menu).to_contain_text(re.compile(r"Content\s+\d+ %"))
    page.keyboard.press("Escape")
    hand.press(page.get_by_role("link", name="Show weaker matches"))
    page.wait_for_url(re.compile("weaker=1"))
    expect(page.get_by_role("heading", name="Weaker matches")).to_be_visible()


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
    if hand.way == "keys":
        hand.reach(last.locator(".tile-link"), "Shift+Tab")
    hand.press(last.locator(".tile-link"))
    expect(found(page)).to_have_text(title)
    hand.press(page.get_by_role("link", name="Back to results"))
    page.wait_for_url(re.compile(r"/search/\?page=2#card-"))
    expect(page.locator(".found .tile").last).to_be_in_viewport()


def test_point_8_long_work_shows_progress_and_ends_in_a_receipt(
    hand: Hand, staff: User, site: str, complaints: Complaints
):
    complaints.expect_status(400)
    complaints.expect_status(503)
    page = signed_in(hand.page, staff, site)
    page.goto("/upload/")
    on_their_way: list[Route] = []
    page.route("**/upload/", lambda route: on_their_way.append(route))
    hand.choose_file(page.get_by_role("button", name="Choose files"), BOWL, CUP, BROKEN)
    hand.press(page.get_by_role("button", name="Remove Blue bowl.png"))
    expect(row(page, "Blue bowl.png")).to_have_count(0)
    hand.press(page.get_by_role("button", name="Upload all (2)"))
    expect(page.get_by_role("progressbar", name="Upload in all")).to_be_visible()
    for name in ("teal-cup.jpg", "cut.jpg"):
        expect(row(page, name).get_by_role("progressbar")).to_be_visible()
    said = page.get_by_role("status").filter(has_text=re.compile("0 of 2"))
    expect(said).to_be_visible()
    expect(said).to_be_focused()
    page.route("**/upload/", refuse)  # also those that come late
    for route in on_their_way:
        refuse(route)
    expect(page.get_by_text("Uploaded: 0. Failed: 2.")).to_be_visible()
    page.unroute("**/upload/")
    hand.press(row(page, "teal-cup.jpg").get_by_role("button", name="Retry"))
    expect(page.get_by_text("Uploaded: 1. Failed: 1.")).to_be_visible()
    hand.press(page.get_by_role("button", name="Retry what failed"))
    expect(row(page, "cut.jpg")).to_contain_text(re.compile("cut.jpg.+cut.jpg", re.DOTALL))
    hand.press(row(page, "teal-cup.jpg").get_by_role("link", name="Open product"))
    expect(found(page)).to_have_text(Product.objects.get(title__icontains="cup").title)


def test_point_8_what_was_removed_comes_back(hand: Hand, shopper: User, site: str):
    collection = Collection.objects.start(shopper, "Round things")
    for sku in ("CIRCLE-00", "SQUARE-09"):
        collection.add(photo(sku))
    page = signed_in(hand.page, shopper, site)
    page.goto(f"/collections/{collection.pk}/")
    hand.press(page.get_by_role("button", name="Remove “Red circle”"))
    undo = page.get_by_role("button", name="Undo: put “Red circle” back")
    expect(undo).to_be_focused()
    assert collection.items.count() == 1
    hand.press(undo)
    expect(page.get_by_role("button", name="Remove “Red circle”")).to_be_focused()
    hand.press(page.get_by_role("button", name="Delete"))
    page.wait_for_url(re.compile(r"/collections/$"))
    hand.press(page.get_by_role("button", name="Undo: restore “Round things”"))
    page.wait_for_url(re.compile(r"/collections/[^/]+/$"))
    expect(found(page)).to_have_text("Round things")
    expect(page.locator("main .tile-title")).to_have_count(2)


def test_point_9_errors_say_what_to_do_and_photos_are_deleted(hand: Hand, complaints: Complaints):
    complaints.expect_status(400)
    complaints.expect_forgotten()
    page = hand.page
    page.goto("/")
    field = page.get_by_label("Search with a photo", exact=True)
    for file, words in ((TEXT, "That is not a picture. Drop a photo"), (BROKEN, "cut.jpg")):
        hand.choose_file(field, file)
        expect(page.locator("#alerts")).to_contain_text(words)
        expect(page).to_have_url(re.compile(r"/$"))
    hand.choose_file(field, RED_CIRCLE)
    expect(page).to_have_url(PHOTO_SEARCH)
    file = visible(page.get_by_role("img", name="Your photo")).get_attribute("src")
    assert page.request.get(file).status == 200
    hand.press(visible(page.get_by_role("button", name="Forget this photo")))
    expect(page).to_have_url(re.compile(r"/$"))
    assert page.request.get(file).status == 404
    assert not QueryPhoto.objects.exists()


def test_point_10_language_theme_and_targets(hand: Hand):
    page = hand.page
    for address in ("/", "/products/CIRCLE-00/", f"/search/?image={photo('CIRCLE-00').pk}&q=circle"):
        page.goto(address)
        assert page.evaluate(_TOO_SMALL) == [], address
        hand.expect_no_overflow()
    hand.press(page.get_by_role("button", name="Appearance"))
    hand.press(page.get_by_role("button", name="Dark"))
    expect(page.locator("body")).to_have_css("background-color", "rgb(21, 20, 18)")
    assert page.evaluate("document.getAnimations().length") == 0, "nothing moves for who asked for that"
    hand.press(page.get_by_role("button", name="中文"))
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.locator("body")).to_have_css("background-color", "rgb(21, 20, 18)")
    expect(page.locator(".found .tile-title").first).to_contain_text("圆形")
    expect(page.locator(".found .tile-facts").first).to_contain_text(re.compile(r"\d+\.\d\d EUR"))
