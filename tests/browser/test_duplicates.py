"""The page of duplicates by the keyboard: nothing is merged by one key, and what is decided is gone from the list."""

from playwright.sync_api import Page, expect

from gallery.models import Product, ProductRedirect
from tests.browser.places import add_pairs


def test_pairs_are_decided_by_keys(page: Page, site: str, staff, sign_in):
    add_pairs()
    sign_in(page, staff)
    page.goto("/duplicates/")
    pairs = page.locator("article.duplicate")
    expect(pairs).to_have_count(2)
    page.keyboard.press("j")
    expect(pairs.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(pairs.nth(1)).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("n")
    expect(pairs.nth(0).get_by_role("button", name="Not a duplicate")).to_be_focused()
    page.keyboard.press("Enter")
    expect(pairs).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(pairs).to_have_count(2)
    # Merging the second pair moves photos; merging the first would delete a file that other tests need.
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("1")
    expect(pairs.nth(1).get_by_role("button", name="Merge into CIRCLE-00")).to_be_focused()
    assert Product.objects.filter(sku="STRIPES-11").exists()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing was lost")).to_be_visible()
    assert ProductRedirect.objects.get().old_sku == "STRIPES-11"


def test_without_scripts_every_pair_can_be_decided(plain_page: Page, site: str, staff, sign_in):
    add_pairs()
    sign_in(plain_page, staff)
    plain_page.goto("/duplicates/?kind=same_product")
    plain_page.get_by_role("button", name="Not a duplicate").click()
    expect(plain_page.locator(".duplicate-undo")).to_be_visible()
    expect(plain_page.locator("article.duplicate")).to_have_count(0)
