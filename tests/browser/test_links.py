"""Searching with a link to a picture: typed into the field, or pasted anywhere else."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from playwright.sync_api import Page, expect

from search.models import QueryPhoto
from tests.browser.shop import FIRST_PHOTO
from tests.internet import PUBLIC, gives, internet, serving

PHOTO_URL = re.compile(r"/search/\?photo=[0-9a-f-]{36}$")
PICTURE = "http://photos.example/circle.jpg"


@pytest.fixture
def asked() -> threading.Event:
    """Set once ``/slow.jpg`` was asked for."""
    return threading.Event()


@pytest.fixture(autouse=True)
def _photos_example(site: str, monkeypatch, asked: threading.Event) -> Iterator[None]:
    answered = threading.Event()

    def waits(request: BaseHTTPRequestHandler) -> None:
        asked.set()
        answered.wait(30)
        gives(FIRST_PHOTO)(request)

    routes = {"/circle.jpg": gives(FIRST_PHOTO), "/page": gives(b"<!doctype html>", "text/html"), "/slow.jpg": waits}
    with internet(monkeypatch.setattr) as net, serving(net, PUBLIC, routes):
        net.names["photos.example"] = [[PUBLIC]]
        yield
        answered.set()


def submit(page: Page, text: str) -> None:
    page.get_by_role("searchbox").fill(text)
    page.keyboard.press("Enter")


def paste_text(page: Page, text: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    page.keyboard.press("Control+V")


def expect_results(page: Page) -> None:
    expect(page.get_by_role("img", name="Your photo")).to_be_visible()
    expect(page.locator(".band .tile").first).to_contain_text("Red circle")


def test_a_link_in_the_field_is_searched_with(page: Page):
    page.goto("/")
    submit(page, f" {PICTURE}")
    expect(page).to_have_url(PHOTO_URL)
    expect_results(page)


def test_a_link_pasted_outside_of_the_field_is_searched_with(page: Page):
    page.goto("/search/?q=circle&availability=in_stock")
    paste_text(page, PICTURE)
    expect_results(page)
    assert "q=circle" in page.url
    assert "availability=in_stock" in page.url


def test_a_link_pasted_into_the_field_waits_for_enter(page: Page):
    long = f"{PICTURE}?{'x' * 500}"
    page.goto("/search/?q=circle&availability=in_stock")
    page.get_by_role("searchbox").click()
    page.keyboard.press("Control+A")
    paste_text(page, long)
    expect(page.get_by_role("searchbox")).to_have_value(long)
    page.keyboard.press("Enter")
    expect_results(page)
    assert "q=" not in page.url  # the link stood where the words had stood
    assert "availability=in_stock" in page.url


def test_other_words_are_still_words(page: Page):
    page.goto("/")
    submit(page, "photos.example/circle.jpg")
    expect(page).to_have_url(re.compile(r"/search/\?q=photos"))
    page.goto("/")
    paste_text(page, "red circle")
    expect(page).to_have_url(re.compile(r"/$"))


def test_fetching_can_be_cancelled(page: Page, asked: threading.Event):
    page.goto("/")
    submit(page, "http://photos.example/slow.jpg")
    expect(page.get_by_role("status").filter(has_text="Fetching the picture…")).to_be_visible()
    assert asked.wait(10)
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#drop")).to_be_hidden()
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page).to_have_url(re.compile(r"/$"))


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("http://photos.example/page", "That link leads to a web page."),
        ("http://127.0.0.1/", "not on the public internet"),
        ("http://169.254.169.254/latest/meta-data/", "not on the public internet"),
    ],
)
def test_the_servers_sentence_is_told_and_the_page_stays(page: Page, complaints, link: str, sentence: str):
    complaints.expect_status(400)
    page.goto("/search/?q=circle")
    submit(page, link)
    expect(page.locator("#alerts")).to_contain_text(sentence)
    expect(page.locator("#drop")).to_be_hidden()
    expect(page.get_by_role("searchbox")).to_have_value(link)
    expect(page).to_have_url(re.compile(r"q=circle$"))
    assert not QueryPhoto.objects.exists()


def test_a_page_that_takes_files_itself_is_not_left(page: Page, staff, sign_in):
    sign_in(page, staff)
    page.goto("/upload/")
    paste_text(page, PICTURE)
    expect(page).to_have_url(re.compile(r"/upload/$"))
    expect(page.locator("#drop")).to_be_hidden()


def test_links_that_are_turned_off_are_words(page: Page, settings):
    settings.LINK_SEARCH = False
    page.goto("/")
    submit(page, PICTURE)
    expect(page).to_have_url(re.compile(r"/search/\?q=http"))
