"""Signing in, and the page where staff upload photos."""

import re

import pytest
from playwright.sync_api import FilePayload, Page, expect

from gallery.models import Product
from search.indexing.loop import IndexLoop
from tests.browser.files import BROKEN, TEXT, drop
from tests.browser.shop import FIRST_PHOTO
from tests.gallery.files import of_format

CUP = FilePayload(name="teal-cup.jpg", mimeType="image/jpeg", buffer=of_format("jpeg"))
BOWL = FilePayload(name="Blue bowl.png", mimeType="image/png", buffer=of_format("png"))


@pytest.fixture
def upload_page(page: Page, staff, sign_in) -> Page:
    sign_in(page, staff)
    page.get_by_role("button", name="Account").click()
    page.get_by_role("link", name="Upload photos").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Upload photos")
    return page


def row(page: Page, name: str):
    return page.get_by_role("list", name="Files").get_by_role("listitem").filter(has_text=name)


def test_a_wrong_password_is_told_and_the_right_one_leads_on(page: Page, staff):
    page.goto("/upload/")
    page.wait_for_url(re.compile(r"/accounts/login/\?next=/upload/"))
    page.get_by_label("Username").fill("staff")
    page.get_by_label("Password").fill("wrong")
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("do not go together")).to_be_visible()
    page.get_by_label("Password").fill("a password long enough")
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/upload/$"))


def test_signing_out(page: Page, staff, sign_in):
    sign_in(page, staff)
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_files_are_uploaded_with_a_reason_for_each_that_is_not(upload_page: Page, complaints):
    complaints.expect_status(400)
    page = upload_page
    drop(page, CUP, BOWL, FilePayload(name="notes.jpg", mimeType="image/jpeg", buffer=TEXT["buffer"]))
    page.get_by_label("Category").fill("Kitchen/Bowls")
    page.get_by_label("Brand").fill("Öst")
    page.get_by_label("Price").fill("12.50")
    page.get_by_label("Publish at once").check()
    page.get_by_role("button", name="Upload all (3)").click()
    expect(page.get_by_text("Uploaded: 2. Failed: 1.")).to_be_visible()
    expect(row(page, "teal-cup.jpg")).to_contain_text("Uploaded.")
    expect(row(page, "Blue bowl.png")).to_contain_text("Uploaded.")
    expect(row(page, "notes.jpg")).to_contain_text("not a picture")
    expect(row(page, "notes.jpg").get_by_role("link", name="Open product")).to_be_hidden()
    for product in Product.objects.filter(category__name="Bowls"):
        assert (product.brand.name, str(product.price), product.published) == ("Öst", "12.50", True)
    assert Product.objects.filter(category__name="Bowls").count() == 2
    row(page, "Blue bowl.png").get_by_role("link", name="Open product").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Blue bowl")
    IndexLoop().run_until_idle()
    page.goto("/search/?q=kitchen")
    expect(page.locator(".found .tile")).to_have_count(2)


def test_a_file_that_failed_can_be_retried(upload_page: Page, complaints):
    complaints.expect_status(503)
    page = upload_page
    page.route("**/upload/", lambda route: route.fulfill(status=503, body="Gateway"))
    drop(page, CUP)
    page.get_by_role("button", name="Upload all (1)").click()
    expect(row(page, "teal-cup.jpg")).to_contain_text("Retry, or tell whoever runs this site.")
    page.unroute("**/upload/")
    page.get_by_role("button", name="Retry what failed").click()
    expect(page.get_by_text("Uploaded: 1. Failed: 0.")).to_be_visible()


def test_a_damaged_file_names_its_reason(upload_page: Page, complaints):
    complaints.expect_status(400)
    page = upload_page
    drop(page, BROKEN)
    page.get_by_role("button", name="Upload all (1)").click()
    expect(row(page, "cut.jpg")).to_contain_text(re.compile("cut.jpg.+", re.DOTALL))
    expect(page.get_by_text("Uploaded: 0. Failed: 1.")).to_be_visible()
    assert not Product.objects.filter(sku__startswith="cut").exists()


def test_something_else_than_a_picture_is_told_before_it_travels(upload_page: Page):
    page = upload_page
    drop(page, TEXT)
    expect(page.locator("#alerts")).to_contain_text("Only pictures can be uploaded")
    expect(page.get_by_role("list", name="Files").get_by_role("listitem")).to_have_count(0)


def test_the_same_photo_twice_is_said(upload_page: Page):
    page = upload_page
    drop(page, FilePayload(name="again.jpg", mimeType="image/jpeg", buffer=FIRST_PHOTO))
    page.get_by_role("button", name="Upload all (1)").click()
    expect(row(page, "again.jpg")).to_contain_text("already in the catalogue: CIRCLE-00")


def test_files_are_chosen_and_taken_off_the_list(upload_page: Page):
    page = upload_page
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files([CUP, BOWL])
    expect(page.get_by_role("button", name="Upload all (2)")).to_be_enabled()
    page.get_by_role("button", name="Remove teal-cup.jpg").click()
    expect(row(page, "teal-cup.jpg")).to_have_count(0)
    expect(page.get_by_role("button", name="Upload all (1)")).to_be_enabled()
