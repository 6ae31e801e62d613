"""The pages of the site in the states that people see, and how to get to each."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gallery.models import BulkEdit, Category, Collection
from search.classification.training import train
from search.models import DuplicatePair, Generation, Tuning
from search.quality import measure
from search.text_to_picture.making import make
from search.tuning.training import tune
from tests.browser.files import RED_CIRCLE, search_by
from tests.browser.imports import checked_import
from tests.browser.shop import photo

ADDRESSES = {
    "home": "/",
    "browse": "/search/",
    "words": "/search/?q=circle&availability=in_stock",
    "words read": "/search/?q=red+circle",
    "empty": "/search/?q=zeppelin",
    "product": "/products/CIRCLE-00/?back=%2Fsearch%2F%3Fq%3Dcircle",
    "login": "/accounts/login/",
    "upload": "/upload/",
    "not found": "/products/NOTHING/",
    "unavailable": "/search/?q=circle",
    "history": "/history/",
    "collections": "/collections/",
    "signup": "/accounts/signup/",
    "password": "/accounts/password/change/",
    "email": "/accounts/email/",
    "reset": "/accounts/password/reset/",
    "uploads": "/uploads/",
    "contribute": "/products/CIRCLE-00/add-photo/",
    "suggest a product": "/uploads/new/",
    "suggestions": "/suggestions/",
    "mislabelled": "/suggestions/mislabelled/",
    "classifiers": "/suggestions/classifiers/",
    "quality": "/quality/",
    "tuning": "/index/",
    "judging": "/search/?q=circle",
    "duplicates": "/duplicates/",
    "imports": "/import/",
    "products": "/products/?sort=sku",
    "product edit": "/products/CIRCLE-00/edit/",
    "bulk edits": "/bulk-edits/",
}
BY_PHOTO = {"photo": "", "weaker": "&weaker=1", "photos": "&group=photos"}
# Addresses that hold a key.
BY_KEY: dict[str, Callable[[], str]] = {
    "examples": lambda: (
        f"/search/?image={photo('CIRCLE-00').pk}&image={photo('CIRCLE-12').pk}"
        f"&less={photo('SQUARE-09').pk}&q=circle&color=red&price_max=9"
    ),
    "collection": lambda: f"/collections/{Collection.objects.get(name='Round things').pk}/",
    "export": lambda: f"/products/photos/{photo('CIRCLE-00').pk}/export/?format=avif&quality=60&width=640",
    "contribution": lambda: f"/uploads/{photo('TRIANGLE-38').pk}/",
    "import": lambda: f"/import/{checked_import().pk}/",
    "job": lambda: f"/jobs/{checked_import().check_job_id}/",
    "suggestion": lambda: f"/suggestions/{photo('CIRCLE-00').pk}/",
    "bulk edit": lambda: f"/bulk-edits/{bulk_draft().pk}/?action=price&how=percent&value=-10",
    "report": lambda: f"/products/photos/{photo('STRIPES-11').pk}/report/",
}
MODERATED: dict[str, Callable[[], str]] = {
    "moderation": lambda: "/moderation/",
    "rejected": lambda: "/moderation/?state=rejected",
    "reported": lambda: "/moderation/reports/",
    "evidence": lambda: f"/moderation/{photo('STRIPES-11').pk}/evidence/",
    "reported photo": lambda: f"/moderation/{photo('STRIPES-11').pk}/",
    "audit": lambda: f"/audit/photos/{photo('STRIPES-11').pk}/",
    "audit of a product": lambda: "/audit/products/STRIPES-11/",
}
PLACES = (*ADDRESSES, *BY_PHOTO, *BY_KEY, *MODERATED, "shared")
FAULTS = {"not found": 404, "unavailable": 503}
# These look different to a shopper, or are a shopper's alone.
OWN = (
    "home", "product", "collections", "collection", "history", "examples", "password", "email", "uploads", "contribute",
    "contribution", "suggest a product",
)  # fmt: skip
_tuned: dict[str, Any] = {}
SUGGESTING = ("suggestions", "mislabelled", "classifiers")
# Seen by staff.
BEHIND_THE_COUNTER = (
    "upload", "export", "duplicates", "imports", "import", "job", "suggestion", "products", "product edit",
    "bulk edits", "bulk edit", "quality", "tuning", "judging", *SUGGESTING,
)  # fmt: skip


def doubt_and_ask() -> None:
    """A product in the wrong category, one in none, and what classifiers say of both."""
    for sku, category in (("CIRCLE-12", Category.objects.get(name="Striped")), ("SQUARE-09", None)):
        product = photo(sku).product
        product.category = category
        product.save()
    train(Generation.objects.live(), skip=("forest",))  # which takes longer, and looks the same


def learn_words(settings: Any) -> None:
    """What words look like, by a text encoder that needs no minute for the names."""
    settings.TEXT_ENCODER = "tests.texts.LetterTriples"
    assert make(Generation.objects.live())


def add_tuning() -> None:
    """A tuning and its figures; it is learnt once, as that takes some seconds."""
    if _tuned:
        Tuning.objects.create(**_tuned)
    else:
        tuning = tune(promote=False)
        _tuned.update(encoder=tuning.encoder, verdict=tuning.verdict, figures=tuning.figures)


def add_pairs() -> None:
    """Two pairs to decide, as a scan records them: one of a kind each."""
    circles = sorted((photo("CIRCLE-00"), photo("CIRCLE-01")), key=lambda image: image.pk)
    others = sorted((photo("CIRCLE-00"), photo("STRIPES-11")), key=lambda image: image.pk)
    for kind, relation, (first, second) in (("same_photo", "same", circles), ("same_product", "", others)):
        DuplicatePair.objects.create(
            first=first.pk,
            second=second.pk,
            first_sha256=first.sha256,
            second_sha256=second.sha256,
            kind=kind,
            relation=relation,
            score=0.96,
        )


def bulk_draft() -> BulkEdit:
    """All products, one of which has no price."""
    return BulkEdit.objects.create(query="sort=sku")


def go_to(place: str, page: Page, request: pytest.FixtureRequest) -> None:
    """Take the page to a place, and wait for what comes late there."""
    if place in FAULTS:
        request.getfixturevalue("complaints").expect_status(FAULTS[place])
    if place == "unavailable":
        request.getfixturevalue("engine_down")
    if place in SUGGESTING:
        doubt_and_ask()
    if place == "duplicates":
        add_pairs()
    if place == "quality":
        for _run in range(2):  # a line of figures over time
            measure(Generation.objects.live(), ("category", "product", "words", "judgements"))
    if place == "tuning":
        add_tuning()
    if place == "words read":
        learn_words(request.getfixturevalue("settings"))
    if place in BEHIND_THE_COUNTER:
        request.getfixturevalue("sign_in")(page, request.getfixturevalue("staff"))
    if place in MODERATED:
        request.getfixturevalue("queue")
        request.getfixturevalue("sign_in")(page, request.getfixturevalue("moderator"))
    if place in OWN:
        request.getfixturevalue("furnished")
    if place in BY_PHOTO or place == "shared":
        page.goto("/")
        search_by(page, RED_CIRCLE)
    if place in BY_PHOTO:
        page.goto(page.url + BY_PHOTO[place])
    elif place == "shared":
        # As a browser without scripts sends it.
        page.locator("[data-share]").evaluate("(form) => HTMLFormElement.prototype.submit.call(form)")
        page.wait_for_url("**/search/share/")
    elif place in MODERATED:
        page.goto(MODERATED[place]())
    elif place in BY_KEY:
        page.goto(BY_KEY[place]())
    else:
        page.goto(ADDRESSES[place])
    if place == "product":
        page.locator("#looks-similar").scroll_into_view_if_needed()
        expect(page.locator(".strip:not([aria-hidden]) .tile").first).to_be_visible()
    if place == "words read":
        expect(page.locator("#reading")).to_be_visible()
    if place == "tuning":
        page.locator("#tuning details summary").click()
    if place == "judging":
        page.locator(".tile-menu-open").first.click()
        expect(page.get_by_role("button", name="Good").or_(page.get_by_role("button", name="好")).first).to_be_visible()
    if place == "mislabelled":
        expect(page.locator(".why-frames").first).to_be_visible()
    page.wait_for_load_state("networkidle")
