"""From a new account to a photo that waits, and what its contributor is told."""

import pytest
from django.core.cache import cache
from playwright.sync_api import FilePayload, Page, expect

from gallery.models import Image, Role, User
from tests.browser.shop import photo
from tests.gallery.files import of_format
from tests.pictures import jpeg

CUP = FilePayload(name="my-circle.jpg", mimeType="image/jpeg", buffer=of_format("jpeg"))
OTHER = FilePayload(name="brighter.jpg", mimeType="image/jpeg", buffer=jpeg("circle", "orange"))


@pytest.fixture(autouse=True)
def _unthrottled():
    cache.clear()


def test_from_a_new_account_to_a_photo_that_waits(page: Page, site: str):
    page.goto("/products/CIRCLE-00/")
    page.get_by_role("link", name="Add your photo").click()
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("Username").fill("mina")
    page.get_by_label("E-mail address").fill("mina@example.com")
    page.get_by_label("Password", exact=True).fill("seven grey herons")
    page.get_by_label("The same password again").fill("seven grey herons")
    page.locator("main").get_by_role("button", name="Make an account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Add your photo")
    assert User.objects.get(username="mina").roles == {Role.SHOPPER}

    page.get_by_label("Photos", exact=True).set_input_files([CUP])
    page.get_by_label("I took these photos").check()
    page.locator("main").get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Thank you")).to_be_visible()
    entry = page.get_by_role("listitem").filter(has_text="my-circle.jpg")
    expect(entry).to_contain_text("Waiting for approval")

    # A moderator asks, in words that its contributor reads and answers.
    image = Image.objects.get(uploader__username="mina")
    image.ask_for_changes(None, "Is that the same sticker?")
    page.reload()
    expect(entry).to_contain_text("Changes requested")
    entry.get_by_role("link", name="my-circle.jpg").click()
    expect(page.get_by_text("Is that the same sticker?")).to_be_visible()
    page.get_by_label("Your answer").fill("It is, in evening light.")
    page.get_by_role("button", name="Send the answer").click()
    expect(page.get_by_text("The photo waits for them again")).to_be_visible()
    image.refresh_from_db()
    assert (image.status, image.reply) == (Image.Status.PENDING, "It is, in evening light.")


def test_an_approved_photo_is_replaced_and_withdrawn(page: Page, shopping: Page, shopper: User):
    image = photo("CIRCLE-00")
    Image.objects.filter(pk=image.pk).update(uploader=shopper)
    page.goto(f"/uploads/{image.pk}/")
    page.get_by_label("File", exact=True).set_input_files([OTHER])
    page.get_by_role("button", name="Replace the file").click()
    expect(page.get_by_text("stays as it is until then")).to_be_visible()
    page.get_by_role("link", name="The older photo").click()
    expect(page.get_by_text("A newer file waits for approval")).to_be_visible()
    page.get_by_text("Withdraw the photo").click()
    page.get_by_role("button", name="Withdraw", exact=True).click()
    expect(page.get_by_text("The photo is withdrawn")).to_be_visible()
    assert set(Image.objects.filter(uploader=shopper).values_list("status", flat=True)) == {Image.Status.WITHDRAWN}


def test_a_wrong_file_is_told_on_the_page(shopping: Page, complaints):
    complaints.expect_status(422)
    page = shopping
    page.goto("/products/CIRCLE-00/add-photo/")
    broken = FilePayload(name="notes.jpg", mimeType="image/jpeg", buffer=b"no picture")
    page.get_by_label("Photos", exact=True).set_input_files([CUP, broken])
    page.get_by_label("I took these photos").check()
    page.locator("main").get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("listitem").filter(has_text="notes.jpg")).to_contain_text("not a picture")
    expect(page.get_by_role("listitem").filter(has_text="my-circle.jpg")).to_contain_text("Uploaded")
