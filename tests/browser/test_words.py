"""Words are read for what they look like: the page says how, the colour becomes a filter, text is a click away."""

from playwright.sync_api import Page, expect

from tests.browser.places import learn_words
from tests.browser.test_results import total


def test_words_are_read_as_a_colour_and_a_look(page: Page, settings):
    learn_words(settings)
    page.goto("/")
    page.locator("main [name=q]").fill("red circle")
    page.keyboard.press("Enter")
    reading = page.locator("#reading")
    expect(reading).to_contain_text("Matched by look: circle.")
    expect(page.locator("#filters").get_by_role("link", name="Red")).to_have_attribute("aria-current", "true")
    expect(page.locator(".query-words")).to_contain_text("Red")
    found = total(page)
    reading.get_by_role("link", name="Search by text only").click()
    expect(reading).to_have_count(0)
    assert 0 < total(page) <= found
    page.go_back()
    expect(reading).to_be_visible()


def test_it_says_which_words_are_text_and_which_are_not_known(page: Page, settings):
    learn_words(settings)
    page.goto("/search/?q=velluto+circle")
    expect(page.locator("#reading")).to_contain_text("Matched by look: circle. By text: “velluto”.")
    page.goto("/search/?q=blorptastic")
    expect(page.locator(".found")).to_contain_text("it is not known what that looks like")
