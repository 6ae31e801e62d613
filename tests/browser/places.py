"""The pages of the site in the states that people see, and how to get to each."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from gallery.models import Collection
from tests.browser.files import RED_CIRCLE, search_by
from tests.browser.shop import photo

ADDRESSES = {
    "home": "/",
    "browse": "/search/",
    "words": "/search/?q=circle&availability=in_stock",
    "empty": "/search/?q=zeppelin",
    "product": "/products/CIRCLE-00/?back=%2Fsearch%2F%3Fq%3Dcircle",
    "login": "/accounts/login/",
    "upload": "/upload/",
    "not found": "/products/NOTHING/",
    "unavailable": "/search/?q=circle",
    "history": "/history/",
    "collections": "/collections/",
}
BY_PHOTO = {"photo": "", "weaker": "&weaker=1", "photos": "&group=photos"}
# Addresses that hold a key.
BY_KEY: dict[str, Callable[[], str]] = {
    "examples": lambda: (
        f"/search/?image={photo('CIRCLE-00').pk}&image={photo('CIRCLE-12').pk}"
        f"&less={photo('SQUARE-09').pk}&q=circle&color=red&price_max=9"
    ),
    "collection": lambda: f"/collections/{Collection.objects.get(name='Round things').pk}/",
    "export": lambda: f"/products/photos/{photo('CIRCLE-00').pk}/export/?format=avif&quality=60&width=640",
    "report": lambda: f"/products/photos/{photo('STRIPES-11').pk}/report/",
}
PLACES = (*ADDRESSES, *BY_PHOTO, *BY_KEY, "shared")
FAULTS = {"not found": 404, "unavailable": 503}
OWN = ("home", "product", "collections", "collection", "history", "examples")  # these look different to a shopper


def go_to(place: str, page: Page, request: pytest.FixtureRequest) -> None:
    """Take the page to a place, and wait for what comes late there."""
    if place in FAULTS:
        request.getfixturevalue("complaints").expect_status(FAULTS[place])
    if place == "unavailable":
        request.getfixturevalue("engine_down")
    if place in ("upload", "export"):
        request.getfixturevalue("sign_in")(page, request.getfixturevalue("staff"))
    if place in OWN:
        request.getfixturevalue("furnished")
    if place in BY_PHOTO or place == "shared":
        page.goto("/")
        search_by(page, RED_CIRCLE)
    if place in BY_PHOTO:
        page.goto(page.url + BY_PHOTO[place])
    elif place == "shared":
        # As a browser without scripts sends it.
        page.locator("[data-share]").evaluate("(form) => HTMLFormElement.prototype.submit.call(form)")
        page.wait_for_url("**/search/share/")
    elif place in BY_KEY:
        page.goto(BY_KEY[place]())
    else:
        page.goto(ADDRESSES[place])
    if place == "product":
        page.locator("#looks-similar").scroll_into_view_if_needed()
        expect(page.locator(".strip:not([aria-hidden]) .tile").first).to_be_visible()
    page.wait_for_load_state("networkidle")
