"""Files in view: a photo whose original has gone, what files take, and a copy that somebody exports."""

import pytest
from playwright.sync_api import Page, expect

from gallery.models import Product, Rendition
from tests.browser.test_accessibility import expect_no_violations
from tests.catalogue import add_product


@pytest.fixture
def lost(site: str, complaints) -> Product:
    """A product that has lost the original of its only photo."""
    product = add_product("LOST", "triangle", "teal", title="Lost triangle")
    original = product.images.get().original
    original.storage.delete(original.name)
    complaints.expect_status(404)
    return product


def expect_tile(picture) -> None:
    """The tile is shown as a picture, and not as the browser's mark for a broken one."""
    expect(picture).to_be_visible()
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("(image) => image.naturalWidth") > 0


def test_pages_show_a_tile_for_a_missing_photo(page: Page, lost):
    page.goto(lost.get_absolute_url())
    expect(page.get_by_role("heading", name="Lost triangle")).to_be_visible()
    expect_tile(page.locator(".photos img"))


def test_staff_see_what_is_missing_and_what_files_take(page: Page, staff, sign_in, lost):
    page.goto(lost.get_absolute_url())  # whoever asks for the file first finds out
    expect_tile(page.locator(".photos img"))
    sign_in(page, staff)
    page.goto("/index/")
    expect_tile(page.locator("#missing img"))
    expect(page.get_by_text("The original of 1 photo is missing.")).to_be_visible()
    for width in (390, 820, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            expect_no_violations(page)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width


def test_a_copy_is_chosen_measured_and_downloaded(page: Page, staff, sign_in):
    sign_in(page, staff)
    page.goto("/products/CIRCLE-00/")
    page.get_by_role("link", name="Export a copy").click()
    page.get_by_label("Format").select_option("avif")
    page.get_by_label("Quality").select_option("60")
    page.get_by_label("Width in pixels").select_option("320")
    page.get_by_role("button", name="Make the copy").click()
    expect(page.get_by_role("heading", name="AVIF")).to_be_visible()
    made = Rendition.objects.get(format="avif")
    expect(page.get_by_text(f"{made.ssim:.4f}")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    assert downloading.value.suggested_filename == "CIRCLE-00-320.avif"
    assert len(downloading.value.path().read_bytes()) == made.bytes
