"""Fixtures of the search path: an indexed catalogue of drawn pictures, and a count of what was encoded."""

import hashlib
from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client

from gallery.models import Image, Product, Role, User
from search.encoders import get_encoder
from search.encoders.networks.efficientnet_lite import EfficientNetLite
from search.engines import get_engine
from search.indexing.loop import IndexLoop
from search.models import Embedding, Generation
from tests.catalogue import add_product


@pytest.fixture(autouse=True)
def _nothing_left_of_other_tests():
    """Throttles count in the cache, and engines keep what they read of the settings."""
    cache.clear()
    get_engine.cache_clear()


_EMBEDDED: dict[tuple[str, str], Embedding] = {}  # by encoder and file: what tests of this process had embedded


@pytest.fixture
def index(db, request) -> Callable[[], None]:
    """Brings everything stored into the live generation.

    The same drawings are indexed by hundreds of tests. They are embedded by the first; to the others they come with
    what was embedded there, as to an installation that is restored. Tests that count encodings start with nothing.
    """

    def run() -> None:
        if "encoded" not in request.fixturenames:
            _bring_back_embeddings()
        IndexLoop().run_until_idle()
        _EMBEDDED.update({(row.encoder, row.sha256): row for row in Embedding.objects.all()})

    return run


def _bring_back_embeddings() -> None:
    encoder = get_encoder(settings.SEARCH_ENCODER).identity
    # A test that damages a file, or takes it away, wants that to be found out.
    hashes = {image.sha256 for image in Image.objects.all() if _is_whole(image)}
    known = [_EMBEDDED[encoder, sha256] for sha256 in hashes if (encoder, sha256) in _EMBEDDED]
    fields = ("encoder", "sha256", "parts", "numbers", "labels")
    rows = [Embedding(**{name: getattr(row, name) for name in fields}) for row in known]
    Embedding.objects.bulk_create(rows, ignore_conflicts=True)


def _is_whole(image: Image) -> bool:
    try:
        with image.original.open("rb") as file:
            return hashlib.sha256(file.read()).hexdigest() == image.sha256
    except FileNotFoundError:
        return False


@pytest.fixture
def shop(index) -> list[Product]:
    """Six products, eight photos, two brands, a small tree of categories; indexed."""
    products = [
        add_product("RED-CIRCLE", "circle", "red", category="Round/Discs", price="10.00", tags=["warm", "plain"]),
        add_product("RED-CIRCLE-2", "circle", "#e01010", category="Round/Discs", price="30.00", photos=3),
        add_product("ORANGE-CIRCLE", "circle", "orange", category="Round/Rings", price="20.00", tags=["warm"]),
        add_product("BLUE-SQUARE", "square", "blue", category="Angular", brand="Öst", price="40.00"),
        add_product("GREEN-STRIPES", "stripes", "green", category="Angular", brand="Öst", price=None),
        add_product(
            "BLACK-TRIANGLE",
            "triangle",
            "black",
            category="Angular",
            price="5.00",
            availability="out_of_stock",
            attributes={"size": ["S", "M"]},
        ),
    ]
    index()
    return products


@pytest.fixture
def image_of(shop) -> Callable[[str], Image]:
    """The first photo of a product of the shop."""
    return lambda sku: Image.objects.filter(product__sku=sku).order_by("position", "id")[0]


@pytest.fixture
def encoded(monkeypatch) -> list[int]:
    """Grows by the number of pictures whenever the network runs."""
    calls: list[int] = []
    forward = EfficientNetLite.forward

    def counted(self, squares):
        calls.append(len(squares))
        return forward(self, squares)

    monkeypatch.setattr(EfficientNetLite, "forward", counted)
    return calls


@pytest.fixture
def engine_down(shop, settings) -> None:
    """The live generation lies in an Elasticsearch that nobody answers for."""
    settings.SEARCH_URL = "elasticsearch://127.0.0.1:9"
    Generation.objects.filter(state="live").update(engine="elasticsearch")
    get_engine.cache_clear()


@pytest.fixture
def client_of(db) -> Callable[..., Client]:
    """A browser of its own for a user, or for nobody."""

    def make(user: User | None = None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return make


@pytest.fixture
def staff(db) -> User:
    user = User.objects.create_user("staff", "staff@example.com", "x")
    user.groups.add(Group.objects.get(name=Role.STAFF))
    return user
