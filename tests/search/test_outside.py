"""Photos from another world than the catalogue's: told on the page and by the API, and kept off a few products."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import skimage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from search.engines import get_engine
from search.models import Embedding, Generation, OutsideCrowd, QueryEmbedding, QueryPhoto
from search.outside.crowd import Crowd
from search.outside.learning import AT_ONCE, EACH, learn
from search.projection import PartMap, Projection
from tests.catalogue import COLORS, SHAPES, add_product
from tests.pictures import jpeg
from tests.search.test_photos import send

PHOTOGRAPH = (Path(skimage.__file__).parent / "data" / "coffee.png").read_bytes()
LENGTHS = {"deep": 24, "color": 8}


# --- On the page and in the API ------------------------------------------------------------------------


@pytest.fixture(params=["embedded", "elasticsearch_8"])
def drawn(request, settings, monkeypatch, index):
    """Products of a few shapes and colours, as many as are needed to know that it is a world of drawings."""
    monkeypatch.setattr("search.outside.world.LEAST_PHOTOS", 50)
    monkeypatch.setattr("search.generations.fitting.LEAST_PHOTOS", 50)
    if request.param != "embedded":
        settings.SEARCH_URL = request.getfixturevalue(request.param).url
        get_engine.cache_clear()
    products = [
        add_product(f"P-{n:02d}", SHAPES[n % 4], COLORS[n // 4 % 6], size=(200 + 8 * n, 180)) for n in range(56)
    ]
    index()
    live = Generation.objects.live()
    get_engine(live.engine).refresh(live.pk)
    assert live.scale.world is not None
    yield products
    if request.param != "embedded":
        get_engine("elasticsearch").drop(live.pk)


def page_of(client, address: str):
    response = client.get(address)
    assert response.status_code == 200
    return response, response.context["page"]


@pytest.mark.django_db
def test_nothing_in_a_world_of_drawings_looks_like_a_photograph(client, drawn):
    address = send(client, PHOTOGRAPH, "coffee.png").json()["url"]
    page_of(client, address)  # what a process reads once
    with CaptureQueriesContext(connection) as queries:
        response, page = page_of(client, address)
    assert "Nothing here looks like this" in response.content.decode()
    assert (page.total, page.bands, page.nothing_similar) == (0, [], True)
    assert len(queries) <= 8
    _response, weaker = page_of(client, page.weaker_url)
    assert [band.code for band in weaker.bands] == ["weak"]
    assert len(weaker.bands[0].cards) > 10
    file = SimpleUploadedFile("coffee.png", PHOTOGRAPH, "image/png")
    body = client.post("/api/v1/search", {"image": file}).json()
    assert (body["total"], body["hits"]) == (0, [])

    # A drawing that is not in the catalogue, and one that is, are told from it.
    _response, other = page_of(client, send(client, jpeg("circle", "teal", size=(250, 190))).json()["url"])
    assert other.total > 0
    own = drawn[3].images.get().original
    with own.open("rb") as opened:
        _response, same = page_of(client, send(client, opened.read()).json()["url"])
    assert same.bands[0].code == "nearly-the-same"
    assert drawn[3] in [card.product for card in same.bands[0].cards]

    # Who asks for colours alone does not ask what a photo shows.
    _response, colours = page_of(client, f"{address}&w=color:1")
    assert (colours.total > 0) == (colours.bands != [])
    live = Generation.objects.live()
    vectors = QueryEmbedding.objects.order_by("pk").first().vectors
    assert live.scale.is_outside(vectors, live.weights)
    assert not live.scale.is_outside(vectors, {"color": 1.0})

    # Once enough such photos are known, weaker matches stand in another order, and are as many.
    crowd = Crowd.empty({name: len(vector) for name, vector in vectors.items()}).having(around(vectors, 60))
    OutsideCrowd.objects.create(encoder=live.encoder, photos=crowd.photos, data=crowd.to_bytes())
    page_of(client, page.weaker_url)
    with CaptureQueriesContext(connection) as queries:
        _response, spread = page_of(client, page.weaker_url)
    assert len(queries) <= 10
    assert spread.bands[0].count == weaker.bands[0].count
    ranked = [card.similarity for card in spread.bands[0].cards]
    assert ranked == sorted(ranked, reverse=True)
    assert [card.product for card in spread.bands[0].cards] != [card.product for card in weaker.bands[0].cards]


def around(vectors: dict[str, np.ndarray], count: int) -> list[dict[str, np.ndarray]]:
    random = np.random.default_rng(0)
    found = []
    for _photo in range(count):
        apart = {name: one + 0.5 * random.normal(size=len(one)) / np.sqrt(len(one)) for name, one in vectors.items()}
        found.append({name: (one / np.linalg.norm(one)).astype(np.float32) for name, one in apart.items()})
    return found


# --- What such photos have in common --------------------------------------------------------------------


def photos_of(random: np.random.Generator, count: int, offset: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Photos that point to one place before all else, and scatter around it, some ways more than others."""
    steps = np.linspace(2.0, 0.2, len(offset))
    rows = 3 * offset + steps * random.normal(size=(count, len(offset)))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    colours = random.dirichlet(np.ones(8), count)
    colours /= np.linalg.norm(colours, axis=1, keepdims=True)
    return [
        {"deep": deep.astype(np.float32), "color": colour.astype(np.float32)}
        for deep, colour in zip(rows, colours, strict=True)
    ]


def test_sums_of_parts_are_the_sums_of_all():
    random = np.random.default_rng(0)
    photos = photos_of(random, 60, random.normal(size=24))
    once = Crowd.empty(LENGTHS).having(photos)
    twice = Crowd.from_bytes(Crowd.empty(LENGTHS).having(photos[:25]).to_bytes()).having(photos[25:])
    rows = np.stack([np.concatenate([one["deep"], one["color"]]) for one in photos])
    assert once.photos == twice.photos == 60
    assert np.allclose(once.mean, rows.mean(axis=0), atol=1e-6)
    assert np.allclose(twice.mean, once.mean, atol=1e-6)
    assert np.allclose(once.scatter, np.cov(rows.T, bias=True), atol=1e-6)
    assert np.allclose(twice.scatter, once.scatter, atol=1e-6)


def test_photos_that_lack_a_part_are_left_out():
    random = np.random.default_rng(0)
    photos = photos_of(random, 3, random.normal(size=24))
    del photos[1]["color"]
    assert Crowd.empty(LENGTHS).having(photos).photos == 2


def test_no_product_is_near_all_photos_of_a_crowd():
    """Of photos that were not learnt from; by the same projection, and by one that turns and cuts the space."""
    random = np.random.default_rng(1)
    offset = random.normal(size=24)
    crowd = Crowd.empty(LENGTHS).having(photos_of(random, 100, offset))
    asking = photos_of(random, 300, offset)
    turned, _triangle = np.linalg.qr(random.normal(size=(24, 16)))
    for matrix in (None, turned.astype(np.float32)):
        maps = PartMap("deep", np.zeros(24, np.float32), matrix), PartMap("color", np.full(8, 0.3, np.float32))
        projection = Projection(maps)
        width = maps[0].dimension
        rows = random.normal(size=(200, width + 8)).astype(np.float32)
        for where in projection.slices.values():
            rows[:, where] /= np.linalg.norm(rows[:, where], axis=1, keepdims=True)
        weights = {"deep": 0.9, "color": 0.1}
        spread = crowd.seen_by(projection)
        before, after = np.zeros(200), np.zeros(200)
        for photo in asking:
            parts = projection.project(photo)
            plain = 0.9 * rows[:, projection.slices["deep"]] @ parts["deep"]
            plain += 0.1 * rows[:, projection.slices["color"]] @ parts["color"]
            before[np.argsort(-plain)[:10]] += 1
            after[np.argsort(-spread.likenesses(spread.centred(photo), weights, rows))[:10]] += 1
        assert before.max() / 300 > 0.6
        assert after.max() / 300 < 0.2
        assert (after > 0).all()


# --- Learning ---------------------------------------------------------------------------------------------


@pytest.fixture
def world(db, index, monkeypatch) -> Generation:
    """A catalogue whose photos all lie near one direction."""
    monkeypatch.setattr("search.outside.world.LEAST_PHOTOS", 50)
    monkeypatch.setattr("search.generations.fitting.LEAST_PHOTOS", 50)
    for n in range(52):
        add_product(f"P-{n:02d}", SHAPES[n % 4], COLORS[n // 4 % 6], size=(200 + 8 * n, 180))
    index()
    return Generation.objects.live()


def searched(live: Generation, visitors: Sequence[str], random: np.random.Generator, **facts) -> None:
    """Photos that these visitors searched with, like nothing in the catalogue."""
    lengths = {part.name: len(part.centre) for part in live.projection.parts}
    for visitor in visitors:
        photo = QueryPhoto.objects.create(visitor=visitor, sha256="0" * 64, width=9, height=9, **facts)
        row = QueryEmbedding(photo=photo, encoder=live.encoder)
        row.vectors = {
            name: (one := np.abs(random.normal(size=d)).astype(np.float32)) / np.linalg.norm(one)
            for name, d in lengths.items()
        }
        row.save()


def test_enough_photos_of_several_people_are_learnt_from_once(world):
    random = np.random.default_rng(0)
    searched(world, ["one"] * (AT_ONCE + 5), random)
    assert learn() == 0, "photos of a single person say too much of it"
    searched(world, [f"{n % 10}" for n in range(AT_ONCE - EACH)], random)
    assert learn() == AT_ONCE
    assert learn() == 0
    assert OutsideCrowd.objects.get().photos == AT_ONCE
    assert OutsideCrowd.spread_for(world) is None, "too few to tell what they have in common"
    searched(world, [f"later {n}" for n in range(AT_ONCE)], random)
    assert learn() == AT_ONCE
    spread = OutsideCrowd.spread_for(world)
    assert set(spread.means) == set(world.projection.names)
    QueryPhoto.objects.all().delete()
    assert OutsideCrowd.objects.get().photos == 2 * AT_ONCE, "sums stay, photos do not"


def test_photos_of_the_catalogues_world_parts_and_expired_ones_are_not_learnt_from(world, settings):
    random = np.random.default_rng(0)
    searched(world, [str(n) for n in range(AT_ONCE)], random, expires_at=timezone.now() - timedelta(seconds=1))
    assert learn() == 0
    rows = QueryEmbedding.objects.all()
    for row, own in zip(rows, Embedding.objects.all(), strict=False):
        row.vectors = own.vectors
        row.save()
    QueryPhoto.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    assert learn() == 0
    assert rows.filter(is_counted=True).count() >= AT_ONCE - 3
    QueryPhoto.objects.all().delete()
    searched(world, [str(n) for n in range(AT_ONCE)], random)
    QueryEmbedding.objects.update(crop="0,0,500,500")
    assert learn() == 0
    QueryEmbedding.objects.update(crop="")
    settings.SEARCH_LEARN_OUTSIDE = False
    assert learn() == 0
    settings.SEARCH_LEARN_OUTSIDE = True
    assert learn() == AT_ONCE


def test_one_busy_person_does_not_keep_others_waiting(world, monkeypatch):
    monkeypatch.setattr("search.outside.learning._MOST", 2 * AT_ONCE)
    random = np.random.default_rng(0)
    searched(world, [f"{n % 10}" for n in range(AT_ONCE)], random)
    searched(world, ["busy"] * 2 * AT_ONCE, random)  # newer, and as many as are looked at
    assert learn() == 0
    assert learn() == AT_ONCE + EACH
    assert OutsideCrowd.objects.get().photos == AT_ONCE + EACH


def test_sums_are_made_before_anything_is_locked_and_never_written_over_newer_ones(world, monkeypatch):
    random = np.random.default_rng(0)
    searched(world, [str(n) for n in range(AT_ONCE)], random)
    assert learn() == AT_ONCE
    known = OutsideCrowd.objects.get()
    searched(world, [f"later {n}" for n in range(AT_ONCE)], random)
    outside, having, within = len(connection.savepoint_ids), Crowd.having, []

    def meanwhile(crowd: Crowd, photos: Sequence) -> Crowd:
        within.append(len(connection.savepoint_ids) - outside)
        OutsideCrowd.objects.get().save()  # another loop was quicker
        return having(crowd, photos)

    with monkeypatch.context() as patched:
        patched.setattr(Crowd, "having", meanwhile)
        assert learn() == 0
    assert within == [0], "no transaction is open"
    assert OutsideCrowd.objects.get().photos == known.photos
    assert learn() == AT_ONCE, "the next time does it"


def test_very_long_vectors_are_not_learnt_from_and_status_says_so(world, monkeypatch, capsys):
    searched(world, [str(n) for n in range(AT_ONCE)], np.random.default_rng(0))
    with monkeypatch.context() as patched:
        patched.setattr("search.outside.learning.LONGEST", 1_000)
        assert learn() == 0
        call_command("index", "status")
    assert "photos unlike the catalogue are not learnt from" in capsys.readouterr().out
    call_command("index", "status")
    assert "not learnt from" not in capsys.readouterr().out
    assert learn() == AT_ONCE
