"""The life of generations on the embedded engine."""

from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from search import generations
from search.engines import get_engine
from search.indexing.loop import IndexLoop
from search.models import Embedding, Generation
from search.projection import PartMap, Projection
from search.similarity import SimilarityScale
from tests.catalogue import add_product, add_products


def random_units(random: np.random.Generator, n: int, d: int) -> np.ndarray:
    rows = random.normal(size=(n, d)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@given(seed=st.integers(0, 10_000), weight=st.floats(0.0, 1.0), missing=st.sampled_from([None, "deep", "color"]))
def test_dot_product_is_the_weighted_sum_of_cosines(seed, weight, missing):
    random = np.random.default_rng(seed)
    projection = Projection(
        (
            PartMap("deep", random.normal(size=8).astype(np.float32) * 0.1, random_units(random, 8, 5)),
            PartMap("color", random.normal(size=4).astype(np.float32) * 0.1),
        )
    )
    document = {"deep": random_units(random, 1, 8)[0], "color": random_units(random, 1, 4)[0]}
    query = {"deep": random_units(random, 1, 8)[0], "color": random_units(random, 1, 4)[0]}
    document.pop(missing, None)
    documents, queries = projection.project(document), projection.project(query)
    weights = projection.usable_weights({"deep": weight, "color": 1 - weight}, queries)
    vector = projection.document_vector(documents)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    asked = projection.query_vector(queries, weights)
    assert np.linalg.norm(asked) == pytest.approx(1, abs=1e-5)
    expected = sum(w * float(documents[name] @ queries[name]) for name, w in weights.items() if name in documents)
    assert float(vector @ asked) * projection.factor(weights) == pytest.approx(expected, abs=1e-4)


def test_projection_survives_storage():
    random = np.random.default_rng(0)
    projection = Projection.fit(
        {"deep": random_units(random, 50, 12), "color": random_units(random, 50, 4)},
        {"deep": 6},
        {"deep": 12, "color": 4},
    )
    restored = Projection.from_bytes(projection.to_bytes())
    assert restored.names == ("deep", "color")
    assert restored.dimension == 6 + 4 + 1
    sample = {"deep": random_units(random, 1, 12)[0], "color": random_units(random, 1, 4)[0]}
    for name, part in restored.project(sample).items():
        assert np.allclose(part, projection.project(sample)[name])


def test_a_query_without_any_weighted_part_says_so():
    projection = Projection.starting({"deep": 4, "color": 2})
    with pytest.raises(ValueError, match="weight above 0"):
        projection.query_vector({"color": np.ones(2, dtype=np.float32)}, {"deep": 1.0})


def test_scale_knows_the_weak_line_for_any_weights():
    random = np.random.default_rng(0)
    scale = SimilarityScale.measure({"deep": random_units(random, 300, 16), "color": random_units(random, 300, 3)})
    restored = SimilarityScale.from_bytes(scale.to_bytes())
    narrow, wide = restored.weak_line({"deep": 1.0}), restored.weak_line({"color": 1.0})
    assert 0 < narrow < wide < 1, "random colours are more alike than random contents"
    floors = [band.floor for band in restored.bands({"deep": 0.9, "color": 0.1})]
    assert floors == sorted(floors, reverse=True)


@pytest.mark.django_db
def test_only_one_generation_is_live():
    add_product("A-1")
    IndexLoop().run_until_idle()
    other = generations.build()
    with pytest.raises(IntegrityError), transaction.atomic():
        Generation.objects.filter(pk=other.pk).update(state="live")


@pytest.mark.django_db
def test_the_fitted_generation_is_built_and_promoted_by_itself(settings):
    settings.SEARCH_FIT_AT = 60
    settings.SEARCH_DEEP_DIMENSIONS = 16
    add_products(60)
    IndexLoop().run_until_idle()
    first, second = Generation.objects.all()
    assert (first.state, second.state) == ("retired", "live")
    assert second.sample_size == 60
    assert second.projection.dimension == 16 + 64 + 28 + 72 + 1
    assert second.scale.is_calibrated
    engine = get_engine(second.engine)
    assert dict(engine.keys_and_versions(second.pk)) == dict(engine.keys_and_versions(first.pk))


@pytest.mark.django_db
def test_edits_reach_a_retired_generation_until_it_is_dropped(settings):
    settings.SEARCH_FIT_AT = 10
    products = add_products(12)
    IndexLoop().run_until_idle()
    products[0].images.get().delete()
    IndexLoop().run_until_idle()
    retired = Generation.objects.get(state="retired")
    assert len(dict(get_engine("embedded").keys_and_versions(retired.pk))) == 11
    with pytest.raises(CommandError, match="until a moment ago"):
        call_command("index", "drop", str(retired.pk))
    Generation.objects.filter(pk=retired.pk).update(retired_at=timezone.now() - timedelta(minutes=2))
    call_command("index", "drop", str(retired.pk))
    retired.refresh_from_db()
    assert retired.state == "dropped"
    assert not retired.placements.exists()


@pytest.mark.django_db
def test_building_runs_no_model_again(monkeypatch):
    add_products(8)
    IndexLoop().run_until_idle()
    before = list(Embedding.objects.values_list("pk", "created_at"))

    def never(self, squares):
        raise AssertionError("the model ran again")

    monkeypatch.setattr("search.encoders.networks.efficientnet_lite.EfficientNetLite.forward", never)
    call_command("index", "build", "--promote")
    IndexLoop().run_until_idle()
    assert Generation.objects.live().sample_size == 8
    assert list(Embedding.objects.values_list("pk", "created_at")) == before


@pytest.mark.django_db
def test_a_generation_that_is_being_built_or_dropped_cannot_be_promoted():
    add_products(3)
    IndexLoop().run_until_idle()
    building = generations.build()
    with pytest.raises(CommandError, match="building"):
        call_command("index", "promote", str(building.pk))
    generations.drop(building)
    with pytest.raises(CommandError, match="dropped"):
        call_command("index", "promote", str(building.pk))
    with pytest.raises(CommandError, match="no generation 999"):
        call_command("index", "promote", "999")


@pytest.mark.django_db
def test_the_live_generation_cannot_be_dropped():
    add_product("A-1")
    IndexLoop().run_until_idle()
    with pytest.raises(CommandError, match="is live"):
        call_command("index", "drop", str(Generation.objects.live().pk))
    assert Generation.objects.live() is not None


@pytest.mark.django_db
def test_a_retired_generation_can_be_promoted_again():
    add_products(4)
    IndexLoop().run_until_idle()
    first = Generation.objects.live()
    generations.build(promote_when_ready=True)
    IndexLoop().run_until_idle()
    assert Generation.objects.live() != first
    call_command("index", "promote", str(first.pk))
    assert Generation.objects.live() == first
