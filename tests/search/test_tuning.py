"""Tuning on the catalogue's own labels, through the page and the command: colours of drawn shapes are categories."""

import io
import json
from collections.abc import Callable
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from gallery import jobs
from gallery.models import Category, Image, Job, Product
from search.engines import get_engine
from search.generations import GenerationError
from search.models import Embedding, Generation, PictureVocabulary, Tuning
from search.projection import PartMap, Projection
from search.text_to_picture.upkeep import VocabularyUpkeep
from search.tuning import labelled, measuring, training
from search.tuning.figures import Compared, Outcome
from search.tuning.labelled import gather
from search.tuning.learning import learn, verdict_on
from search.tuning.measuring import blended, drawn_queries, folds_of, in_order
from tests.catalogue import COLORS, SHAPES, add_photo, add_product

pytestmark = pytest.mark.django_db
PER_COLOR = 8


@pytest.fixture
def drawn(index) -> list[Product]:
    """Eight products in each of four colours, of shapes that a network finds more telling than colours."""
    products = [
        add_product(
            f"{color}-{n}".upper(),
            SHAPES[n % len(SHAPES)],
            color,
            category=color.capitalize(),
            brand="Velluto",
            size=(220 + 14 * n, 180 + 6 * n),
        )
        for color in COLORS[:4]
        for n in range(PER_COLOR)
    ]
    index()
    return products


@pytest.fixture
def desk(staff, client_of) -> Client:
    return client_of(staff)


@pytest.fixture
def shuffled(drawn) -> None:
    """Categories that say nothing of the photos: each has two products of every shape, and of every colour."""
    categories = list(Category.objects.order_by("name"))
    for n, product in enumerate(drawn):
        within, color = n % PER_COLOR, n // PER_COLOR
        Product.objects.filter(pk=product.pk).update(category=categories[(color + within // 2 + within) % 4])


def tune(*options: str) -> dict:
    output = io.StringIO()
    call_command("tune", "--json", *options, stdout=output)
    return json.loads(output.getvalue())


def text_of(response) -> str:
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


def work() -> Job:
    """What the worker does with the job that was begun last."""
    job = Job.objects.filter(kind=training.JOB).first()
    jobs.run(str(job.pk))
    job.refresh_from_db()
    return job


def test_what_helps_is_built_and_takes_over(drawn, index, desk):
    live = Generation.objects.live()
    answer = tune()
    assert answer["verdict"] == "better"
    assert answer["seen"]["low"] > 0
    assert answer["seen"]["tuned"]["precision_at_10"] > answer["seen"]["untuned"]["precision_at_10"]
    assert answer["unseen"]["gain"] >= 0
    assert Generation.objects.live() == live, "nothing takes over before it is full"
    index()
    after = Generation.objects.live()
    assert after.pk == answer["generation"] and after.tuning.is_better
    text = text_of(desk.get(reverse("index")))
    assert f"Generation {after.pk}, which is made with it, is live." in text
    photo = drawn[0].images.get()
    hits = desk.get("/api/v1/search", {"image_id": str(photo.pk), "limit": "4", "weaker": "1"}).json()["hits"]
    assert len(hits) == 4 and {hit["product"]["category"] for hit in hits[:2]} == {"Red"}


def test_labels_that_say_nothing_are_refused(shuffled, desk):
    answer = tune()
    assert (answer["verdict"], answer["generation"]) == ("not-better", None)
    assert Generation.objects.count() == 1
    assert "not better by more than chance makes" in text_of(desk.get(reverse("index")))


def test_the_same_catalogue_gives_the_same_figures(drawn):
    first, second = (tune("--no-promote") if n == 0 else _again() for n in range(2))
    assert first["seen"] == second["seen"] and first["share"] == second["share"]


def _again() -> dict:
    call_command("index", "cancel", str(Generation.objects.order_by("-pk")[0].pk), stdout=io.StringIO())
    return tune("--no-promote")


@pytest.mark.parametrize("photos", [0, 3])
def test_too_few_labels_are_told(index, desk, photos):
    for n in range(photos):
        add_product(f"P-{n}", color=COLORS[n])
    index()
    with pytest.raises(CommandError, match="too few labels"):
        tune()
    desk.post(reverse("index-tuning-start"), {"promote": "on"})
    assert work().state == Job.State.FAILED
    assert "too few labels to learn from" in text_of(desk.get(reverse("index")))
    assert not Tuning.objects.exists()


def test_one_category_is_too_few(drawn):
    Product.objects.update(category=Category.objects.first())
    with pytest.raises(CommandError, match="So far 1 category"):
        tune()


def test_without_an_index_it_says_what_to_do(desk):
    with pytest.raises(CommandError, match="no index yet"):
        tune()
    answer = desk.post(reverse("index-tuning-start"), follow=True)
    assert "There is no index yet" in text_of(answer)


def test_the_page_begins_one_job_however_often_it_is_pressed(drawn, desk):
    for _n in range(2):
        answer = desk.post(reverse("index-tuning-start"), follow=True)
    assert "It is being tuned already." in text_of(answer)
    assert Job.objects.get(kind=training.JOB).alone, "of two clicks at once one begins it"
    progress = desk.get(reverse("index-tuning-progress"))
    assert progress.status_code == 200 and "HX-Refresh" not in progress
    job = work()
    assert job.state == Job.State.DONE and job.result["verdict"] == "better"
    assert desk.get(reverse("index-tuning-progress"))["HX-Refresh"] == "true"
    built = Generation.objects.get(pk=job.result["generation"])
    assert not built.promote_when_ready, "the box was not ticked"


def test_a_job_that_was_killed_makes_no_second_generation(drawn, desk):
    desk.post(reverse("index-tuning-start"), {"promote": "on"})
    job = work()
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING, result={})
    jobs.run(str(job.pk))
    assert Generation.objects.count() == 2 and Tuning.objects.count() == 1
    # Killed after its figures were stored, and before there was a generation: it learns anew.
    Generation.objects.exclude(state="live").delete()
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING, result={})
    jobs.run(str(job.pk))
    assert Generation.objects.count() == 2 and Tuning.objects.count() == 1


@pytest.mark.parametrize("change", ["rename", "delete"])
def test_a_category_may_change_meanwhile(drawn, change):
    changed: list[bool] = []

    def tell(done: int, total: int, says: str) -> None:
        if done == 2 and not changed:
            changed.append(True)
            red = Category.objects.filter(name="Red")
            if change == "rename":
                red.update(name="Crimson")
            else:
                Product.objects.filter(category__in=red).update(category=None)
                red.delete()

    tuning = training.tune(tell)
    assert changed and tuning.verdict in Tuning.Verdict.values


def test_a_second_is_not_begun_while_one_is_being_built(drawn):
    number = tune()["generation"]
    with pytest.raises(CommandError, match=f"Generation {number}, which was tuned, is still being built"):
        tune()


def test_of_two_that_run_side_by_side_the_second_builds_nothing(drawn):
    begun: list[Tuning] = []

    def tell(done: int, total: int, says: str) -> None:
        if done == 2 and not begun:
            begun.append(training.tune())

    with pytest.raises(GenerationError, match="which was tuned, is still being built"):
        training.tune(tell)
    assert (list(Tuning.objects.all()), Generation.objects.count()) == (begun, 2)


@pytest.mark.parametrize("was_worth_more", [False, True])
def test_a_tuned_one_gives_way_to_one_that_gains_no_less(drawn, index, was_worth_more):
    first = tune()
    index()
    live = Generation.objects.live()
    Generation.objects.filter(pk=live.pk).update(weights={"deep": 0.9, "color": 0.1})
    if was_worth_more:
        figures = live.tuning.figures
        Tuning.objects.update(figures={**figures, "seen": {**figures["seen"], "low": first["seen"]["gain"] + 0.01}})
    second = tune()
    assert (second["seen"], second["weights"]) == (first["seen"], first["weights"]), "it starts where the first did"
    index()
    built = Generation.objects.get(pk=second["generation"])
    assert built.state == ("ready" if was_worth_more else "live")
    assert (f"It gains less than generation {live.pk} did" in built.note) == was_worth_more


def test_of_many_photos_every_category_asks(drawn, index, monkeypatch):
    for n in range(5):
        add_product(f"RARE-{n}", SHAPES[n % 4], "brown", category="Rare", size=(240 + 14 * n, 200))
    index()
    samples = gather(Generation.objects.live())
    assert drawn_queries(samples).tolist() == list(range(37)), "few photos ask all"
    monkeypatch.setattr(measuring, "MOST_QUERIES", 25)
    assert np.bincount(samples.categories[drawn_queries(samples)]).tolist() == [5] * 5
    monkeypatch.setattr(measuring, "_SURE_QUERIES", 0)
    monkeypatch.setattr(measuring, "MOST_QUERIES", 7)
    assert len(set(samples.categories[drawn_queries(samples)].tolist())) < 5
    assert tune()["unseen"], "a category that nobody asks for is not left out"


def test_of_a_large_catalogue_rare_categories_are_learnt_from_first(drawn, index, monkeypatch):
    monkeypatch.setattr(labelled, "MOST_PHOTOS", 30)
    monkeypatch.setattr(labelled, "SURE_IMAGES", 5)
    for n in range(5):
        add_product(f"RARE-{n}", SHAPES[n % 4], "brown", category="Rare", size=(240 + 14 * n, 200))
    index()
    with CaptureQueriesContext(connection) as asked:
        samples = gather(Generation.objects.live())
    assert samples.n == 30
    assert int((samples.categories == samples.names.index("Rare")).sum()) == 5
    facts = [one["sql"] for one in asked.captured_queries if "brand_id" in one["sql"] and "sha256" in one["sql"]]
    assert facts and all(" IN (" in sql for sql in facts), "only of those that were drawn"


def test_vectors_too_short_to_be_fitted_keep_what_tells_most(drawn):
    random = np.random.default_rng(0)
    rows = random.normal(size=(500, 16)).astype(np.float32) * np.repeat([0.01, 1.0], 8).astype(np.float32)
    base, first = PartMap("deep", np.zeros(16, np.float32), None), np.eye(16, dtype=np.float32)[:, :4]
    ordered = in_order(base, rows)
    assert np.allclose(ordered.apply(rows[0]) @ ordered.apply(rows[1]), base.apply(rows[0]) @ base.apply(rows[1]))
    own = blended(ordered, PartMap("deep", base.centre, first), 0.5, rows).matrix[:, 4:]
    kept = np.linalg.norm(own, axis=1) / np.linalg.norm(own, axis=0).max()
    assert np.allclose(kept[8:], 1, atol=0.01), "the last features tell most, and axes of the others give way"

    for row, vector in zip(Embedding.objects.all(), rows, strict=False):
        row.vectors = {"deep": vector}
        row.save()
    live = Generation.objects.live()
    starting = Projection.starting({"deep": 16})
    Generation.objects.filter(pk=live.pk).update(projection_data=starting.to_bytes(), created_at=timezone.now())
    live.refresh_from_db()
    (deep,) = learn(live, gather(live), lambda done, total, says: None).projection.parts
    assert deep.matrix.shape == (16, 16)


def test_one_file_is_never_on_both_sides(drawn, index: Callable[[], None]):
    twin = add_product("TWIN", photos=0, category="Blue")
    add_photo(twin, SHAPES[0], "red", "twin.jpg", size=(220, 180))
    index()
    assert Image.objects.filter(sha256=twin.images.get().sha256).count() == 2
    samples = gather(Generation.objects.live())
    folds = folds_of(samples)
    for group in set(samples.groups.tolist()):
        assert len(set(folds[samples.groups == group].tolist())) == 1
    assert samples.group_count == len(drawn)
    assert Embedding.objects.count() == len(drawn)


@pytest.fixture(params=["elasticsearch_8", "elasticsearch_9"])
def elasticsearch(request, settings):
    settings.SEARCH_URL = request.getfixturevalue(request.param).url
    settings.SEARCH_INDEX_PREFIX = f"test-{uuid4().hex[:12]}"
    get_engine.cache_clear()
    yield request.param
    for generation in Generation.objects.filter(engine="elasticsearch"):
        get_engine("elasticsearch").drop(generation.pk)
    get_engine.cache_clear()


def test_on_elasticsearch_it_takes_over_is_measured_and_is_taken_back(elasticsearch, drawn, index, client):
    before = Generation.objects.live()
    tuned = tune()["generation"]
    index()
    assert Generation.objects.live().pk == tuned
    call_command("index", "reconcile", "--check", stdout=io.StringIO())
    measured = io.StringIO()
    call_command("quality", "--task", "category", "--json", stdout=measured)
    assert json.loads(measured.getvalue())["generation"] == tuned
    late = add_product("LATE", "circle", "red", category="Red", size=(333, 222))
    index()
    asked = {"image_id": str(late.images.get().pk), "limit": "4", "weaker": "1"}
    for live in (tuned, before.pk):
        answer = client.get("/api/v1/search", asked).json()
        assert answer["generation"] == live and len(answer["hits"]) == 4
        if live == tuned:
            call_command("index", "rollback", stdout=io.StringIO())
    call_command("index", "reconcile", "--check", stdout=io.StringIO())


def outcome(precision: list[float], none: list[float]) -> Outcome:
    values = np.tile(np.array(precision), 50), np.tile(np.array(none), 50)
    return Outcome(np.arange(len(values[0])), values[0], values[0], values[1])


def test_more_right_ones_do_not_make_up_for_first_rows_without_any(staff, client_of):
    untuned = outcome([0.5, 0.5, 0.6, 0.4], [0, 0, 0, 0])
    seen = Compared.of(untuned, outcome([1.0, 1.0, 1.0, 0.0], [0, 0, 0, 1]))
    assert seen.is_better
    assert verdict_on(seen, None) == Tuning.Verdict.FIRST_ROW_WORSE
    same = Compared.of(untuned, outcome([1.0, 1.0, 1.0, 0.4], [0, 0, 0, 0]))
    assert verdict_on(same, None) == Tuning.Verdict.BETTER
    assert verdict_on(same, seen) == Tuning.Verdict.FIRST_ROW_WORSE


def test_words_have_their_looks_again_soon_after_it_took_over(drawn, index, settings, client):
    settings.TEXT_ENCODER = "tests.texts.LetterTriples"
    upkeep = VocabularyUpkeep()
    while upkeep.make_some():
        pass
    tune()
    index()
    assert PictureVocabulary.of(Generation.objects.live()) is None
    while upkeep.make_some():
        pass
    assert PictureVocabulary.of(Generation.objects.live()) is not None, "it does not rest as long as after a change"


def test_when_everything_is_indexed_it_is_tuned_once(drawn, index):
    output = io.StringIO()
    call_command("tune", "--when-indexed", "--no-promote", stdout=output)
    assert "Better on products that it had not seen" in output.getvalue()
    assert "Compare it when it is ready" in output.getvalue()
    call_command("tune", "--when-indexed", stdout=output)
    assert Tuning.objects.count() == 1
