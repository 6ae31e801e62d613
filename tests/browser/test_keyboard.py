"""Everything works without a mouse."""

import re
import time

from playwright.sync_api import Page, expect

FOCUSED = "document.activeElement"


def press_until(page: Page, condition: str, most: int = 60) -> None:
    """Press Tab until the focused element (``e``) meets a condition in JavaScript."""
    for _press in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(f"((e) => {condition})({FOCUSED})"):
            return
    raise AssertionError(f"{most} times Tab did not lead to {condition}")


def test_slash_goes_to_the_field(page: Page):
    page.goto("/search/?q=circle")
    page.keyboard.press("/")
    field = page.get_by_role("searchbox")
    expect(field).to_be_focused()
    page.keyboard.type("blue")  # what stood there was selected
    page.keyboard.press("/")  # and now it is a letter like any other
    expect(field).to_have_value("blue/")


def test_the_first_tab_offers_to_skip_to_the_content(page: Page):
    page.goto("/search/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_tabs_lead_from_the_filters_to_the_cards(page: Page):
    page.goto("/search/?q=circle")
    press_until(page, "e.matches('#filters .option')")
    press_until(page, "e.matches('.found .tile-link')")
    card = page.locator(".found .tile-link").first
    expect(card).to_be_focused()
    outline = page.evaluate(f"getComputedStyle({FOCUSED}).outlineStyle + getComputedStyle({FOCUSED}).boxShadow")
    assert outline != "nonenone", "the focus can be seen"
    page.keyboard.press("Tab")
    expect(page.locator(".found .similar").first).to_be_focused()
    expect(page.locator(".found .similar").first).to_have_css("opacity", "1")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("on paper")).to_be_visible()


def test_filters_are_operated_by_keys_and_keep_the_focus(page: Page):
    page.goto("/search/?q=circle")
    press_until(page, "e.matches('.option') && e.innerText.includes('Öst')")
    said = page.evaluate(f"{FOCUSED}.querySelector('.count').innerText")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("brand="))
    expect(page.locator("#found")).to_have_text(re.compile(rf"^\s*{said} product"))
    expect(page.locator("#filters .option").filter(has_text="Öst")).to_be_focused()
    page.keyboard.press("Enter")  # and back
    page.wait_for_url(re.compile(r"\?q=circle$"))


def test_a_removed_chip_hands_the_focus_on(page: Page):
    page.goto("/search/?q=circle&availability=in_stock")
    press_until(page, "e.matches('.chip') && e.innerText.includes('In stock')")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"\?q=circle$"))
    deadline = time.monotonic() + 5
    while page.evaluate(f"{FOCUSED} === document.body"):  # the page's policy forbids what wait_for_function does
        assert time.monotonic() < deadline, "nothing has the focus"


def test_the_menu_of_sorts_opens_and_closes_by_keys(page: Page):
    page.goto("/search/?q=circle")
    button = page.get_by_role("button", name=re.compile("Sort"))
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Lowest price first")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Lowest price first")).to_be_hidden()
    expect(button).to_be_focused()


def test_the_sheet_of_filters_keeps_the_focus_and_gives_it_back(page: Page):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/search/?q=circle")
    button = page.get_by_role("button", name="Filters")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_focused()
    for _press in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate(f"!!{FOCUSED}.closest('#filters') || {FOCUSED} === document.body")
    page.keyboard.press("Escape")
    expect(page.locator("#filters")).to_be_hidden()
    expect(button).to_be_focused()
