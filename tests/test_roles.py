"""Who may do what: every address of the project, for every role and method, against one table.

An address that is not in the table fails. To add one, write a line: its route as ``urls.py`` spells it, what GET and
POST come to for each role, and the objects that the route names. Whose objects they are matters: those of ``WORLD`` are
the shopper's, but for the job, which is the staff member's.
"""

import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.world import ROLES, World, make_world

# What a request comes to, for visitor, shopper, staff, moderator and administrator:
# ok: the view does its work, or says what is wrong with the form; in: sent to sign in; no: refused (401, 403);
# hid: as if it did not exist (404); na: no such method (405).
ALL = "ok ok ok ok ok"
SIGNED_IN = "in ok ok ok ok"
STAFF = "in no ok no ok"
MODERATORS = "in no no ok ok"
COUNTER = "in no ok ok ok"  # staff and moderators
OWNER = "in ok hid hid hid"  # the shopper, whose the object is
STAFFS_OWN = "in no ok hid ok"  # a job of the staff member's; administrators see all
STAFFS_ALONE = "in no ok no hid"  # what only the member of staff whose it is may see
NOBODY = "hid hid hid hid hid"
NA = "na na na na na"


class Rule(NamedTuple):
    get: str
    post: str
    names: dict[str, object] = {}
    query: str = ""
    form: str = ""  # what a POST sends, where without it the address does not know what is meant


TABLE = {
    # --- Searching: no account is needed -------------------------------------------------------------------
    "": Rule(ALL, NA),
    "search/": Rule(ALL, NA),
    "search/photos-of/": Rule(ALL, NA, {}, "image={photo}&product={product}"),
    "search/without/": Rule(ALL, NA, {}, "image={photo}&color=red&without=color"),
    "search/neighbours/": Rule(ALL, NA, {}, "product={product}&back=/search/"),
    "search/share/": Rule(NA, ALL),
    "search/link/": Rule(NA, ALL),
    "search/photo/": Rule(NA, ALL),
    "search/photo/<uuid:key>/file/": Rule("hid ok hid hid hid", NA, {"key": "query photo"}),
    "search/photo/<uuid:key>/regions/": Rule("hid ok hid hid hid", NA, {"key": "query photo"}),
    "search/photo/<uuid:key>/forget/": Rule(NA, "hid ok hid hid hid", {"key": "query photo"}),
    "search/photo/<uuid:key>/unshare/": Rule(NA, "hid ok hid hid hid", {"key": "query photo"}),
    "search/sample/<int:number>/": Rule(ALL, NA, {"number": 1}),
    "search/sample/<int:number>/file/": Rule(ALL, NA, {"number": 1}),
    "similar/<uuid:key>/": Rule(ALL, NA, {"key": "photo"}),
    "regions/<uuid:key>/": Rule(ALL, NA, {"key": "photo"}),
    "recommended/": Rule(ALL, NA),
    "progress/": Rule(ALL, NA),
    "viewed/<uuid:key>/": Rule(NA, ALL, {"key": "photo"}),
    "files/<uuid:pk>/<int:width>.<str:format>": Rule(ALL, NA, {"pk": "photo", "width": 320, "format": "webp"}),
    "files/<uuid:pk>/<int:width>-q<int:quality>.<str:format>": Rule(
        ALL, NA, {"pk": "photo", "width": 320, "quality": 60, "format": "webp"}
    ),
    "products/<sku:sku>/": Rule(ALL, NA, {"sku": "DRESS"}),
    "products/photos/<uuid:key>/report/": Rule(ALL, ALL, {"key": "photo"}),
    "api/v1/search": Rule(ALL, ALL),
    "api/v1/images/<uuid:pk>/renditions": Rule(ALL, NA, {"pk": "photo"}),
    "api/schema/": Rule(ALL, NA),
    "api/docs/": Rule(ALL, NA),
    "i18n/setlang/": Rule(ALL, ALL),
    # --- What belongs to a person --------------------------------------------------------------------------
    "collections/": Rule(SIGNED_IN, SIGNED_IN),
    "collections/<uuid:key>/": Rule(OWNER, OWNER, {"key": "collection"}),
    "collections/<uuid:key>/delete/": Rule(NA, OWNER, {"key": "collection"}),
    "collections/<uuid:key>/restore/": Rule(NA, OWNER, {"key": "discarded"}),
    "save/<uuid:key>/": Rule(NA, SIGNED_IN, {"key": "photo"}),
    "save/<uuid:key>/menu/": Rule(SIGNED_IN, NA, {"key": "photo"}),
    "search/collection/<uuid:key>/": Rule(OWNER, NA, {"key": "collection"}),
    "history/": Rule(SIGNED_IN, NA),
    "history/consent/": Rule(NA, SIGNED_IN),
    "history/clear/": Rule(NA, SIGNED_IN),
    "history/searches/<int:pk>/delete/": Rule(NA, OWNER, {"pk": "search"}),
    "history/saved/": Rule(NA, SIGNED_IN),
    "history/saved/<uuid:key>/delete/": Rule(NA, OWNER, {"key": "saved search"}),
    # --- Contributed photos --------------------------------------------------------------------------------
    "products/<sku:sku>/add-photo/": Rule(SIGNED_IN, SIGNED_IN, {"sku": "DRESS"}),
    "uploads/": Rule(SIGNED_IN, NA),
    "uploads/new/": Rule(SIGNED_IN, SIGNED_IN),
    "uploads/<uuid:key>/": Rule(OWNER, NA, {"key": "hidden"}),
    "uploads/<uuid:key>/reply/": Rule(NA, OWNER, {"key": "asked"}),
    "uploads/<uuid:key>/file/": Rule(NA, OWNER, {"key": "hidden"}),
    "uploads/<uuid:key>/withdraw/": Rule(NA, OWNER, {"key": "hidden"}),
    # --- Behind the counter --------------------------------------------------------------------------------
    "upload/": Rule(STAFF, STAFF),
    "products/": Rule(STAFF, NA),
    "products/<sku:sku>/row/": Rule(STAFF, STAFF, {"sku": "DRESS"}),
    "products/<sku:sku>/edit/": Rule(STAFF, STAFF, {"sku": "DRESS"}),
    "products/<sku:sku>/photos/": Rule(NA, STAFF, {"sku": "DRESS"}),
    "products/photos/<uuid:pk>/export/": Rule(COUNTER, NA, {"pk": "photo"}),
    "product-views/": Rule(NA, STAFF),
    "product-views/<int:key>/": Rule(NA, STAFFS_ALONE, {"key": "view"}),
    "product-views/<int:key>/delete/": Rule(NA, STAFFS_ALONE, {"key": "view"}),
    "bulk-edits/": Rule(STAFF, STAFF),
    "bulk-edits/<uuid:key>/": Rule(STAFF, NA, {"key": "bulk edit"}),
    "bulk-edits/<uuid:key>/apply/": Rule(NA, STAFF, {"key": "bulk edit"}),
    "bulk-edits/<uuid:key>/undo/": Rule(NA, STAFF, {"key": "bulk edit"}),
    "import/": Rule(STAFF, STAFF),
    "import/export/": Rule(NA, STAFF),
    "import/<uuid:key>/": Rule(STAFF, NA, {"key": "import"}),
    "import/<uuid:key>/start/": Rule(NA, STAFF, {"key": "import"}),
    "import/<uuid:key>/discard/": Rule(NA, STAFF, {"key": "import"}),
    "duplicates/": Rule(STAFF, NA),
    "duplicates/scan/": Rule(NA, STAFF),
    "duplicates/<int:pk>/decide/": Rule(NA, STAFF, {"pk": "pair"}),
    "duplicates/<int:pk>/reopen/": Rule(NA, STAFF, {"pk": "pair"}),
    "suggestions/": Rule(STAFF, NA),
    "suggestions/mislabelled/": Rule(STAFF, NA),
    "suggestions/mislabelled/skipped/": Rule(NA, STAFF),
    "suggestions/mislabelled/<int:pk>/<slug:verb>/": Rule(NA, STAFF, {"pk": "doubt", "verb": "keep"}),
    "suggestions/classifiers/": Rule(STAFF, NA),
    "suggestions/classifiers/progress/": Rule(STAFF, NA),
    "suggestions/classifiers/train/": Rule(NA, STAFF),
    "suggestions/classifiers/choose/": Rule(NA, STAFF, form="kind=linear"),
    "suggestions/<uuid:key>/": Rule(COUNTER, NA, {"key": "photo"}),
    "suggestions/<uuid:key>/near/": Rule(COUNTER, NA, {"key": "photo"}),
    "suggestions/<uuid:key>/category/": Rule(NA, COUNTER, {"key": "photo"}, form="category={category}&revision=1"),
    "suggestions/<uuid:key>/tags/": Rule(NA, COUNTER, {"key": "photo"}, form="tag={tag}&revision=1"),
    "moderation/": Rule(MODERATORS, NA),
    "moderation/ahead/": Rule(MODERATORS, NA),
    "moderation/claims/": Rule(NA, MODERATORS),
    "moderation/skipped/": Rule(NA, MODERATORS),
    "moderation/undo/": Rule(NA, MODERATORS),
    "moderation/reports/": Rule(MODERATORS, NA),
    "moderation/<uuid:key>/": Rule(MODERATORS, NA, {"key": "hidden"}),
    "moderation/<uuid:key>/decide/": Rule(NA, MODERATORS, {"key": "hidden"}),
    "moderation/<uuid:key>/evidence/": Rule(MODERATORS, NA, {"key": "hidden"}),
    "audit/photos/<uuid:key>/": Rule(COUNTER, NA, {"key": "photo"}),
    "audit/products/<sku:sku>/": Rule(COUNTER, NA, {"sku": "DRESS"}),
    "jobs/": Rule(COUNTER, NA),
    "jobs/<uuid:key>/": Rule(STAFFS_OWN, NA, {"key": "job"}),
    "jobs/<uuid:key>/cancel/": Rule(NA, STAFFS_OWN, {"key": "job"}),
    "jobs/<uuid:key>/report/": Rule(STAFFS_OWN, NA, {"key": "job"}),
    "index/": Rule(STAFF, NA),
    "index/build/": Rule(STAFF, STAFF),
    "index/compare/": Rule(STAFF, NA),
    "index/tuning/start/": Rule(NA, STAFF),
    "index/tuning/progress/": Rule(STAFF, NA),
    "index/products/<uuid:product>/": Rule("hid hid ok ok ok", NA, {"product": "product"}),
    "index/generations/<int:pk>/figures/": Rule(STAFF, NA, {"pk": "generation"}),
    "index/generations/<int:pk>/failed/": Rule(STAFF, NA, {"pk": "generation"}),
    "index/generations/<int:pk>/retry/": Rule(NA, STAFF, {"pk": "generation"}),
    "index/generations/<int:pk>/<slug:verb>/": Rule(NA, STAFF, {"pk": "generation", "verb": "reconcile"}),
    "quality/": Rule(STAFF, NA),
    "quality/progress/": Rule(STAFF, NA),
    "quality/start/": Rule(NA, STAFF),
    "quality/judgements/<uuid:key>/": Rule(NA, STAFF, {"key": "photo"}, form="query=q%3Dred&verdict=good"),
    # --- Accounts ------------------------------------------------------------------------------------------
    "accounts/login/": Rule(ALL, ALL),
    "accounts/logout/": Rule(ALL, ALL),
    "accounts/signup/": Rule(ALL, ALL),
    "accounts/inactive/": Rule(ALL, NA),
    "accounts/email/": Rule(SIGNED_IN, SIGNED_IN),
    "accounts/confirm-email/": Rule(ALL, NA),
    "accounts/confirm-email/(?P<key>[-:\\w]+)/": Rule(ALL, NOBODY, {"key": "nothing"}),
    "accounts/reauthenticate/": Rule(SIGNED_IN, SIGNED_IN),
    "accounts/password/change/": Rule(SIGNED_IN, SIGNED_IN),
    "accounts/password/set/": Rule(SIGNED_IN, SIGNED_IN),
    "accounts/password/reset/": Rule(ALL, ALL),
    "accounts/password/reset/done/": Rule(ALL, NA),
    "accounts/password/reset/key/done/": Rule(ALL, NA),
    "accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/": Rule(ALL, ALL, {"uidb36": "1", "key": "x"}),
    "accounts/login/code/confirm/": Rule(SIGNED_IN, SIGNED_IN),  # signing in by code is off: it leads on
    # --- The demo's switch: tests/gallery/test_view_as.py has the other half -------------------------------
    "demo/view-as/<slug:role>/": Rule(NOBODY, NOBODY, {"role": "administrator"}),
}
SIGN_IN_PAGES = ("/accounts/login/", "/admin/login/")
CHANGING = ("PUT", "PATCH", "DELETE")


def routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """Every route of the project, without the signs of regular expressions around it."""
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from routes(pattern, route)


ROUTES = list(dict.fromkeys(routes(get_resolver())))
# Signing out there is everybody's: it leads to the front page.
ADMIN = [route for route in ROUTES if route.startswith("admin/") and route != "admin/logout/"]


def filled(route: str, names: dict[str, object], world: World) -> str:
    """The address of a route: names of ``WORLD`` stand for its keys, everything else for itself."""
    values = {name: world.keys.get(str(value), value) for name, value in names.items()}

    def value(match: re.Match) -> str:
        return str(values.get(match[1] or match[2], "1"))

    # ``<uuid:key>`` and ``(?P<key>...)``
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>(?![^()]*\))|\(\?P<(\w+)>[^()]*\)", value, route)


def outcome(response) -> str:
    if response.status_code in (301, 302):
        return "in" if urlsplit(response.url).path in SIGN_IN_PAGES else "ok"
    known = {401: "no", 403: "no", 404: "hid", 405: "na"}
    return known.get(response.status_code, "ok" if response.status_code < 500 else "broken")


def ask(client: Client, method: str, address: str, csrf: bool = False, form: str = "") -> str:
    """One request whose traces are wiped out, so that each finds the same world, and the client still signed in."""
    cache.clear()  # of throttles
    once = Client(enforce_csrf_checks=csrf)
    once.cookies = SimpleCookie({name: morsel.value for name, morsel in client.cookies.items()})
    with transaction.atomic():
        answer = outcome(once.generic(method, address, form, "application/x-www-form-urlencoded"))
        transaction.set_rollback(True)
    return answer


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.DATA_DIR = tmp_path
    cache.clear()
    return make_world()


def test_every_address_is_in_the_table_and_nothing_else():
    assert [route for route in ROUTES if route not in TABLE and not route.startswith("admin/")] == []
    assert [route for route in TABLE if route not in ROUTES] == []


def test_every_address_does_for_every_role_what_the_table_says(world):
    wrong = []
    for route, rule in TABLE.items():
        address = filled(route, rule.names, world)
        known = {name: key for name, key in world.keys.items() if " " not in name}
        if rule.query:
            address += "?" + rule.query.format(**known)
        asked = [("GET", role, expected) for role, expected in zip(ROLES, rule.get.split(), strict=True)]
        asked += [("POST", role, expected) for role, expected in zip(ROLES, rule.post.split(), strict=True)]
        asked.append(("HEAD", "visitor", rule.get.split()[0]))  # whoever may not read a page may not ask for its size
        for method, role, expected in asked:
            came = ask(world.clients[role], method, address, form=rule.form.format(**known) if method == "POST" else "")
            if came != expected:
                wrong.append(f"{method} {route} as {role}: {came}, not {expected}")
    assert wrong == [], "\n".join(wrong)


def test_no_address_knows_another_method(world):
    """Browsers send GET and POST; whatever else changes something would be forgotten by the table."""
    wrong = []
    for route, rule in TABLE.items():
        address = filled(route, rule.names, world)
        for role in ("visitor", "administrator"):
            came = {method: ask(world.clients[role], method, address) for method in CHANGING}
            wrong += [f"{method} {route} as {role}" for method, answer in came.items() if answer == "ok"]
    assert wrong == [], "\n".join(wrong)


def test_every_change_wants_a_token_of_our_own_pages(world):
    """Of the API a visitor may post without: it changes nothing, and knows nobody."""
    wrong = []
    for route, rule in TABLE.items():
        for role, expected in zip(ROLES, rule.post.split(), strict=True):
            if expected != "ok" or (route, role) == ("api/v1/search", "visitor"):
                continue
            if ask(world.clients[role], "POST", filled(route, rule.names, world), csrf=True) != "no":
                wrong.append(f"POST {route} as {role}")
    assert wrong == [], "\n".join(wrong)


def test_the_administration_is_for_administrators(world):
    wrong = []
    for route in ADMIN:
        address = filled(route, {"app_label": "gallery"}, world)
        for role in ROLES[:-1]:
            wrong += [
                f"{method} {route} as {role}"
                for method in ("GET", "POST")
                if ask(world.clients[role], method, address) not in ("in", "no", "hid", "na")
            ]
        if ask(world.clients["administrator"], "GET", address) in ("in", "broken"):
            wrong.append(f"GET {route} as administrator")
    assert wrong == [], "\n".join(wrong)
