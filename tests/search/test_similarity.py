"""The scale of similarity: read off known pairs, kept with the generation, right for any weights."""

import io
import json
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command

from gallery.models import Image
from search import generations
from search.generations import known_pairs
from search.indexing.loop import IndexLoop
from search.models import Generation
from search.outside import world
from search.outside.world import World
from search.similarity import PASSING_TUNED, SimilarityScale
from tests.catalogue import add_product, add_products


def enormous_png() -> bytes:
    """A picture of 60,000 x 60,000 pixels, by its header."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def units(random: np.random.Generator, n: int, d: int, around: np.ndarray | float = 0.0) -> np.ndarray:
    rows = around + random.normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def scale_with(nearest: float, copies: float, parts: int = 1) -> SimilarityScale:
    random = np.random.default_rng(0)
    pairs = random.normal(0, 0.1, (1_000, parts)).astype(np.float32)
    known = {
        "nearest": random.normal(nearest, 0.02, (200, parts)).astype(np.float32),
        "copies": random.normal(copies, 0.01, (40, parts)).astype(np.float32),
    }
    return SimilarityScale(("deep", "color")[:parts], pairs, known)


def test_nearly_the_same_begins_above_what_other_products_reach():
    weights = {"deep": 1.0}
    scale = scale_with(nearest=0.6, copies=0.97)
    weak, very, nearly = scale.lines(weights)
    assert weak < very < nearly
    shares = scale.shares(weights)
    assert shares["nearest"]["nearly-the-same"] == pytest.approx(0.01, abs=0.006)
    assert shares["copies"]["nearly-the-same"] == 1.0
    assert shares["random"]["similar"] == pytest.approx(0.05, abs=0.002)


def test_copies_are_nearly_the_same_even_where_other_products_are_very_like():
    shares = scale_with(nearest=0.89, copies=0.95).shares({"deep": 1.0})
    assert shares["copies"]["nearly-the-same"] >= 0.97
    assert 0.01 < shares["nearest"]["nearly-the-same"] <= 0.1


def test_copies_that_are_less_alike_than_other_products_tell_nothing():
    shares = scale_with(nearest=0.97, copies=0.8).shares({"deep": 1.0})
    assert shares["nearest"]["nearly-the-same"] == pytest.approx(0.01, abs=0.006)


def test_tuned_axes_have_a_weak_line_of_their_own():
    scale = scale_with(nearest=0.6, copies=0.97)
    tuned = SimilarityScale.from_bytes(replace(scale, passing=PASSING_TUNED).to_bytes())
    weights = {"deep": 1.0}
    assert tuned.weak_line(weights) < scale.weak_line(weights)
    assert tuned.shares(weights)["random"]["similar"] == pytest.approx(0.1, abs=0.002)
    assert tuned.lines(weights)[1:] == pytest.approx(scale.lines(weights)[1:])


def test_lines_follow_the_weights():
    scale = scale_with(nearest=0.6, copies=0.97, parts=2)
    alone, both = scale.lines({"deep": 1.0}), scale.lines({"deep": 0.5, "color": 0.5})
    assert both[0] == pytest.approx(alone[0] / np.sqrt(2), rel=0.1), "two independent parts scatter less"


def test_the_scale_survives_storage():
    random = np.random.default_rng(1)
    scale = SimilarityScale(
        ("deep",), random.normal(size=(300, 1)), {"copies": np.ones((30, 1))}, World.fit(units(random, 300, 40),
        np.arange(300))
    )  # fmt: skip
    restored = SimilarityScale.from_bytes(scale.to_bytes())
    photo = units(random, 1, 40)[0]
    assert restored.lines({"deep": 1.0}) == pytest.approx(scale.lines({"deep": 1.0}))
    assert restored.shares({"deep": 1.0}).keys() == {"random", "copies"}
    assert restored.world.line == scale.world.line
    assert restored.world.is_outside(photo) == scale.world.is_outside(photo)


def test_a_scale_from_before_known_pairs_is_still_read():
    file = io.BytesIO()
    np.savez(file, names=np.array(["deep"]), pairs=np.random.default_rng(0).normal(size=(300, 1)))
    scale = SimilarityScale.from_bytes(file.getvalue())
    assert scale.lines({"deep": 1.0}) == scale.random_lines({"deep": 1.0})
    assert not scale.is_outside({"deep": np.ones(4, dtype=np.float32)}, {"deep": 1.0})


def test_held_out_photos_are_rarely_strange_and_others_are():
    random = np.random.default_rng(2)
    axes = units(random, 6, 200)
    here = units(random, 500, 6) @ axes + 0.05 * units(random, 500, 200)
    here /= np.linalg.norm(here, axis=1, keepdims=True)
    fitted = World.fit(here[:400], np.arange(400))
    assert np.mean(fitted.strangeness(here[400:]) > fitted.line) <= 0.1
    assert np.mean(fitted.strangeness(units(random, 200, 200)) > fitted.line) == 1.0


def test_strangeness_is_the_same_every_time():
    rows = units(np.random.default_rng(3), 250, 30, around=0.3)
    first, second = (World.fit(rows, np.arange(250)) for _time in range(2))
    assert first.line == second.line
    assert np.array_equal(first.axes, second.axes)


def test_few_photos_and_few_products_have_no_world():
    rows = units(np.random.default_rng(4), 300, 30)
    assert World.fit(rows[:100], np.arange(100)) is None
    assert World.fit(rows, np.zeros(300)) is None


@pytest.mark.django_db
@pytest.mark.parametrize("category", ["Shapes", ""])
def test_a_small_catalogue_has_the_lines_of_before_it_is_measured(category):
    for n in range(3):
        add_product(f"A-{n}", category=category, size=(200 + 20 * n, 180))
    IndexLoop().run_until_idle()
    live = Generation.objects.live()
    assert (live.calibrated_at, live.scale_shares) == (None, {})
    assert live.scale.lines(live.weights) == (0.3, 0.75, 0.95)


@pytest.mark.django_db
def test_known_pairs_are_measured_and_kept_with_the_generation(monkeypatch):
    monkeypatch.setattr(world, "LEAST_PHOTOS", 1_000)
    add_products(52)
    add_product("TWO-VIEWS", photos=2)
    IndexLoop().run_until_idle()
    live = Generation.objects.live()
    assert live.scale.known.keys() == {"nearest", "category", "product", "copies"}
    # These drawings lose more by being saved again at half their size than they differ, so copies move no line.
    assert live.scale_shares.keys() == {"random", "nearest", "category", "copies"}  # of one product there is one pair
    assert live.scale_shares["nearest"]["nearly-the-same"] <= 2 / 54 + 0.001  # two are each other's nearest
    assert 0.045 <= live.scale_shares["random"]["similar"] < live.scale_shares["nearest"]["similar"]
    assert live.scale.world is None
    output = io.StringIO()
    call_command("index", "status", "--json", stdout=output)
    assert json.loads(output.getvalue())[0]["similarity"] == live.scale_shares


@pytest.mark.django_db
@pytest.mark.parametrize("content", [None, enormous_png()], ids=["gone", "enormous"])
def test_originals_that_cannot_be_opened_only_leave_out_the_copies(content):
    add_products(52)
    IndexLoop().run_until_idle()
    live = Generation.objects.live()
    for image in Image.objects.all():
        image.original.storage.delete(image.original.name)
        if content:
            image.original.storage.save(image.original.name, ContentFile(content))
    scale = known_pairs.scale_of(live, known_pairs.known_photos(live.encoder))
    assert live.scale.known.keys() - scale.known.keys() == {"copies"}
    assert np.array_equal(scale.pairs, live.scale.pairs)


@pytest.mark.django_db
def test_a_catalogue_of_which_only_embeddings_are_left_is_not_measured():
    products = add_products(52)
    IndexLoop().run_until_idle()
    for product in products:
        product.delete()
    built = generations.build(promote_when_ready=True)
    IndexLoop().run_until_idle()
    live = Generation.objects.live()
    assert (live.pk, live.calibrated_at) == (built.pk, None)


@pytest.mark.django_db
def test_of_a_large_catalogue_a_sample_is_measured_that_hardly_changes(monkeypatch):
    monkeypatch.setattr(known_pairs, "MOST_PHOTOS", 12)
    add_products(30)
    IndexLoop().run_until_idle()
    encoder = Generation.objects.live().encoder
    before = known_pairs.known_photos(encoder)
    assert (len(before.hashes), len(before.vectors), len(set(before.products.tolist()))) == (12, 12, 12)
    add_product("ONE-MORE", "stripes", "teal", size=(333, 222))
    IndexLoop().run_until_idle()
    assert len(set(before.hashes) - set(known_pairs.known_photos(encoder).hashes)) <= 1


@pytest.mark.django_db
def test_it_is_measured_again_once_there_are_enough_to_know_the_catalogues_world(monkeypatch):
    add_products(52)
    IndexLoop().run_until_idle()
    first = Generation.objects.live()
    assert first.scale.world is None
    assert not generations.calibrate(first), "once is enough while little has come"
    monkeypatch.setattr(world, "LEAST_PHOTOS", 40)
    monkeypatch.setattr("search.generations.fitting.LEAST_PHOTOS", 40)
    for n in range(8):
        add_product(f"Q-{n}", "square", "teal", size=(300 + 10 * n, 190))
    IndexLoop().run_until_idle()
    again = Generation.objects.live()
    assert again.pk == first.pk
    assert again.scale.world is not None
    assert not generations.calibrate(again)
