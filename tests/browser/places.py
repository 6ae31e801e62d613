"""The pages of the site in the states that people see, and how to get to each."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.files import RED_CIRCLE, search_by

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
}
BY_PHOTO = {"photo": "", "weaker": "&weaker=1"}
PLACES = (*ADDRESSES, *BY_PHOTO)
FAULTS = {"not found": 404, "unavailable": 503}


def go_to(place: str, page: Page, request: pytest.FixtureRequest) -> None:
    """Take the page to a place, and wait for what comes late there."""
    if place in FAULTS:
        request.getfixturevalue("complaints").expect_status(FAULTS[place])
    if place == "unavailable":
        request.getfixturevalue("engine_down")
    if place == "upload":
        request.getfixturevalue("sign_in")(page, request.getfixturevalue("staff"))
    if place in BY_PHOTO:
        page.goto("/")
        search_by(page, RED_CIRCLE)
        page.goto(page.url + BY_PHOTO[place])
    else:
        page.goto(ADDRESSES[place])
    if place == "product":
        page.get_by_role("heading", name="Looks similar").scroll_into_view_if_needed()
        expect(page.locator(".strip:not([aria-hidden]) .tile").first).to_be_visible()
    page.wait_for_load_state("networkidle")
