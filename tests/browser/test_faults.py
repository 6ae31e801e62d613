"""What people see when something is missing or down."""

import re

from playwright.sync_api import Page, expect

from tests.browser.files import RED_CIRCLE, drop


def test_a_page_that_is_not_there(page: Page, complaints):
    complaints.expect_status(404)
    page.goto("/products/NOTHING/")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    page.get_by_role("link", name="Go to the home page").click()
    expect(page).to_have_url(re.compile(r"/$"))


def test_search_that_is_down_keeps_the_query(page: Page, engine_down, complaints):
    complaints.expect_status(503)
    page.goto("/search/?q=red+circle&availability=in_stock")
    expect(page.get_by_role("heading", level=1)).to_have_text("Search is not available")
    expect(page.get_by_role("searchbox")).to_have_value("red circle")
    engine_down.end()
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("products"))
    page.wait_for_url("**/search/?q=circle&availability=in_stock&color=red")


def test_a_filter_chosen_while_search_is_down_says_so(page: Page, engine_down, complaints):
    complaints.expect_status(503)
    complaints.expect("Response Status Error Code 503 from /search/")  # htmx says it, too
    engine_down.end()
    page.goto("/search/?q=circle")
    engine_down.begin()
    page.locator("#filters .option").filter(has_text="Öst").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Search is not available")
    assert "brand=" in page.url


def test_a_photo_sent_while_search_is_down_is_kept(page: Page, engine_down, complaints):
    complaints.expect_status(503)
    page.goto("/")
    drop(page, RED_CIRCLE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Search is not available")
    engine_down.end()
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("img", name="Your photo")).to_be_visible()


def test_a_product_is_shown_while_search_is_down(page: Page, engine_down):
    page.goto("/products/CIRCLE-00/")
    page.get_by_role("heading", name="Looks similar").scroll_into_view_if_needed()
    expect(page.get_by_text("Search is not available at the moment.")).to_be_visible()
