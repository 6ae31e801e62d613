"""Choosing a part of a picture: by mouse, finger and keys, on the photo of a query and on those of a product."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, FilePayload, FloatRect, Locator, Page, Route, expect

from gallery.models import Image
from search.crops import Crop
from search.models import QueryPhoto
from tests.browser.conftest import Complaints
from tests.browser.files import drop
from tests.browser.test_accessibility import expect_no_violations
from tests.pictures import encode
from tests.search.test_regions import TWO

PHOTO = FilePayload(name="two.png", mimeType="image/png", buffer=encode(TWO, "PNG"))
# The red circle and the blue square of it, in thousandths.
CIRCLE, SQUARE = Crop(100, 200, 300, 400), Crop(625, 500, 250, 367)
WITH_A_PART = re.compile(r"=[0-9a-f-]{36}(@|%40)\d+")


def search_by_two(page: Page) -> QueryPhoto:
    """Results of a photo with two objects in it."""
    page.goto("/")
    drop(page, PHOTO)
    page.wait_for_url(re.compile(r"/search/\?photo="))
    return QueryPhoto.objects.get()


def chosen(page: Page) -> Crop:
    """The part that the address names, once it does."""
    page.wait_for_url(WITH_A_PART)
    crop = re.search(r"(?:@|%40)([^&]+)", page.url)
    assert crop is not None
    return Crop.parse(crop[1].replace("%2C", ","))


def box_of(locator: Locator) -> FloatRect:
    locator.scroll_into_view_if_needed()
    box = locator.bounding_box()
    assert box is not None
    return box


def on(box: FloatRect, across: float, down: float) -> tuple[float, float]:
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()


def swipe(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """As a finger does."""
    touch = page.context.new_cdp_session(page)
    steps = 6
    for step in range(steps + 1):
        page.wait_for_timeout(20)  # slow enough that the browser does not take it for a fling
        x, y = (a + (b - a) * step / steps for a, b in zip(start, end, strict=True))
        kind = "touchMove" if step else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    page.wait_for_timeout(120)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


_SCROLLED = """(pixels) => new Promise((done) => {
  const check = () => scrollY > pixels && done(true);
  addEventListener("scroll", check);
  check();
})"""


def scrolled(page: Page, pixels: int) -> None:
    page.evaluate(_SCROLLED, pixels)


def near(crop: Crop, other: Crop, by: int = 30) -> bool:
    pairs = zip(str(crop).split(","), str(other).split(","), strict=True)
    return all(abs(int(one) - int(two)) <= by for one, two in pairs)


def parts(page: Page) -> Locator:
    return page.locator(".region-picture .region-part")


def choose_a_part(page: Page) -> Locator:
    page.get_by_role("button", name="Choose a part").first.click()
    sheet = page.get_by_role("dialog", name="Choose a part of the photo")
    expect(sheet).to_be_visible()
    return sheet


def test_a_suggested_part_is_searched_for_by_one_click(page: Page):
    search_by_two(page)
    expect(parts(page)).to_have_count(2)
    page.get_by_role("button", name="Search for part 1").click()
    first = chosen(page)
    # What is searched for is drawn on the photo, and no longer suggested; the other one is.
    expect(page.locator(".region-current")).to_be_visible()
    page.get_by_role("button", name="Search for part 2").click()
    page.wait_for_url(lambda url: str(first).replace(",", "%2C") not in url and str(first) not in url)
    found = sorted([first, chosen(page)])
    assert near(found[0], CIRCLE, 60)
    assert near(found[1], SQUARE, 60)


def test_a_drag_over_the_photo_searches_for_what_it_covers(page: Page):
    photo = search_by_two(page)
    expect(parts(page)).to_have_count(2)
    box = box_of(page.locator(".region-picture region-canvas"))
    drag(page, on(box, 0.62, 0.5), on(box, 0.88, 0.87))
    assert near(chosen(page), Crop(620, 500, 260, 370))
    assert str(photo.pk) in page.url


def test_the_rest_of_the_query_is_kept_and_the_whole_picture_comes_back(page: Page):
    photo = search_by_two(page)
    page.goto(f"/search/?photo={photo.pk}&availability=in_stock&weaker=1")
    page.get_by_role("button", name="Search for part 1").click()
    chosen(page)
    assert "availability=in_stock" in page.url
    assert "weaker" not in page.url
    choose_a_part(page).get_by_role("button", name="Whole picture").click()
    page.wait_for_url(lambda url: not WITH_A_PART.search(url))
    assert "availability=in_stock" in page.url


def test_parts_are_still_offered_after_the_results_were_swapped(page: Page):
    photo = search_by_two(page)
    page.goto(f"/search/?photo={photo.pk}&weaker=1")
    expect(parts(page)).to_have_count(2)
    page.get_by_role("link", name="Shape", exact=True).click()
    page.wait_for_url(re.compile("by=shape"))
    expect(parts(page)).to_have_count(2)
    page.get_by_role("button", name="Search for part 2").click()
    chosen(page)
    assert "by=shape" in page.url


def test_keys_alone_choose_a_part(page: Page):
    search_by_two(page)
    expect(parts(page)).to_have_count(2)
    page.get_by_role("button", name="Choose a part").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("application")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Choose a part").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Search for this part")).to_be_disabled()
    # The first arrow key puts a box in the middle.
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowUp"):
        page.keyboard.press(key)
    expect(page.locator("[data-region-said]")).to_have_text(
        "Box at 24 % from the left and 24 % from the top, 51 % wide and 48 % high"
    )
    page.keyboard.press("Enter")
    assert chosen(page) == Crop(240, 240, 510, 480)


def test_a_suggested_part_is_reached_by_the_tab_key(page: Page):
    search_by_two(page)
    expect(parts(page)).to_have_count(2)
    page.get_by_role("searchbox").focus()
    for _press in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('region-part')"):
            break
    page.keyboard.press("Enter")
    chosen(page)


def test_a_box_on_the_sheet_is_drawn_moved_and_resized_and_stays_on_the_photo(page: Page):
    search_by_two(page)
    sheet = choose_a_part(page)
    canvas, search = box_of(sheet.locator("region-canvas")), sheet.get_by_role("button", name="Search for this part")
    drag(page, on(canvas, 0.5, 0.5), (canvas["x"] + canvas["width"] + 40, canvas["y"] + canvas["height"] + 20))
    expect(search).to_be_enabled()
    selection = box_of(sheet.locator("cropper-selection"))
    assert selection["x"] + selection["width"] == pytest.approx(canvas["x"] + canvas["width"], abs=1.5)
    # By its upper left corner, and then by its middle, further than it can go.
    drag(page, (selection["x"] + 1, selection["y"] + 1), on(canvas, 0.7, 0.6))
    drag(page, on(canvas, 0.95, 0.97), on(canvas, 0.1, 0.2))
    search.click()
    assert near(chosen(page), Crop(0, 0, 300, 400), 10)


def test_parts_that_arrive_while_a_box_is_dragged_do_not_pull_it_back(page: Page):
    late: list[Route] = []
    page.route("**/regions/", lambda route: late.append(route))
    search_by_two(page)
    sheet = choose_a_part(page)
    canvas = box_of(sheet.locator("region-canvas"))
    drag(page, on(canvas, 0.5, 0.5), on(canvas, 0.9, 0.9))
    page.mouse.move(*on(canvas, 0.7, 0.7))
    page.mouse.down()
    page.mouse.move(*on(canvas, 0.5, 0.5), steps=3)
    for request in late:
        request.continue_()
    expect(sheet.locator(".region-part")).to_have_count(2)
    page.mouse.move(*on(canvas, 0.4, 0.3), steps=3)
    page.mouse.up()
    sheet.get_by_role("button", name="Search for this part").click()
    assert near(chosen(page), Crop(200, 100, 400, 400), 10)


@pytest.fixture
def fingers(
    complaints: Complaints, site: str, browser: Browser, browser_context_args: dict
) -> Iterator[Callable[[int], Page]]:
    """A page on a screen of this width that is touched."""
    contexts: list[BrowserContext] = []

    def opened(width: int) -> Page:
        screen = {"viewport": {"width": width, "height": 844}, "has_touch": True, "is_mobile": width < 600}
        context = browser.new_context(**browser_context_args | screen)
        contexts.append(context)
        complaints.listen(context)
        context.set_default_timeout(10_000)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [390, 820])
def test_fingers_draw_a_box_on_the_sheet(fingers, width):
    page = fingers(width)
    search_by_two(page)
    page.locator(".region-picture region-canvas").tap()
    sheet = page.get_by_role("dialog")
    canvas = box_of(sheet.locator("region-canvas"))
    swipe(page, on(canvas, 0.1, 0.2), on(canvas, 0.4, 0.6))
    sheet.get_by_role("button", name="Search for this part").tap()
    assert near(chosen(page), CIRCLE)


@pytest.mark.parametrize("width", [390, 820])
def test_a_finger_picks_a_suggested_part(fingers, width):
    page = fingers(width)
    search_by_two(page)
    page.locator(".region-picture region-canvas").tap()
    page.get_by_role("dialog").get_by_role("button", name="Search for part 2").tap()
    chosen(page)


def test_a_finger_that_moves_over_a_products_photo_scrolls_the_page(fingers):
    page = fingers(390)
    page.goto("/products/CIRCLE-00/")
    page.get_by_role("button", name="Choose a part").tap()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").tap()
    box = box_of(page.locator(".region-picture region-canvas").first)
    swipe(page, on(box, 0.5, 0.8), on(box, 0.5, 0.1))
    scrolled(page, 50)
    expect(page).to_have_url(re.compile(r"/products/CIRCLE-00/$"))


def near_the_photo(page: Page) -> FloatRect:
    """The script comes when the pointer does."""
    page.goto("/products/CIRCLE-00/")
    page.locator(".photo-link").first.hover()
    expect(page.locator(".region-picture region-canvas").first).to_be_visible()
    return box_of(page.locator(".region-picture region-canvas").first)


def test_a_drag_over_a_products_photo_searches_for_that_part(page: Page):
    box = near_the_photo(page)
    drag(page, on(box, 0.2, 0.2), on(box, 0.7, 0.8))
    crop = chosen(page)
    image = Image.objects.get(product__sku="CIRCLE-00")
    assert f"image={image.pk}" in page.url
    # The mat shows the middle of a photo that is wider than high: the box is that of the whole photo.
    shown = 1000 * image.height / image.width
    assert near(crop, Crop(round(500 - 0.3 * shown), 200, round(0.5 * shown), 600))
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_click_still_opens_the_large_photo_and_the_wheel_still_scrolls(page: Page):
    near_the_photo(page)
    page.mouse.wheel(0, 240)
    scrolled(page, 100)
    page.mouse.click(*on(box_of(page.locator(".region-picture region-canvas").first), 0.03, 0.5))
    expect(page.locator(".pswp--open")).to_be_visible()
    page.locator(".pswp").get_by_role("button", name="Choose a part").click()
    expect(page.get_by_role("dialog", name="Choose a part of the photo")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_photo_and_on_the_sheet(page: Page, scheme):
    page.emulate_media(color_scheme=scheme)
    search_by_two(page)
    expect(parts(page)).to_have_count(2)
    expect_no_violations(page)
    sheet = choose_a_part(page)
    expect(sheet.locator(".region-part")).to_have_count(2)
    page.keyboard.press("ArrowRight")
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        expect_no_violations(page)


def test_without_suggestions_a_part_can_still_be_drawn(page: Page, complaints: Complaints):
    complaints.expect_status(503)
    page.route(re.compile("/regions/"), lambda route: route.fulfill(status=503, json={"error": "", "code": "busy"}))
    search_by_two(page)
    sheet = choose_a_part(page)
    expect(sheet.get_by_text("Or choose a numbered one")).to_be_hidden()
    canvas = box_of(sheet.locator("region-canvas"))
    drag(page, on(canvas, 0.1, 0.2), on(canvas, 0.4, 0.6))
    sheet.get_by_role("button", name="Search for this part").click()
    assert near(chosen(page), CIRCLE)


def test_the_parts_of_a_photo_are_asked_for_once(page: Page):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/regions/" in request.url else None)
    photo = search_by_two(page)
    expect(parts(page)).to_have_count(2)
    choose_a_part(page)
    assert [url.removeprefix(page.url.split("/search")[0]) for url in asked] == [
        reverse("photo-regions", args=[photo.pk])
    ]
