"""Vectors that go out with the catalogue and come in with it: no model runs for what is known."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from gallery.models import Image, Product
from search.encoders import get_encoder
from search.models import Embedding, Generation
from tests.catalogue import add_product
from tests.internet import PUBLIC, gives, internet, serving
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db


def exported(target: Path) -> list[dict]:
    call_command("export_catalogue", str(target), "--site", "http://shop.example", stdout=io.StringIO())
    return [json.loads(line) for line in target.read_text().splitlines()]


def imported(source: Path, *options: str) -> str:
    err = io.StringIO()
    call_command("import_catalogue", str(source), *options, stdout=io.StringIO(), stderr=err)
    return err.getvalue()


def written(folder: Path, **fields) -> Path:
    """One document with its picture beside it."""
    (folder / "red.jpg").write_bytes(jpeg())
    path = folder / "d.ndjson"
    path.write_text(json.dumps({"sku": "R-1", "file": "red.jpg", **fields}) + "\n")
    return path


def unit(length: int) -> list[float]:
    vector = np.random.default_rng(7).normal(size=length)
    return (vector / np.linalg.norm(vector)).tolist()


@pytest.fixture
def identity() -> str:
    return get_encoder("efficientnet-lite2").identity


def test_a_vector_comes_back_as_it_went_and_no_model_runs(tmp_path, index, encoded, monkeypatch):
    image = add_product("R-1", photos=1).images.get()
    original = image.original.read()
    index()
    before = Embedding.objects.get(sha256=image.sha256)
    assert encoded == [1]
    _action, document = exported(tmp_path / "t.ndjson")
    live = Generation.objects.live()
    assert "@".join(document["encoder"].values()) == live.encoder
    assert len(document["image_vector"]) == max(end for _start, end in document["image_vector_parts"].values())
    Product.objects.all().delete()
    Embedding.objects.all().delete()
    with internet(monkeypatch.setattr) as net:
        net.names["shop.example"] = [[PUBLIC]]
        address = document["image_url"].removeprefix("http://shop.example").partition("?")[0]
        with serving(net, PUBLIC, {address: gives(original)}):
            assert imported(tmp_path / "t.ndjson") == ""
    after = Embedding.objects.get()
    assert (after.sha256, after.encoder) == (before.sha256, before.encoder)
    for name, vector in before.vectors.items():
        np.testing.assert_allclose(after.vectors[name], vector, atol=1e-6)
    index()
    assert encoded == [1], "the vector that came along was used"
    assert Image.objects.get().pk in _held()


def _held() -> set:
    from search.engines import get_engine

    live = Generation.objects.live()
    return set(dict(get_engine(live.engine).keys_and_versions(live.pk)))


def test_numbers_without_parts_are_all_parts_in_their_order(tmp_path, identity):
    lengths = get_encoder("efficientnet-lite2").dimensions
    assert imported(written(tmp_path, encoder=identity, image_vector=unit(sum(lengths.values())))) == ""
    row = Embedding.objects.get()
    assert {name: len(vector) for name, vector in row.vectors.items()} == dict(lengths)
    for vector in row.vectors.values():
        assert np.linalg.norm(vector) == pytest.approx(1)


def test_a_dry_run_judges_a_vector_and_keeps_none(tmp_path, identity):
    assert "it has 3 numbers" in imported(written(tmp_path, encoder=identity, image_vector=[1, 2, 3]), "--dry-run")
    assert imported(written(tmp_path, encoder=identity, image_vector=unit(1280 + 64 + 28 + 72)), "--dry-run") == ""
    assert not Embedding.objects.exists()


def test_an_embedding_that_is_there_stays(tmp_path, index, identity):
    imported(written(tmp_path))
    index()
    before = Embedding.objects.get().numbers
    imported(written(tmp_path, title="Other", encoder=identity, image_vector=unit(1444)))
    assert bytes(Embedding.objects.get().numbers) == bytes(before)


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"image_vector": [0.1] * 5}, "it has 5 numbers, and the encoder gives 1444"),
        ({"image_vector": [0.1] * 5, "image_vector_parts": {"deep": [0, 5]}}, "“deep” has 5 numbers"),
        ({"image_vector": unit(1280), "image_vector_parts": {"deep": [0, 2000]}}, "“deep” has 1280 numbers"),
        ({"image_vector": unit(64), "image_vector_parts": {"color": [0, 64]}}, "“deep” is missing"),
        ({"image_vector": unit(64), "image_vector_parts": {"smell": [0, 64]}}, "not those of the encoder"),
        ({"image_vector": unit(64), "image_vector_parts": [1]}, "“deep” is missing"),
        ({"image_vector": "AAAA"}, "no list of numbers"),
        ({"image_vector": [True] * 1444}, "no list of numbers"),
        ({"image_vector": [10**400] * 1444}, "numbers that are none"),
        ({"image_vector": [0] * 1444}, "has no length"),
        ({"image_vector": [0.1], "encoder": "clip@9"}, "“clip@9” is unknown here"),
        ({"image_vector": [0.1], "encoder": {"name": "efficientnet-lite2", "version": "0"}}, "@0” is unknown here"),
        ({"image_vector": [0.1], "encoder": 5}, "is unknown here"),
    ],
)
def test_a_vector_that_cannot_be_used_costs_a_note_and_nothing_else(tmp_path, identity, fields, note):
    said = imported(written(tmp_path, **{"encoder": identity, **fields}))
    assert note in said and "the picture is embedded" in said
    assert Image.objects.count() == 1 and not Embedding.objects.exists()
