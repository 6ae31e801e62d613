"""Staff judge results from a card's menu, by the keyboard, and start measuring; with scripts and without."""

from playwright.sync_api import Page, expect

from gallery import jobs
from gallery.models import Job
from search.models import Judgement, QualityRun
from search.quality import robustness


def test_a_result_is_judged_and_taken_back_by_the_keyboard_and_judged_by_the_mouse(page: Page, staff, sign_in):
    sign_in(page, staff)
    page.goto("/search/?q=circle")
    tile = page.locator(".tile").first
    tile.locator(".tile-menu-open").focus()
    page.keyboard.press("Enter")
    good = tile.get_by_role("button", name="Good")
    expect(good).to_have_attribute("aria-pressed", "false")
    good.focus()
    page.keyboard.press("Enter")
    expect(good).to_have_attribute("aria-pressed", "true")
    expect(good).to_be_focused()
    assert Judgement.objects.get().good
    page.keyboard.press("Enter")
    expect(good).to_have_attribute("aria-pressed", "false")
    assert not Judgement.objects.exists()
    assert page.url.endswith("/search/?q=circle"), "the address is the search's"
    tile.get_by_role("button", name="Bad").click()
    expect(tile.get_by_role("button", name="Bad")).to_have_attribute("aria-pressed", "true")
    assert not Judgement.objects.get().good


def test_a_result_is_judged_without_scripts(plain_page: Page, staff, sign_in):
    sign_in(plain_page, staff)
    plain_page.goto("/search/?q=circle")
    tile = plain_page.locator(".tile").first
    tile.locator(".tile-menu-open").focus()
    tile.get_by_role("button", name="Bad").click()
    expect(plain_page.get_by_text("is a bad result here.")).to_be_visible()
    assert not Judgement.objects.get().good


def test_measuring_from_the_menu_to_the_figures(page: Page, staff, sign_in, monkeypatch):
    monkeypatch.setattr(robustness, "MOST_PHOTOS", 3)
    sign_in(page, staff)
    page.get_by_role("button", name="Account").click()
    page.get_by_role("link", name="Search quality").click()
    page.get_by_role("button", name="Measure now").click()
    expect(page.get_by_text("Waiting for the worker")).to_be_visible()
    jobs.run(str(Job.objects.get().pk))
    # The page has asked by itself.
    expect(page.get_by_role("rowheader", name="Right among the first ten (P@10)")).to_be_visible()
    expect(page.locator(".quality-chart svg:visible")).to_have_count(2)  # the drawing and its legend
    assert QualityRun.objects.count() == 1
    figure = "Right among the first twenty, or as many as there are (P@20)"
    page.get_by_label("Figure", exact=True).select_option(label=figure)
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".quality-points caption")).to_have_text(figure)
