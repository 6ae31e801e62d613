"""What belongs to a person: saving, collections, history, recommendations and reports, by mouse, touch and keys."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from gallery.models import Collection, Report, User
from search.models import ProductView
from tests.browser.conftest import Complaints
from tests.browser.shop import photo
from tests.browser.test_accessibility import expect_no_violations

WIDTHS = (390, 820, 1440)
CIRCLE = "/products/CIRCLE-00/"


def saved(name: str = "") -> set[str]:
    """What is in a collection; without a name, where saving goes without a choice."""
    return set(Collection.objects.get(name=name).items.values_list("product__sku", flat=True))


def test_the_pages_in_chinese_and_for_somebody_who_has_nothing(page: Page, shopper: User, sign_in):
    User.objects.filter(pk=shopper.pk).update(keeps_history=None)
    sign_in(page, shopper)
    for address, words in (("/collections/", "Nothing is saved yet"), ("/history/", "May your searches be kept?")):
        page.goto(address)
        expect(page.get_by_text(words)).to_be_visible()
        expect_no_violations(page)
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect_no_violations(page)


@pytest.mark.parametrize("width", WIDTHS)
def test_saving_is_one_click(shopping: Page, width: int):
    shopping.set_viewport_size({"width": width, "height": 900})
    shopping.goto(CIRCLE)
    shopping.get_by_role("button", name="Save", exact=True).click()
    button = shopping.get_by_role("button", name="Saved: remove it from “Saved”")
    expect(button).to_be_visible()
    assert saved() == {"CIRCLE-00"}
    button.click()
    expect(shopping.get_by_role("button", name="Save", exact=True)).to_be_visible()
    assert saved() == set()


def test_choosing_a_collection_with_keys_alone(shopping: Page):
    shopping.goto(CIRCLE)
    shopping.get_by_role("button", name="Save", exact=True).focus()
    shopping.keyboard.press("Tab")
    shopping.keyboard.press("Enter")
    field = shopping.get_by_label("Name of a new collection")
    expect(field).to_be_visible()
    shopping.keyboard.press("Tab")
    expect(field).to_be_focused()
    shopping.keyboard.type("Summer")
    shopping.keyboard.press("Enter")
    choice = shopping.get_by_role("button", name="Summer", exact=True)
    expect(choice).to_have_attribute("aria-pressed", "true")
    assert saved("Summer") == {"CIRCLE-00"}
    expect(shopping.locator(".save.htmx-added")).to_have_count(0)  # before that its forms are plain forms
    choice.focus()
    shopping.keyboard.press("Space")
    expect(choice).to_have_attribute("aria-pressed", "false")
    expect(choice).to_be_focused()
    assert saved("Summer") == set()


def test_saving_from_a_menu_that_is_still_being_asked_for(shopping: Page, complaints: Complaints):
    complaints.expect(r"^htmx:(sendAbort|afterRequest)")  # htmx tells of a request that another takes the place of
    on_their_way: list[Route] = []
    shopping.goto(f"/search/?image={photo('CIRCLE-00').pk}")
    shopping.route("**/save/**", lambda route: on_their_way.append(route))
    card = shopping.locator(".found .tile").filter(has_text="Red circle").first
    card.hover()
    with shopping.expect_request("**/menu/"):
        card.get_by_role("button", name=re.compile("^More for")).click()
    menu = card.locator(".dropdown-menu")
    with shopping.expect_request(lambda request: request.method == "POST"):
        menu.get_by_role("button", name="Save", exact=True).click()
    expect(menu.locator(".save-item form")).to_have_class(re.compile("htmx-request"))
    asked, saving = on_their_way
    asked.fulfill(body="<p>As it was before</p>")
    saving.continue_()
    expect(menu.get_by_role("button", name="Saved: remove it")).to_be_visible()
    assert len(saved()) == 1


def test_a_slip_in_a_collection_is_undone(furnished: Page):
    furnished.goto("/collections/")
    furnished.get_by_role("link", name=re.compile("Round things")).click()
    furnished.get_by_role("button", name="Remove “Red circle”").first.click()
    undo = furnished.get_by_role("button", name="Undo: put “Red circle” back")
    expect(undo).to_be_focused()
    assert len(saved("Round things")) == 2
    undo.click()
    expect(undo).to_have_count(0)
    assert len(saved("Round things")) == 3
    furnished.get_by_text("Rename").first.click()
    furnished.get_by_label("Name of the collection").fill("Circles")
    furnished.keyboard.press("Enter")
    expect(furnished.get_by_role("heading", level=1)).to_have_text("Circles")
    furnished.get_by_role("button", name="Delete").click()
    furnished.get_by_role("button", name="Undo: restore “Circles”").click()
    expect(furnished.get_by_role("heading", level=1)).to_have_text("Circles")


def test_a_collection_becomes_a_search(furnished: Page):
    furnished.goto(f"/collections/{Collection.objects.get(name='Round things').pk}/")
    furnished.get_by_role("link", name="Search with these").click()
    furnished.wait_for_url(re.compile(r"/search/\?image="))
    expect(furnished.locator(".found .tile").first).to_be_visible()


def test_consent_is_given_and_taken_back(page: Page, shopper: User, sign_in):
    User.objects.filter(pk=shopper.pk).update(keeps_history=None)
    sign_in(page, shopper)
    page.goto("/history/")
    page.get_by_role("button", name="Keep my searches").click()
    expect(page.get_by_role("heading", name="Your searches are kept")).to_be_visible()
    page.goto(CIRCLE)
    page.wait_for_load_state("networkidle")
    assert ProductView.objects.get().user == shopper
    page.goto("/history/")
    page.get_by_text("Stop keeping").click()
    page.get_by_role("button", name="Stop and delete").click()
    expect(page.get_by_role("heading", name="Your searches are not kept")).to_be_visible()
    assert not ProductView.objects.exists()


def test_a_visitor_gets_recommendations_from_this_visit(page: Page):
    page.goto("/")
    expect(page.get_by_role("heading", name="Recommended for you")).to_have_count(0)
    page.goto(CIRCLE)
    page.wait_for_load_state("networkidle")
    page.goto("/")
    expect(page.get_by_role("heading", name="Because you looked at Red circle")).to_be_visible()
    expect(page.locator("[aria-labelledby=because] .tile-title").first).to_have_text("Red circle")
    assert not ProductView.objects.exists()


def test_nothing_jumps_when_recommendations_come(furnished: Page):
    furnished.add_init_script(
        "window.shifted = 0; new PerformanceObserver((list) => list.getEntries().forEach("
        "(entry) => (window.shifted += entry.value))).observe({ type: 'layout-shift', buffered: true });"
    )
    for width in (390, 1440):
        furnished.set_viewport_size({"width": width, "height": 900})
        furnished.goto("/")
        expect(furnished.get_by_role("heading", name="Recommended for you")).to_be_visible()
        furnished.wait_for_load_state("networkidle")
        assert furnished.evaluate("shifted") < 0.02


def test_a_photo_is_reported_without_scripts(plain_page: Page, site: str):
    plain_page.goto(site + CIRCLE)
    plain_page.get_by_role("link", name="Report a photo").click()
    plain_page.get_by_label("It is offensive").check()
    plain_page.get_by_label(re.compile("Anything that helps")).fill("Look at the corner.")
    plain_page.get_by_role("button", name="Send the report").click()
    expect(plain_page.get_by_text("Thank you. A moderator will look at the photo.")).to_be_visible()
    report = Report.objects.get()
    assert (report.reason, report.note, report.image.product.sku) == ("offensive", "Look at the corner.", "CIRCLE-00")
