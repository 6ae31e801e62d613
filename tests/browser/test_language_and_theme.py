"""The language switch, words in Chinese, and the light and dark of the pages."""

import re

from playwright.sync_api import Page, expect

DARK_GROUND = "rgb(21, 20, 18)"
LIGHT_GROUND = "rgb(245, 243, 239)"


def expect_ground(page: Page, color: str) -> None:
    expect(page.locator("body")).to_have_css("background-color", color)


def choose_theme(page: Page, name: str) -> None:
    page.get_by_role("button", name="Appearance").click()
    page.get_by_role("button", name=name).click()


def test_the_page_changes_its_language_and_stays(page: Page):
    page.goto("/search/?q=circle")
    before = page.locator(".found .tile").count()
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page).to_have_url(re.compile(r"/search/\?q=circle$"))
    expect(page.locator(".found .tile")).to_have_count(before)
    expect(page.locator(".found .tile-title").first).to_contain_text("圆形")
    expect(page.locator("#filters .option").filter(has_text="圆的")).to_be_visible()
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Find products by photo or words")


def test_nothing_is_left_in_english(page: Page):
    page.goto("/")
    page.get_by_role("button", name="中文").click()
    for address in ("/", "/search/", "/search/?q=zeppelin", "/accounts/login/", "/products/CIRCLE-00/"):
        page.goto(address)
        words = page.locator("main").inner_text() + " ".join(
            page.locator("[aria-label]").evaluate_all("(all) => all.map((one) => one.getAttribute('aria-label'))")
        )
        for english in ("products", "Similar", "Filters", "Price", "Sort", "Show", "Search", "Sign in", "Newest"):
            assert english not in words, (address, english)


def test_chinese_words_find_products(page: Page):
    page.goto("/")
    page.get_by_role("searchbox").fill("三角形")
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_have_text(re.compile("8 products"))
    for title in page.locator(".found .tile-title").all_inner_texts():
        assert "triangle" in title


def test_a_chosen_theme_stays(page: Page):
    page.emulate_media(color_scheme="light")
    page.goto("/")
    expect_ground(page, LIGHT_GROUND)
    choose_theme(page, "Dark")
    expect_ground(page, DARK_GROUND)
    page.goto("/search/")
    expect_ground(page, DARK_GROUND)
    page.reload()
    expect_ground(page, DARK_GROUND)
    choose_theme(page, "As the device")
    expect_ground(page, LIGHT_GROUND)
    page.reload()
    expect_ground(page, LIGHT_GROUND)


def test_the_device_decides_until_a_theme_is_chosen(page: Page):
    page.emulate_media(color_scheme="dark")
    page.goto("/")
    expect_ground(page, DARK_GROUND)
    choose_theme(page, "Light")
    expect_ground(page, LIGHT_GROUND)
