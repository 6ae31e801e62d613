"""Staff work on products: rows edited by keys alone, many at once and back again, photos put together."""

import re

import pytest
from playwright.sync_api import FilePayload, Page, expect

from gallery import jobs
from gallery.models import BulkEdit, Product
from tests.browser.files import drop
from tests.browser.test_accessibility import expect_no_violations
from tests.pictures import jpeg


@pytest.fixture
def desk(page: Page, staff, sign_in) -> Page:
    sign_in(page, staff)
    return page


def row(page: Page, words: str):
    return page.locator("tbody [data-row]").filter(has_text=words)


def test_a_row_is_edited_by_keys_alone(desk: Page, complaints):
    complaints.expect_status(422)
    desk.get_by_role("button", name="Account").click()
    desk.get_by_role("link", name="Products").click()
    desk.goto("/products/?q=circle&sort=sku")
    desk.keyboard.press("j")
    desk.keyboard.press("j")
    expect(row(desk, "CIRCLE-01").get_by_role("link", name="Red circle", exact=True)).to_be_focused()
    desk.keyboard.press("e")
    form = desk.get_by_role("form", name="Edit Red circle")
    expect(form.get_by_label("Title")).to_be_focused()
    expect_no_violations(desk)
    desk.keyboard.press("Escape")
    expect(form).to_have_count(0)
    expect(row(desk, "CIRCLE-01").get_by_role("link", name="Edit Red circle")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(form.get_by_label("Title")).to_be_focused()
    desk.keyboard.type("Crimson circle")  # over what is selected
    desk.keyboard.press("Tab")
    desk.keyboard.type("cheap")
    desk.keyboard.press("Enter")
    expect(form.get_by_text("Enter a number.")).to_be_visible()
    expect(form.get_by_label("Price")).to_be_focused()
    desk.keyboard.type("7.25")
    desk.keyboard.press("Enter")
    expect(row(desk, "CIRCLE-01")).to_contain_text("7.25 EUR")
    expect(row(desk, "CIRCLE-01").get_by_role("link", name="Edit Crimson circle")).to_be_focused()
    product = Product.objects.get(sku="CIRCLE-01")
    assert (product.title, str(product.price)) == ("Crimson circle", "7.25")


def test_what_somebody_else_saved_meanwhile_is_told(desk: Page, complaints):
    complaints.expect_status(409)
    desk.goto("/products/?q=CIRCLE-00")
    row(desk, "CIRCLE-00").get_by_role("link", name="Edit").click()
    desk.get_by_label("Title", exact=True).fill("Mine")
    Product.objects.get(sku="CIRCLE-00").hide()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("alert")).to_contain_text("changed this product after you had opened it")
    expect(desk.get_by_role("alert")).to_contain_text("Published now")
    expect_no_violations(desk)
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(row(desk, "CIRCLE-00")).to_contain_text("Mine")


def test_many_are_changed_and_given_back_what_they_had(desk: Page, complaints):
    complaints.expect("htmx:")  # what the page asks for as it is left is aborted
    desk.goto("/products/?q=circle&sort=sku")
    desk.keyboard.press("j")
    desk.keyboard.press("x")
    desk.keyboard.press("j")
    desk.keyboard.press("x")
    expect(desk.get_by_text("Chosen: 2")).to_be_visible()
    desk.get_by_role("button", name="Edit chosen").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Edit 2 products")
    expect(desk.get_by_label("Percent, amount or price")).to_be_hidden()
    desk.get_by_label("What to do").select_option("Change the price")
    plan, job = desk.locator("#plan"), desk.locator("#bulk-edit")
    expect(plan).to_contain_text("Write a number.")
    expect(desk.locator("#announcer")).to_contain_text("Write a number.")
    desk.get_by_label("Percent, amount or price").fill("10")
    desk.get_by_label("Percent, amount or price").press("Enter")
    expect(plan.get_by_role("row").nth(1)).to_contain_text(re.compile(r"CIRCLE-00.*5\.50 EUR.*6\.05 EUR", re.DOTALL))
    plan.get_by_role("button", name="Change 2 products").click()
    expect(job.get_by_text("Waiting for the worker")).to_be_visible()
    edit = BulkEdit.objects.get()
    jobs.run(str(edit.job_id))
    expect(job.get_by_text("2 products are changed.")).to_be_visible()  # the page has asked by itself
    assert str(Product.objects.get(sku="CIRCLE-01").price) == "7.15"
    expect_no_violations(desk)
    desk.get_by_role("button", name="Undo for 2 products").click()
    expect(job.get_by_text("Waiting for the worker")).to_be_visible()
    edit.refresh_from_db()
    jobs.run(str(edit.undo_job_id))
    expect(job.get_by_text("2 products are as before.")).to_be_visible()
    assert str(Product.objects.get(sku="CIRCLE-01").price) == "6.50"


def test_filters_are_kept_as_a_tab(desk: Page):
    desk.goto("/products/")
    desk.get_by_label("Availability").select_option("Out of stock")
    expect(desk.locator(".product-found").get_by_text("4 products", exact=True)).to_be_visible()
    expect(desk.locator("#announcer")).to_have_text("4 products")
    desk.get_by_text("Save this view").click()
    desk.get_by_label("Name").fill("Sold out")
    desk.get_by_role("button", name="Save", exact=True).click()
    tab = desk.get_by_role("navigation", name="Views").get_by_role("link", name="Sold out")
    expect(tab).to_have_attribute("aria-current", "page")


def test_photos_are_put_together_before_they_are_sent(desk: Page):
    desk.goto("/upload/")
    names = {"DRESS_1.jpg": ("circle", "red"), "DRESS_2.jpg": ("stripes", "black"), "HAT.jpg": ("square", "blue")}
    drop(desk, *(FilePayload(name=n, mimeType="image/jpeg", buffer=jpeg(*look)) for n, look in names.items()))
    expect(desk.get_by_text("One product: DRESS (2 photos)")).to_be_visible()
    expect_no_violations(desk)
    desk.get_by_label("Product of HAT.jpg").select_option("DRESS")
    expect(desk.get_by_text("One product: DRESS (3 photos)")).to_be_visible()
    desk.get_by_label("Product of DRESS_1.jpg").select_option("A product of its own")
    expect(desk.get_by_text("One product: DRESS (2 photos)")).to_be_visible()
    desk.get_by_role("button", name="Upload all (3)").click()
    expect(desk.get_by_text("Uploaded: 3. Failed: 0.")).to_be_visible()
    photos = {product.sku: product.images.count() for product in Product.objects.filter(published=False)}
    assert photos == {"dress": 2, "dress_1": 1}
    assert Product.objects.get(sku="dress").images.order_by("position")[0].source_name == "DRESS_2.jpg"
