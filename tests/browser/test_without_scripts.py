"""Pages work without scripts: forms send, filters are links."""

import re

from playwright.sync_api import Page, expect

from tests.browser.files import BROKEN, RED_CIRCLE
from tests.gallery.files import of_format


def test_a_photo_is_sent_by_the_form(plain_page: Page):
    page = plain_page
    page.goto("/")
    page.get_by_label("Search with a photo", exact=True).set_input_files(RED_CIRCLE)
    page.get_by_role("button", name="Send photo").click()
    page.wait_for_url(re.compile(r"photo="))
    expect(page.get_by_role("img", name="Your photo")).to_be_visible()
    expect(page.locator(".band-name").first).to_contain_text("Nearly the same")
    page.get_by_role("button", name="Forget this photo").locator("visible=true").click()
    expect(page).to_have_url(re.compile(r"/$"))


def test_a_refused_photo_is_told(plain_page: Page, complaints):
    complaints.expect_status(400)
    page = plain_page
    page.goto("/")
    page.get_by_label("Search with a photo", exact=True).set_input_files(BROKEN)
    page.get_by_role("button", name="Send photo").click()
    expect(page.get_by_text("cut.jpg")).to_be_visible()


def test_filters_sorts_and_pages_are_links(plain_page: Page):
    page = plain_page
    page.goto("/search/")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Page 2")).to_be_visible()
    option = page.locator("#filters .option").filter(has_text="Öst")
    said = option.locator(".count").inner_text()
    option.click()
    page.wait_for_url(re.compile(r"brand=\d+$"))
    expect(page.locator("#found")).to_have_text(re.compile(rf"^\s*{said} products"))
    page.get_by_role("link", name="Öst").first.click()
    page.wait_for_url(re.compile(r"/search/$"))


def test_filters_can_be_reached_on_a_phone(plain_page: Page):
    page = plain_page
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/search/?q=circle")
    option = page.locator("#filters .option").filter(has_text="Öst")
    option.click()
    page.wait_for_url(re.compile(r"brand=\d+"))


def test_words_and_the_language_switch(plain_page: Page):
    page = plain_page
    page.goto("/")
    page.get_by_role("searchbox").fill("“blue” square")
    page.keyboard.press("Enter")
    expect(page.locator(".found .tile-title")).to_have_text(["Blue square"])
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")


def test_staff_upload_by_the_form(plain_page: Page, staff, sign_in, complaints):
    complaints.expect_status(400)
    page = plain_page
    sign_in(page, staff)
    page.goto("/upload/")
    page.get_by_label("Choose photos").set_input_files(
        [
            {"name": "teal-cup.jpg", "mimeType": "image/jpeg", "buffer": of_format("jpeg")},
            {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"},
        ]
    )
    page.get_by_role("button", name="Upload", exact=True).click()
    receipt = page.get_by_role("region", name="What became of your files")
    expect(receipt.get_by_role("listitem")).to_have_count(2)
    expect(receipt.get_by_role("listitem").filter(has_text="notes.jpg")).to_contain_text("not a picture")
    receipt.get_by_role("link", name="Open product").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Teal cup")
