"""Staff place products by the keyboard: without a category, and likely in the wrong one."""

import pytest
from playwright.sync_api import FilePayload, Page, expect

from gallery.models import Product
from search.indexing.loop import IndexLoop
from search.models import LabelConfirmed
from tests.browser.files import drop
from tests.browser.places import doubt_and_ask
from tests.browser.shop import photo
from tests.browser.test_accessibility import expect_no_violations
from tests.pictures import jpeg


@pytest.fixture
def desk(page: Page, staff, sign_in) -> Page:
    sign_in(page, staff)
    doubt_and_ask()
    return page


def category_of(sku: str) -> str:
    return str(Product.objects.select_related("category").get(sku=sku).category)


def test_one_key_places_a_product(desk: Page):
    desk.goto("/suggestions/")
    expect(desk.get_by_role("heading", name="Orange square")).to_be_visible()
    expect(desk.locator(".to-place")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("SQUARE-09 is in “Angular” now.")).to_be_visible()
    assert category_of("SQUARE-09") == "Angular"


def test_keys_do_nothing_where_words_are_typed(desk: Page):
    desk.goto("/suggestions/")
    field = desk.locator("#field-words")
    field.fill("")
    field.press("1")
    expect(field).to_have_value("1")
    assert category_of("SQUARE-09") == "None"


def test_a_doubt_is_moved_by_a_key(desk: Page):
    desk.goto("/suggestions/mislabelled/")
    rows = desk.locator(".doubt")
    first = rows.nth(0)
    expect(first).to_be_focused()
    expect(first).to_contain_text("CIRCLE-12")
    desk.keyboard.press("Enter")
    expect(first).to_contain_text("CIRCLE-12 is in “Round” now.")
    assert category_of("CIRCLE-12") == "Round"


def test_a_doubt_is_kept_for_good_by_a_key(desk: Page):
    desk.goto("/suggestions/mislabelled/")
    row = desk.locator(".doubt").first
    expect(row).to_be_focused()
    desk.keyboard.press("k")
    expect(row).to_contain_text("CIRCLE-12 stays in “Striped”")
    assert LabelConfirmed.objects.get().product.sku == "CIRCLE-12"
    desk.reload()
    expect(desk.get_by_text("CIRCLE-12")).to_have_count(0)


def test_the_panel_of_a_product_s_page(desk: Page):
    desk.goto("/products/SQUARE-09/")
    panel = desk.get_by_role("region", name="Suggested category and tags")
    expect(panel).to_contain_text("most similar products are in Angular")
    expect_no_violations(desk)
    panel.focus()
    desk.keyboard.press("1")
    expect(panel).to_contain_text("SQUARE-09 is in “Angular” now.")
    expect(panel).to_be_focused()
    desk.goto("/products/CIRCLE-00/")
    desk.get_by_role("link", name="Suggest category and tags").click()
    expect(desk.get_by_role("region", name="Suggested category and tags")).to_contain_text("looks like its category")
    assert photo("CIRCLE-00").product.revision == 1


def test_an_uploaded_photo_suggests_its_category(desk: Page):
    desk.goto("/upload/")
    drop(desk, FilePayload(name="new.jpg", mimeType="image/jpeg", buffer=jpeg("square", "red")))
    desk.get_by_role("button", name="Upload all (1)").click()
    panel = desk.get_by_role("region", name="Suggested category and tags")
    expect(panel).to_contain_text("not indexed yet")
    IndexLoop().run_until_idle()
    panel.get_by_role("button", name="Angular").first.click()  # the panel has asked again by itself
    expect(panel).to_contain_text("new is in “")
    expect_no_violations(desk)
    assert Product.objects.get(sku="new").category is not None
    assert Product.objects.filter(sku__startswith="new").count() == 1, "the form around the panel is not sent again"
