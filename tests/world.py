"""Somebody in every role, and one of everything that an address can name."""

import json
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from gallery.models import (
    BulkEdit,
    CatalogueImport,
    Category,
    Collection,
    Image,
    Job,
    Product,
    Role,
    SavedView,
    User,
)
from search.classification.measuring import Figures
from search.indexing.loop import IndexLoop
from search.models import (
    Classifier,
    DuplicatePair,
    Generation,
    LabelDoubt,
    QueryPhoto,
    SavedSearch,
    SearchRecord,
)
from tests.catalogue import add_photo, add_product
from tests.pictures import jpeg

ROLES = ("visitor", "shopper", "staff", "moderator", "administrator")


def person(role: str, name: str = "") -> User:
    """An account of a role; administrators are superusers, too, as ``createsuperuser`` makes them."""
    administers = role == Role.ADMINISTRATOR
    name = name or role
    user = User.objects.create(
        username=name, email=f"{name}@example.com", is_staff=administers, is_superuser=administers
    )
    user.set_password("x")
    user.save()
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


@dataclass
class World:
    """The keys of what the shopper owns, of a job of the staff, and of a product that everybody sees."""

    clients: dict[str, Client]
    people: dict[str, User]
    keys: dict[str, object]


def make_world() -> World:
    people = {role: person(role) for role in ROLES[1:]}
    clients = {role: Client() for role in ROLES}
    for role, user in people.items():
        clients[role].force_login(user)
    shopper = people["shopper"]
    dress = add_product("DRESS", photos=2, tags=["new"])
    photo = dress.images.order_by("position")[0]
    hidden = add_photo(dress, "square", "blue", "mine.jpg", uploader=shopper, status=Image.Status.PENDING)
    asked = add_photo(dress, "square", "green", "asked.jpg", uploader=shopper, status=Image.Status.PENDING)
    asked.ask_for_changes(people["moderator"], "Brighter, please.")
    kept, discarded = (Collection.objects.start(shopper, name) for name in ("Kept", "Discarded"))
    discarded.discard()
    query_photo = QueryPhoto(user=shopper, sha256="0" * 64, width=240, height=180)
    query_photo.file.save("photo.jpg", ContentFile(jpeg()))
    job = Job.objects.create(kind="nothing", created_by=people["staff"])
    job.report.save("report.csv", ContentFile(b"sku\n"))
    sent = CatalogueImport(name="spring.csv", created_by=people["staff"])
    sent.file.save("spring.csv", ContentFile(b"sku,file\n"))
    IndexLoop().run_until_idle()
    _add_sample()
    keys: dict[str, object] = {
        "product": dress.pk,
        "photo": photo.pk,
        "hidden": hidden.pk,
        "asked": asked.pk,
        "collection": kept.pk,
        "discarded": discarded.pk,
        "query photo": query_photo.pk,
        "search": SearchRecord.objects.create(user=shopper, query="q=red", digest="0" * 64, total=1).pk,
        "saved search": SavedSearch.objects.create(user=shopper, name="Red", query="q=red").pk,
        "job": job.pk,
        "view": SavedView.objects.create(owner=people["staff"], name="Mine", query="sort=sku").pk,
        "bulk edit": BulkEdit.objects.create(query="sort=sku", created_by=people["staff"]).pk,
        "import": sent.pk,
        "pair": _add_pair(*dress.images.order_by("pk")[:2]),
        "doubt": _add_doubt(dress),
        "category": dress.category_id,
        "tag": dress.tags.get().pk,
        "generation": Generation.objects.live().pk,
    }
    # What a page computes once and stores: asked for now, it is there for every role.
    copy = f"/api/v1/images/{photo.pk}/renditions?format=webp&quality=60&width=320"
    for address in (f"/regions/{photo.pk}/", f"/search/photo/{query_photo.pk}/regions/", copy):
        clients["shopper"].get(address)
    return World(clients, people, keys)


def _add_pair(first: Image, second: Image) -> int:
    hashes = {"first_sha256": first.sha256, "second_sha256": second.sha256}
    pair = DuplicatePair.objects.create(first=first.pk, second=second.pk, kind="same_product", score=0.9, **hashes)
    return pair.pk


def _add_doubt(product: Product) -> int:
    live = Generation.objects.live()
    figures = Figures(n=2, products=1, categories=1, folds=2, top1=0.9, top3=1.0, macro_f1=0.9, calibration_error=0.1)
    classifier = Classifier.objects.create(
        generation=live, kind="linear", classes=[], figures=figures.as_json(), labels={}, trained_at=timezone.now()
    )
    other = Category.objects.at_path("Other")
    return LabelDoubt.objects.create(
        classifier=classifier, product=product, category=product.category, suggested=other, own=0.1, best=0.9, doubt=0.9
    ).pk


def _add_sample() -> None:
    folder = settings.DATA_DIR / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "1.jpg").write_bytes(jpeg())
    rows = [{"file": "1.jpg", "name": "Circle", "name_zh": "圆"}]
    (folder / "samples.json").write_text(json.dumps(rows), encoding="utf-8")


def key_of(world: World, name: str) -> UUID:
    key = world.keys[name]
    assert isinstance(key, UUID)
    return key
