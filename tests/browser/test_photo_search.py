"""Searching with a photo: dropped, chosen or pasted; what comes back, what is refused, and how it is forgotten."""

import re

import pytest
from playwright.sync_api import FilePayload, Page, Request, expect

from search.models import QueryPhoto
from tests.browser.files import BLUE_SQUARE, BROKEN, LARGE, RED_CIRCLE, TEXT, carried, drag_over, drop, paste, search_by
from tests.browser.shop import GROUNDS
from tests.gallery.files import HEIC
from tests.pictures import draw, encode

PHOTO_URL = re.compile(r"/search/\?photo=[0-9a-f-]{36}$")


def expect_results(page: Page) -> None:
    """The ranked gallery of a red circle, with the photo beside it."""
    expect(page).to_have_url(PHOTO_URL)
    expect(page.get_by_role("img", name="Your photo")).to_be_visible()
    expect(page.locator(".band .tile").first).to_contain_text("Red circle")
    expect(page.locator(".band-name").first).to_be_visible()


def sent_photo(page: Page, act) -> Request:
    """The request that an act sends the photo with."""
    with page.expect_request(lambda request: request.method == "POST" and "/search/photo/" in request.url) as sent:
        act()
    return sent.value


def test_a_dropped_photo_gives_a_ranked_gallery_in_bands(page: Page):
    page.goto("/")
    photo = carried(page, RED_CIRCLE)
    drag_over(page, photo)
    expect(page.get_by_text("Drop the photo to search with it")).to_be_visible()
    page.dispatch_event("main", "drop", {"dataTransfer": photo})
    expect_results(page)
    # It is the file of one product; the other red circles stand on other grounds.
    nearest, similar = (" ".join(name.split()) for name in page.locator(".band-name").all_inner_texts())
    assert nearest == "Nearly the same · 1"
    assert similar.startswith("Similar · ")
    found = 1 + int(similar.split()[-1])
    assert 3 <= found <= len(GROUNDS)
    expect(page.locator(".band .tile")).to_have_count(found)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{found} products")


def test_a_drag_that_leaves_takes_the_invitation_away(page: Page):
    page.goto("/")
    photo = carried(page, RED_CIRCLE)
    drag_over(page, photo)
    expect(page.locator("#drop")).to_be_visible()
    page.dispatch_event("main", "dragleave", {"dataTransfer": photo})
    expect(page.locator("#drop")).to_be_hidden()


def test_a_chosen_photo_is_searched_for(page: Page):
    page.goto("/")
    page.get_by_label("Search with a photo", exact=True).set_input_files(RED_CIRCLE)
    expect_results(page)


def test_a_pasted_photo_is_searched_for(page: Page):
    page.goto("/")
    paste(page, encode(draw("circle", "red", size=(330, 270)), "PNG"))
    expect_results(page)


def test_a_large_photo_is_made_small_before_it_travels(page: Page):
    page.goto("/")
    request = sent_photo(page, lambda: drop(page, LARGE))
    expect_results(page)
    photo = QueryPhoto.objects.get()
    assert (photo.width, photo.height) == (1280, 960)
    assert int(request.all_headers()["content-length"]) < len(LARGE["buffer"]) / 2


def test_what_the_browser_cannot_decode_is_sent_as_it_is(page: Page):
    page.goto("/")
    heic = FilePayload(name="IMG_0001.HEIC", mimeType="", buffer=HEIC)
    request = sent_photo(page, lambda: drop(page, heic))
    expect(page).to_have_url(PHOTO_URL)
    expect(page.get_by_role("img", name="Your photo")).to_be_visible()
    assert (QueryPhoto.objects.get().width, QueryPhoto.objects.get().height) == (64, 48)
    assert int(request.all_headers()["content-length"]) > len(HEIC)


def test_something_else_than_a_picture_is_told_and_the_page_stays(page: Page):
    page.goto("/search/?q=circle")
    before = page.url
    drop(page, TEXT)
    expect(page.locator("#alerts")).to_contain_text("That is not a picture.")
    assert page.url == before
    expect(page.locator("#drop")).to_be_hidden()
    search_by(page, RED_CIRCLE)  # the next one is taken


def test_a_damaged_photo_gets_the_servers_sentence(page: Page, complaints):
    complaints.expect_status(400)
    page.goto("/")
    drop(page, BROKEN)
    expect(page.locator("#alerts")).to_contain_text("cut.jpg")
    expect(page.locator("#drop")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/$"))
    assert not QueryPhoto.objects.exists()


def test_the_first_of_several_photos_is_searched_for(page: Page):
    page.goto("/")
    drop(page, RED_CIRCLE, BLUE_SQUARE)
    expect_results(page)


def test_a_search_can_be_cancelled_while_the_photo_is_on_its_way(page: Page):
    page.goto("/")
    page.route("**/search/photo/", lambda route: None)  # it never arrives
    drop(page, RED_CIRCLE)
    expect(page.get_by_text("Looking for similar products")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#drop")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/$"))


def test_a_photo_that_cannot_be_sent_is_told(page: Page, complaints):
    complaints.expect("net::ERR_INTERNET_DISCONNECTED")
    page.goto("/")
    page.context.set_offline(True)
    drop(page, RED_CIRCLE)
    expect(page.locator("#alerts")).to_contain_text("could not be sent")


def test_words_narrow_what_a_photo_finds(page: Page):
    page.goto("/")
    drop(page, RED_CIRCLE)
    expect_results(page)
    page.get_by_role("searchbox").fill("öst")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"photo=.*q=|q=.*photo="))
    expect(page.get_by_role("img", name="Your photo")).to_be_visible()
    tiles = page.locator(".found > .band .tile")
    assert tiles.count() > 0
    assert all("Öst" in text for text in tiles.all_inner_texts())


def test_a_new_photo_keeps_words_and_filters(page: Page):
    page.goto("/search/?q=circle&availability=in_stock")
    search_by(page, RED_CIRCLE)
    assert "q=circle" in page.url
    assert "availability=in_stock" in page.url


def test_a_forgotten_photo_is_gone(page: Page, complaints):
    complaints.expect_forgotten()
    page.goto("/")
    drop(page, RED_CIRCLE)
    expect_results(page)
    results, file = page.url, page.get_by_role("img", name="Your photo").get_attribute("src")
    page.get_by_role("button", name="Forget this photo").locator("visible=true").click()
    expect(page).to_have_url(re.compile(r"/$"))
    assert not QueryPhoto.objects.exists()
    assert page.request.get(file).status == 404
    page.goto(results)
    expect(page.get_by_role("img", name="Your photo")).to_have_count(0)


def test_nobody_else_sees_a_photo(page: Page, new_context):
    page.goto("/")
    drop(page, RED_CIRCLE)
    expect_results(page)
    file = page.get_by_role("img", name="Your photo").get_attribute("src")
    assert page.request.get(file).status == 200
    assert new_context().request.get(file).status == 404


@pytest.mark.parametrize("width", [390, 1440])
def test_the_photo_can_be_forgotten_at_every_width(page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/")
    drop(page, RED_CIRCLE)
    expect_results(page)
    expect(page.get_by_role("button", name="Forget this photo").locator("visible=true")).to_have_count(1)
