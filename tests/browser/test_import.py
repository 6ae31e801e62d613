"""A staff member imports a catalogue: sees what it would do, starts it, gets a receipt; with scripts and without."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gallery.models import Image, Product
from tests.browser.imports import archive, do_jobs
from tests.browser.test_accessibility import expect_no_violations


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "spring.zip"
    path.write_bytes(archive())
    return path


def state_of(page: Page):
    return page.locator("#import > .state")


def test_from_a_file_to_its_receipt_and_the_corrected_rows(page: Page, staff, sign_in, file: Path):
    sign_in(page, staff)
    page.get_by_role("button", name="Account").click()
    page.get_by_role("link", name="Import and export").click()
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Check it").click()
    expect(state_of(page)).to_contain_text("Waiting for the worker")
    do_jobs()
    expect(state_of(page)).to_contain_text("Nothing has been imported yet")  # the page has asked by itself
    changed = page.get_by_role("listitem").filter(has_text="CIRCLE-00")
    expect(changed.locator("del", has_text="Red circle")).to_be_visible()
    expect(changed.locator("ins", has_text="The first circle of all")).to_be_visible()
    assert not Product.objects.filter(sku="NEW-1").exists()
    page.get_by_role("button", name="Import", exact=True).click()
    cancel = page.get_by_role("button", name="Cancel")
    cancel.focus()
    for _time in range(2):  # the page asks again by itself
        with page.expect_response(re.compile(r"/import/[0-9a-f-]+/$")):
            pass
    expect(cancel).to_be_focused()
    do_jobs()
    expect(state_of(page)).to_contain_text("Imported.")
    assert Image.objects.filter(product__sku="NEW-1").count() == 1
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all failing rows").click()
    rows = Path(download.value.path()).read_text(encoding="utf-8")
    corrected = file.with_name("corrected.csv")
    corrected.write_text(re.sub("a-photo[a-z-]*.jpg", "new.jpg", rows.replace("NEW 2", "NEW-2")), encoding="utf-8")
    page.get_by_label("Correct that file").set_input_files(corrected)
    page.get_by_role("button", name="Check the corrected rows").click()
    do_jobs()
    page.get_by_role("button", name="Import", exact=True).click()
    do_jobs()
    expect(state_of(page)).to_contain_text("Imported.")
    assert Product.objects.filter(sku__in=["NEW-2", "NEW-3"], images__source_name="new.jpg").count() == 2
    expect_no_violations(page)


def test_without_scripts_the_page_is_reloaded_by_hand(plain_page: Page, staff, sign_in, file: Path):
    page = plain_page
    sign_in(page, staff)
    page.goto("/import/")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Check it").click()
    do_jobs()
    page.reload()
    page.get_by_role("button", name="Import", exact=True).click()
    do_jobs()
    page.reload()
    expect(state_of(page)).to_contain_text("Imported.")
    assert Product.objects.filter(sku="NEW-1").exists()


def test_an_export_is_offered_when_it_is_ready(page: Page, staff, sign_in):
    sign_in(page, staff)
    page.goto("/import/")
    page.get_by_role("button", name="Table (CSV)").click()
    expect(page.get_by_role("heading", name="Export the catalogue")).to_be_visible()
    do_jobs()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the file").click()
    table = Path(download.value.path()).read_text(encoding="utf-8")
    assert table.startswith("sku,file,title,") and "CIRCLE-00,photos/CIRCLE-00/CIRCLE-00.jpg,Red circle" in table
