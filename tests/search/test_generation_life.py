"""Another model beside the live one: built while people edit, compared, promoted, rolled back; on every engine."""

from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from gallery.models import Image
from search import generations
from search.encoders import encoder_for, get_encoder
from search.engines import get_engine
from search.indexing.coverage import coverage
from search.indexing.loop import IndexLoop
from search.indexing.reconcile import reconcile
from search.models import Embedding, Generation, Placement, Tuning
from search.views.index.failed import by_reason
from tests.catalogue import add_product, add_products

pytestmark = pytest.mark.django_db
LITE0 = "efficientnet-lite0"


@pytest.fixture(params=["embedded", "elasticsearch_8", "elasticsearch_9"])
def engine(request, settings):
    """Where generations are built; a server's indices go with the test."""
    if request.param != "embedded":
        settings.SEARCH_URL = request.getfixturevalue(request.param).url
        settings.SEARCH_INDEX_PREFIX = f"test-{uuid4().hex[:12]}"
    get_engine.cache_clear()
    yield request.param
    for generation in Generation.objects.filter(engine="elasticsearch"):
        get_engine("elasticsearch").drop(generation.pk)
    get_engine.cache_clear()


def run_loop() -> None:
    IndexLoop().run_until_idle()


def steps(count: int) -> None:
    loop = IndexLoop()
    for _step in range(count):
        loop.step(patient=False)


def held(generation: Generation) -> set:
    return {key for key, _version in get_engine(generation.engine).keys_and_versions(generation.pk)}


def test_another_encoder_is_built_promoted_and_rolled_back_while_people_edit(engine, settings, client):
    settings.SEARCH_BATCH = 4
    settings.SEARCH_FIT_LEAST = 6
    products = add_products(12)
    run_loop()
    first = Generation.objects.live()

    call_command("index", "build", "--encoder", LITE0)
    second = Generation.objects.get(state="building")
    assert second.preparing, "nothing is embedded with it, so there is no projection yet"
    assert second.to_embed == 12
    steps(1)
    products[0].images.get().delete()
    late = add_product("LATE", "triangle", "purple")
    run_loop()
    second.refresh_from_db()
    assert (second.state, second.preparing) == ("ready", False)
    assert second.sample_size >= 6
    assert second.scale.pairs.shape[1] == len(second.projection.names) or not second.scale.is_calibrated
    assert Generation.objects.live() == first, "a ready generation waits for somebody's decision"
    assert held(first) == held(second) == set(Image.objects.values_list("pk", flat=True))

    call_command("index", "promote", str(second.pk))
    image = late.images.get()
    answer = client.get(reverse("api-search"), {"image_id": image.pk}).json()
    assert answer["generation"] == second.pk
    add_product("LATER", "circle", "orange")
    products[1].images.get().delete()
    run_loop()
    call_command("index", "rollback")
    assert Generation.objects.live() == first
    assert held(first) == set(Image.objects.values_list("pk", flat=True)), "what changed meanwhile is there"
    assert client.get(reverse("api-search"), {"image_id": image.pk}).json()["generation"] == first.pk
    assert reconcile(first, repair=False).total == reconcile(second, repair=False).total == 0
    call_command("index", "rollback")
    assert Generation.objects.live() == second, "the one that was left can be gone back to in its turn"


def test_the_sample_is_random_and_each_file_is_embedded_once(settings, encoded):
    settings.SEARCH_FIT_LEAST = 5
    settings.SEARCH_BATCH = 5
    add_products(20)
    run_loop()
    encoded.clear()
    generations.build(encoder=LITE0)
    steps(1)
    sampled = set(Embedding.objects.filter(encoder__startswith=LITE0).values_list("sha256", flat=True))
    first = set(Image.objects.order_by("pk").values_list("sha256", flat=True)[:5])
    assert len(sampled) == 5
    assert sampled != first
    run_loop()
    assert sum(encoded) == 20


def test_a_paused_build_waits_and_a_cancelled_one_keeps_its_embeddings(settings, encoded):
    settings.SEARCH_BATCH = 4
    settings.SEARCH_FIT_LEAST = 4
    add_products(12)
    run_loop()
    live = Generation.objects.live()
    generation = generations.build(encoder=LITE0)
    steps(3)
    call_command("index", "pause", str(generation.pk))
    written = generation.placements.filter(version__gt=0).count()
    product = add_product("NEW")
    run_loop()
    assert 0 < written == generation.placements.filter(version__gt=0).count() < 12
    assert product.images.get().pk in held(live), "the live one goes on"
    account = coverage(Generation.objects.get(pk=generation.pk))
    assert (account.paused, account.seconds_left) == (True, None)

    call_command("index", "resume", str(generation.pk))
    run_loop()
    generation.refresh_from_db()
    assert generation.state == "ready"
    assert generation.seconds_per_document > 0
    assert generation.seconds_per_embedding > 0
    call_command("index", "cancel", str(generation.pk))
    assert Generation.objects.get(pk=generation.pk).state == "dropped"
    encoded.clear()
    again = generations.build(encoder=LITE0)
    assert (again.preparing, again.to_embed) == (False, 0)
    run_loop()
    assert encoded == []
    with pytest.raises(CommandError, match="not being built"):
        call_command("index", "pause", str(live.pk))
    with pytest.raises(CommandError, match="no building to cancel"):
        call_command("index", "cancel", str(live.pk))


def test_the_plan_says_what_must_be_embedded(capsys):
    add_products(5)
    run_loop()
    call_command("index", "build", "--encoder", LITE0, "--plan")
    assert "5 images, 5 files to embed" in capsys.readouterr().out
    call_command("index", "build", "--plan")
    assert "5 images, 0 files to embed" in capsys.readouterr().out
    assert Generation.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--encoder", "resnet-9000"), "no encoder 'resnet-9000'"),
        (("--m", "1"), "m is 1"),
        (("--oversample", "99"), "oversample is 99"),
    ],
)
def test_a_build_that_cannot_be_done_leaves_everything_alone(arguments, text):
    add_products(3)
    run_loop()
    with pytest.raises(CommandError, match=text):
        call_command("index", "build", *arguments)
    assert Generation.objects.get().state == "live"


def test_what_an_image_did_to_the_sample_is_told_and_holds_up_nothing(settings):
    settings.SEARCH_FIT_LEAST = 6
    products = add_products(6)
    run_loop()
    broken = products[2].images.get()
    with broken.original.storage.open(broken.original.name, "wb") as file:
        file.write(b"corrupt")
    generation = generations.build(encoder=LITE0)
    run_loop()
    generation.refresh_from_db()
    assert (generation.preparing, generation.sample_size) == (False, 5)
    (group,) = by_reason(generation)
    (failed,) = group.images
    assert (failed.image, failed.attempts > 0) == (broken, True)
    assert "cannot be decoded" in group.reason


def test_a_changed_version_builds_its_successor_by_itself(settings, monkeypatch):
    settings.SEARCH_FIT_LEAST = 3
    add_products(6)
    run_loop()
    before = Generation.objects.live()
    old = before.encoder
    outdated = f"{old.rpartition('@')[0]}@0"
    Embedding.objects.update(encoder=outdated)
    Generation.objects.filter(pk=before.pk).update(encoder=outdated)
    run_loop()
    live = Generation.objects.live()
    assert (live.encoder, live.pk != before.pk) == (old, True)
    assert held(live) == set(Image.objects.values_list("pk", flat=True))


def test_a_generation_of_the_former_default_works_until_its_successor_takes_over(settings, client):
    settings.SEARCH_FIT_LEAST = 4
    name, usual = settings.SEARCH_ENCODER, settings.SEARCH_ENCODERS
    settings.SEARCH_ENCODERS = {
        name: {**usual[name], "OPTIONS": {**usual[name]["OPTIONS"], "pooling": "mean", "side": 260}}
    }
    add_products(6)
    run_loop()
    before = Generation.objects.live()
    kept = {row.sha256: bytes(row.numbers) for row in Embedding.objects.filter(encoder=before.encoder)}

    settings.SEARCH_ENCODERS = usual  # the upgrade
    fresh = add_product("FRESH", "triangle", "purple", size=(210, 190)).images.get()
    loop = IndexLoop()
    while not Embedding.objects.filter(encoder=before.encoder, sha256=fresh.sha256).exists():
        assert loop.step(patient=False), "the generation that answers takes in what is new"
    assert Generation.objects.live() == before
    answer = client.post(reverse("api-search"), {"image": fresh.original.open("rb")}).json()
    assert answer["generation"] == before.pk
    assert answer["hits"][0]["image"]["id"] == str(fresh.pk)
    assert answer["hits"][0]["similarity"] == pytest.approx(1, abs=1e-3), "query and index have one pooling"

    run_loop()
    live = Generation.objects.live()
    assert (live.encoder, live.encoder != before.encoder) == (get_encoder(name).identity, True)
    assert held(live) == held(before) == set(Image.objects.values_list("pk", flat=True))
    answer = client.post(reverse("api-search"), {"image": fresh.original.open("rb")}).json()
    assert (answer["generation"], answer["hits"][0]["image"]["id"]) == (live.pk, str(fresh.pk))
    assert answer["hits"][0]["similarity"] == pytest.approx(1, abs=1e-3)
    rows = Embedding.objects.all()
    assert {row.sha256: bytes(row.numbers) for row in rows if row.encoder == before.encoder and row.sha256 in kept} == (
        kept
    ), "what the former one said is not touched"
    new = {row.sha256: row.vectors["deep"] for row in rows if row.encoder == live.encoder}
    old = {row.sha256: row.vectors["deep"] for row in rows if row.encoder == before.encoder}
    assert len(new) == len(old) == 7
    assert all(new[sha256] @ old[sha256] < 0.99 for sha256 in new), "each has its own numbers"
    call_command("index", "rollback")
    later = add_product("LATER", "circle", "orange").images.get()
    run_loop()
    assert Generation.objects.live() == before, "going back is not undone by itself"
    assert Generation.objects.count() == 2
    assert client.get(reverse("api-search"), {"image_id": later.pk}).json()["generation"] == before.pk


@pytest.mark.parametrize("works", [True, False])
def test_a_tuned_generation_gives_way_to_one_that_is_not_tuned_only_where_its_encoder_has_gone(settings, works):
    settings.SEARCH_FIT_LEAST = 4
    name, usual = settings.SEARCH_ENCODER, settings.SEARCH_ENCODERS
    options = {"pooling": "mean", "side": 260} if works else {"middle": 0.8}
    settings.SEARCH_ENCODERS = {name: {**usual[name], "OPTIONS": {**usual[name]["OPTIONS"], **options}}}
    add_products(6)
    run_loop()
    tuned = Generation.objects.live()
    tuning = Tuning.objects.create(encoder=tuned.encoder, verdict=Tuning.Verdict.BETTER, figures={})
    Generation.objects.filter(pk=tuned.pk).update(tuning=tuning)

    settings.SEARCH_ENCODERS = usual
    fresh = add_product("FRESH", "triangle", "purple").images.get()
    run_loop()
    run_loop()
    live, built = Generation.objects.live(), Generation.objects.get(tuning=None)
    assert (live == tuned, built.state) == ((True, "ready") if works else (False, "live"))
    assert fresh.pk in held(live)
    assert ("promote it when you like" if works else "tune anew") in built.note


def test_a_generation_whose_encoder_has_gone_says_so_and_keeps_what_it_has(settings):
    product = add_product("A-1")
    add_product("A-2", "square")
    run_loop()
    live = Generation.objects.live()
    gone = "some-encoder@7"
    Embedding.objects.update(encoder=gone)
    Generation.objects.filter(pk=live.pk).update(encoder=gone)
    with pytest.raises(LookupError, match="not installed"):
        encoder_for(gone)
    product.title = "Edited"
    product.save()
    fresh = add_product("A-3", "triangle").images.get()
    run_loop()
    assert not Placement.objects.get(generation=live, key=product.images.get().pk).behind
    (group,) = by_reason(Generation.objects.get(pk=live.pk))
    (failed,) = group.images
    assert failed.image == fresh
    assert "not installed" in group.reason
    assert "another encoder" in group.reason
    call_command("index", "build", "--encoder", LITE0, "--promote")
    run_loop()
    assert fresh.pk in held(Generation.objects.live())


def test_a_lost_index_cannot_be_promoted(engine):
    add_products(3)
    run_loop()
    second = generations.build()
    run_loop()
    get_engine(second.engine).drop(second.pk)
    with pytest.raises(CommandError, match="has gone"):
        call_command("index", "promote", str(second.pk))
    assert Generation.objects.live().pk != second.pk


def test_there_may_be_nothing_to_go_back_to():
    add_product("A-1")
    run_loop()
    with pytest.raises(CommandError, match="no earlier generation"):
        call_command("index", "rollback")


def test_the_newest_retired_generations_are_kept(settings):
    settings.SEARCH_KEEP_RETIRED = 1
    add_products(4)
    run_loop()
    made = [Generation.objects.live()]
    for _again in range(3):
        made.append(generations.build(promote_when_ready=True))
        run_loop()
    assert generations.drop_superseded() == 0, "not within the hour"
    for hours, generation in zip((9, 8, 7), made, strict=False):
        Generation.objects.filter(pk=generation.pk).update(retired_at=timezone.now() - timedelta(hours=hours))
    assert generations.drop_superseded() == 2
    assert list(Generation.objects.values_list("state", flat=True)) == ["dropped", "dropped", "retired", "live"]


def test_an_index_that_a_kill_left_behind_is_deleted_later(monkeypatch):
    add_products(4)
    run_loop()
    second = generations.build()
    run_loop()

    def killed(engine, generation):
        raise SystemExit("killed")

    engine = get_engine(second.engine)
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(type(engine), "drop", killed)
        generations.drop(second)
    second.refresh_from_db()
    assert (second.state, engine.exists(second.pk)) == ("dropped", True)
    assert generations.drop_leftovers() == 1
    assert not engine.exists(second.pk)
    assert generations.drop_leftovers() == 0


def test_an_older_build_does_not_take_over_from_a_newer_one(settings):
    settings.SEARCH_FIT_LEAST = 3
    add_products(6)
    run_loop()
    older = generations.build(encoder=LITE0, promote_when_ready=True)
    generations.pause(older)
    newer = generations.build(promote_when_ready=True)
    run_loop()
    generations.resume(older)
    run_loop()
    assert Generation.objects.live() == newer
    assert Generation.objects.get(pk=older.pk).state == "ready"


def test_quality_is_kept_with_the_generation_that_was_measured(capsys):
    add_products(12)
    add_product("OTHER", "circle", "teal", category="Other")
    run_loop()
    second = generations.build()
    run_loop()
    call_command("quality", "--task", "category", "--generation", str(second.pk))
    second.refresh_from_db()
    assert 0 <= second.quality["default weights"]["precision_at_10"] <= 1
    assert second.quality["measured_at"]
    assert Generation.objects.live().quality is None
    with pytest.raises(CommandError, match="no generation 99"):
        call_command("quality", "--generation", "99")


def test_a_request_for_reconciling_is_taken_up_by_the_loop():
    add_products(3)
    run_loop()
    live = Generation.objects.live()
    live.documents.all().delete()
    Generation.objects.filter(pk=live.pk).update(reconcile_requested=True)
    loop = IndexLoop()
    loop.schedule[0].due = 0
    loop.schedule[0].run_if_due()
    live = Generation.objects.get(pk=live.pk)
    assert (live.reconcile_requested, live.differences["missing"]) == (False, 3)
    run_loop()
    assert len(held(live)) == 3


def test_long_deep_parts_start_on_random_axes():
    from search.projection import LONGEST_PART, Projection

    random = np.random.default_rng(0)
    projection = Projection.starting({"deep": 4_096, "color": 64})
    assert projection.dimension == LONGEST_PART + 64 + 1
    rows = random.normal(size=(2, 4_096)).astype(np.float32)
    rows[1] = rows[0] + 0.5 * rows[1]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    parts = [projection.project({"deep": row})["deep"] for row in rows]
    assert float(parts[0] @ parts[1]) == pytest.approx(float(rows[0] @ rows[1]), abs=0.05)
    again = Projection.starting({"deep": 4_096, "color": 64}).project({"deep": rows[0]})["deep"]
    assert np.array_equal(again, parts[0])
