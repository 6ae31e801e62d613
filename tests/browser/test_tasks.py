"""Eight tasks, done from the home page as a new user would, on a phone and at a desk, with every click counted."""

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from search.models import QueryPhoto

pytestmark = pytest.mark.demo

WIDTHS = {"phone": (390, 844), "desk": (1440, 900)}


class Visitor:
    """Somebody who clicks, and knows how often."""

    def __init__(self, page: Page, width: str):
        self.page = page
        self.clicks = 0
        size = WIDTHS[width]
        page.set_viewport_size({"width": size[0], "height": size[1]})
        self.on_phone = width == "phone"

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def search_by_sample(self, name: str) -> None:
        self.page.goto("/")
        self.clicks = 0
        self.click(self.page.get_by_role("link", name=name))
        self.page.wait_for_url(re.compile(r"/search/\?photo="))

    def open_filters(self) -> None:
        """On a phone the filters are on a sheet, which costs a click."""
        if self.on_phone:
            self.click(self.page.get_by_role("button", name="Filters", exact=True))

    def close_filters(self) -> None:
        if self.on_phone:
            self.click(self.page.get_by_role("button", name=re.compile(r"^Show \d+\+? products?$")))


@pytest.fixture(params=WIDTHS)
def visitor(request, page: Page) -> Visitor:
    return Visitor(page, request.param)


def titles(page: Page) -> list[str]:
    return page.locator(".found > .band .tile-title").all_inner_texts()


def prices(page: Page) -> list[float]:
    facts = page.locator(".found > .band .tile-facts").all_inner_texts()
    return [float(match.group(1)) for text in facts if (match := re.search(r"(\d+\.\d\d) EUR", text))]


def test_find_the_product_of_a_sample(visitor: Visitor):
    visitor.search_by_sample("Taxi")
    assert titles(visitor.page)[0] == "Taxi"
    assert visitor.clicks == 1


def test_search_for_one_thing_on_the_desk(visitor: Visitor):
    visitor.search_by_sample("A desk with three stickers")
    visitor.click(visitor.page.get_by_role("button", name=re.compile("Search for part")).locator("visible=true").first)
    visitor.page.wait_for_url(re.compile(r"photo=[0-9a-f-]{36}(@|%40)\d+"))
    assert titles(visitor.page)[0] in ("Taxi", "Green apple", "Tulip")
    assert visitor.clicks <= 2


def test_the_same_but_yellow(visitor: Visitor):
    visitor.search_by_sample("Red apple")
    visitor.open_filters()
    visitor.click(visitor.page.locator("#option-color-yellow"))
    visitor.close_filters()
    expect(visitor.page.locator(".chip").filter(has_text="Yellow")).to_be_visible()
    expect(visitor.page.get_by_role("img", name="Your photo")).to_be_visible()
    assert titles(visitor.page)
    assert visitor.clicks == (4 if visitor.on_phone else 2)


def test_only_under_five_euros(visitor: Visitor):
    visitor.search_by_sample("Lemon")
    visitor.open_filters()
    visitor.page.get_by_label("To", exact=True).fill("5")
    visitor.click(visitor.page.get_by_role("button", name="Apply"))
    visitor.page.wait_for_url(re.compile(r"price_max=5"))
    visitor.close_filters()
    found = prices(visitor.page)
    assert found
    assert max(found) <= 5
    assert visitor.clicks == (4 if visitor.on_phone else 2)


def test_undo_one_filter(visitor: Visitor):
    visitor.search_by_sample("Red apple")
    before = titles(visitor.page)
    visitor.page.goto(visitor.page.url + "&color=yellow&price_max=9")
    visitor.clicks = 0
    visitor.click(visitor.page.locator(".chip").filter(has_text="Yellow"))
    visitor.page.wait_for_url(re.compile(r"photo=[^&]+&price_max=9$"))
    visitor.click(visitor.page.locator(".chip").filter(has_text="9.00"))
    visitor.page.wait_for_url(re.compile(r"photo=[^&]+$"))
    assert titles(visitor.page)[: len(before)] == before
    assert visitor.clicks == 2


def test_return_from_a_product_to_the_same_place(visitor: Visitor):
    visitor.search_by_sample("Taxi")
    tile = visitor.page.locator(".found > .band .tile").last
    tile.scroll_into_view_if_needed()
    title = tile.locator(".tile-title").inner_text()
    visitor.click(tile.locator(".tile-link"))
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(title)
    visitor.click(visitor.page.get_by_role("link", name="Back to results"))
    visitor.page.wait_for_url(re.compile(r"/search/\?photo="))
    expect(visitor.page.locator(".found > .band .tile").last).to_be_in_viewport()
    assert visitor.clicks == 3


def test_share_with_the_photo(visitor: Visitor, context: BrowserContext, site: str, new_context, complaints):
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
    visitor.search_by_sample("Blue book")
    shown = titles(visitor.page)
    visitor.click(visitor.page.locator("#share summary"))
    visitor.click(visitor.page.get_by_role("button", name="Include my photo"))
    expect(visitor.page.get_by_text("The address is copied.").first).to_be_visible()
    address = visitor.page.evaluate("navigator.clipboard.readText()")
    assert visitor.clicks == 3
    friend = new_context().new_page()
    complaints.listen(friend.context)
    friend.goto(address)
    expect(friend.get_by_role("img", name="The photo that was shared with you")).to_be_visible()
    assert titles(friend)[: len(shown)] == shown


def test_delete_my_photo(visitor: Visitor, complaints):
    complaints.expect_forgotten()
    visitor.search_by_sample("Tulip")
    visitor.click(visitor.page.get_by_role("button", name="Forget this photo"))
    visitor.page.wait_for_url(re.compile(r"/$"))
    assert visitor.clicks == 2
    assert not QueryPhoto.objects.exists()
