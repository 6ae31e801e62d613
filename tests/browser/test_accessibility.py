"""axe finds nothing: every page, in both languages, narrow and wide, light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.places import PLACES, go_to

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_OPTIONS = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}


def expect_no_violations(page: Page) -> None:
    found = Axe().run(page, options=_OPTIONS)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page(page: Page, site: str, language: str, place: str, request):
    page.context.add_cookies([{"name": "django_language", "value": language, "url": site}])
    go_to(place, page, request)
    expect(page.locator("html")).to_have_attribute("lang", language)
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            expect_no_violations(page)


def test_the_open_sheet_of_filters(page: Page):
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto("/search/?q=circle")
    page.get_by_role("button", name="Filters").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect_no_violations(page)


def test_the_open_menu_of_collections(furnished: Page):
    furnished.goto("/products/CIRCLE-00/")
    furnished.locator(".save-open").click()
    expect_no_violations(furnished)


def test_the_question_before_a_history_is_deleted(furnished: Page):
    furnished.goto("/history/")
    furnished.get_by_text("Stop keeping").click()
    expect(furnished.get_by_role("button", name="Stop and delete")).to_be_visible()
    expect_no_violations(furnished)


def test_open_menus(page: Page):
    page.goto("/search/?q=circle")
    for name in ("Appearance", "Sort: Best match first"):
        page.get_by_role("button", name=name).click()
        expect_no_violations(page)
        page.keyboard.press("Escape")
