"""A real browser before a real server: pages that may not complain, and a shop of drawn products."""

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache as cache_once
from pathlib import Path
from threading import Condition

import pytest
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import connection
from playwright.sync_api import BrowserContext, ConsoleMessage, Page

from gallery.models import Collection, Image, Report, Role, User
from search.engines import get_engine
from search.indexing.loop import IndexLoop
from search.models import Generation, ProductView, SearchRecord
from search.people.history import digest_of
from tests.browser.chromium import launch_options, require_built_files
from tests.browser.demo import add_demo
from tests.browser.shop import add_shop, photo
from tests.catalogue import add_photo, add_product

# Playwright's event loop lives in the thread of the tests, so Django would refuse all use of the database there. The
# loop stands still while a test's own lines run: nothing is concurrent.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

PASSWORD = "a password long enough"

# A violation of the policy is not always logged by the browser; it is always told to the page.
_TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`Content-Security-Policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    require_built_files()
    return launch_options()


@pytest.fixture(scope="session")
def base_url(live_server) -> str:
    """Addresses in tests are relative to this."""
    return live_server.url


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict) -> dict:
    """Without motion nothing has to be waited for but what counts."""
    return browser_context_args | {
        "viewport": {"width": 1440, "height": 900},
        "locale": "en-GB",
        "reduced_motion": "reduce",
    }


class Complaints:
    """What pages wrote to the console as errors. A test fails for what it did not expect."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.expected: list[str] = []

    def listen(self, context: BrowserContext) -> None:
        context.add_init_script(_TELL_VIOLATIONS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.seen.append(str(error.error)))

    def expect(self, pattern: str) -> None:
        """The test provokes this one."""
        self.expected.append(pattern)

    def expect_status(self, status: int) -> None:
        """The browser reports every answer of 400 and above."""
        self.expect(rf"responded with a status of {status} ")

    def expect_forgotten(self) -> None:
        """The test forgets a photo, perhaps while its parts are still sought."""
        self.expect(r"responded with a status of 404 .*/regions/")

    def unexpected(self) -> list[str]:
        return [text for text in self.seen if not any(re.search(pattern, text) for pattern in self.expected)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.seen.append(f"{message.text} ({message.location.get('url', '')})")


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    complaints = Complaints()
    yield complaints
    assert complaints.unexpected() == []


@pytest.fixture
def context(complaints: Complaints, site: str, context: BrowserContext) -> BrowserContext:
    complaints.listen(context)
    context.set_default_timeout(10_000)
    return context


@pytest.fixture
def plain_page(complaints: Complaints, site: str, new_context: Callable[..., BrowserContext]) -> Page:
    """A page in a browser that runs no scripts."""
    context = new_context(java_script_enabled=False)
    complaints.listen(context)
    return context.new_page()


@pytest.fixture(scope="session")
def stored(django_db_setup, django_db_blocker, tmp_path_factory) -> Callable[[Callable[[], None]], Path]:
    """The database with what a function adds to it, indexed, as a file of its own; each is made once."""
    if connection.vendor != "sqlite":
        pytest.fail("Browser tests run on SQLite alone: unset TEST_DATABASE_URL.", pytrace=False)
    folder = tmp_path_factory.mktemp("stored")

    @cache_once
    def store(add: Callable[[], None]) -> Path:
        file = folder / f"{add.__name__}.sqlite3"
        with django_db_blocker.unblock():
            connection.ensure_connection()
            call_command("flush", interactive=False, verbosity=0)
            get_engine.cache_clear()
            add()
            IndexLoop().run_until_idle()
            with closing(sqlite3.connect(file)) as copy:
                connection.connection.backup(copy)
        return file

    return store


def _restore(file: Path) -> None:
    cache.clear()
    get_engine.cache_clear()
    ContentType.objects.clear_cache()
    connection.ensure_connection()
    with closing(sqlite3.connect(file)) as stored:
        stored.backup(connection.connection)


class InFlight:
    """Leaves only when all requests that have begun within are answered."""

    def __init__(self) -> None:
        self._count, self._changed = 0, Condition()

    def __enter__(self) -> None:
        request_started.connect(self._started)
        request_finished.connect(self._finished)

    def __exit__(self, *_: object) -> None:
        with self._changed:
            is_done = self._changed.wait_for(lambda: not self._count, timeout=30)
        request_started.disconnect(self._started)
        request_finished.disconnect(self._finished)
        assert is_done, "A request is still answered."

    def _started(self, **_: object) -> None:
        with self._changed:
            self._count += 1

    def _finished(self, **_: object) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()


@pytest.fixture
def site(request, stored, live_server, transactional_db) -> Iterator[str]:
    """The address of a running site with the shop, as it was stored: whatever tests change is undone.

    Tests that are marked with ``demo`` get the demonstration in place of the shop. What the browser asked for and did
    not wait for is answered before the next test begins, which would find what it writes.
    """
    _restore(stored(add_demo if request.node.get_closest_marker("demo") else add_shop))
    with InFlight():
        yield live_server.url


@pytest.fixture
def staff(site: str) -> User:
    user = User.objects.create_user("staff", "staff@example.com", PASSWORD)
    user.groups.add(Group.objects.get_or_create(name=Role.STAFF)[0])
    return user


@pytest.fixture
def moderator(site: str) -> User:
    user = User.objects.create_user("moderator", "moderator@example.com", PASSWORD)
    user.groups.add(Group.objects.get_or_create(name=Role.MODERATOR)[0])
    return user


@pytest.fixture
def queue(site: str) -> list[Image]:
    """Photos that wait for a moderator, indexed; one that was rejected, and one that visitors reported."""
    contributor = User.objects.create_user("contributor", "contributor@example.com", PASSWORD)
    product = add_product("SENT", photos=0, title="A sent circle", category="Round")
    sent = [
        add_photo(product, "circle", color, f"sent-{n}.jpg", (460 + n, 400), uploader=contributor, status="pending")
        for n, color in enumerate(("red", "#fa0505", "#f50a0a", "blue", "green", "black"))
    ]
    add_photo(product, "circle", "#f01010", "no.jpg", uploader=contributor).reject(None, "Taken elsewhere.", "stolen")
    for number, reason in enumerate(("offensive", "stolen")):
        Report.objects.make(
            photo("STRIPES-11"), reason, "Please look at it.", user=None, session_key=f"visitor-{number}"
        )
    IndexLoop().run_until_idle()
    return sent


@pytest.fixture
def sign_in(site: str) -> Callable[[Page, User], None]:
    def sign_in(page: Page, user: User) -> None:
        page.goto("/accounts/login/")
        # By the names of the fields: the page may be in either language.
        page.locator("[name=login]").fill(user.username)
        page.locator("[name=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/accounts/" not in url)

    return sign_in


@pytest.fixture
def shopper(site: str) -> User:
    user = User.objects.create_user("shopper", "shopper@example.com", PASSWORD, keeps_history=True)
    user.groups.add(Group.objects.get_or_create(name=Role.SHOPPER)[0])
    return user


@pytest.fixture
def shopping(page: Page, shopper: User, sign_in: Callable[[Page, User], None]) -> Page:
    """A page of a shopper who agreed to a history."""
    sign_in(page, shopper)
    return page


@pytest.fixture
def furnished(shopping: Page, shopper: User) -> Page:
    """The same with something to show on every page."""
    for name, skus in {"Round things": ("CIRCLE-00", "CIRCLE-01", "CIRCLE-12"), "Gifts": ("SQUARE-09",)}.items():
        collection = Collection.objects.start(shopper, name)
        for sku in skus:
            collection.add(photo(sku))
    Collection.objects.start(shopper, "Old ones").discard()
    for query in (
        "q=red+circle&color=red",
        f"image={photo('CIRCLE-00').pk}&brand=1",
        "photo=" + "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
    ):
        SearchRecord.objects.create(user=shopper, query=query, digest=digest_of(query), total=8)
    shopper.saved_searches.create(name="For the kitchen", query="q=circle&price_max=9")
    ProductView.objects.create(user=shopper, image=photo("STRIPES-11"))
    Image.objects.filter(pk__in=[photo("TRIANGLE-34").pk, photo("TRIANGLE-38").pk]).update(uploader=shopper)
    photo("TRIANGLE-38").ask_for_changes(None, "Show all of it, please.", Image.Fault.POOR)
    return shopping


class Outage:
    """The live generation lies in an Elasticsearch that nobody answers for, until it ends."""

    def begin(self) -> None:
        self._lies_in("elasticsearch")

    def end(self) -> None:
        self._lies_in("embedded")

    @staticmethod
    def _lies_in(engine: str) -> None:
        Generation.objects.filter(state=Generation.State.LIVE).update(engine=engine)


@pytest.fixture
def engine_down(site: str, settings) -> Outage:
    settings.SEARCH_URL = "elasticsearch://127.0.0.1:9"
    get_engine.cache_clear()
    outage = Outage()
    outage.begin()
    return outage
