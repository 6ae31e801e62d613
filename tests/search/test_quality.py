"""The quality bench through its command, its job, its page and the buttons of results: drawn shapes are categories."""

import io
import json
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID
from xml.etree import ElementTree

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from PIL import Image as Pillow
from sklearn.metrics import average_precision_score, ndcg_score

from gallery import jobs
from gallery.merging import merge_images
from gallery.models import Category, Image, Job, Product, Role, User
from search import generations
from search.indexing.loop import IndexLoop
from search.models import Embedding, Generation, Judgement, ProductView, QualityRun, SearchRecord, Tuning
from search.models.history import digest_of
from search.quality import category_quality, deadline, metrics, robustness, runs, same_category
from search.quality.clicks import opened_after_searches
from search.quality.copies import COPIES
from search.quality.results import NotMeasured
from search.query import Query
from search.sampling import drawn as drawn_keys
from search.views.quality import chart
from tests.catalogue import COLORS, add_photo, add_product, add_products
from tests.search.test_photos import send
from tests.world import person

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
SHAPES = ("circle", "square", "stripes")


@pytest.fixture
def catalogue(index) -> list[Product]:
    """Six products of each of three shapes; every other one has a second photo."""
    products = [
        add_product(
            f"{shape}-{n}".upper(),
            shape,
            COLORS[n],
            category=f"Shapes/{shape.capitalize()}",
            size=(220 + 12 * n, 180),
            photos=1 + n % 2,
        )
        for shape in SHAPES
        for n in range(6)
    ]
    Category.objects.filter(name="Circle").update(names={"zh-hans": "圆形"})
    index()
    return products


@pytest.fixture
def desk(staff, client_of) -> Client:
    return client_of(staff)


def measured(*arguments: str) -> dict:
    output = io.StringIO()
    call_command("quality", "--json", *arguments, stdout=output)
    return json.loads(output.getvalue())


def said(*arguments: str) -> str:
    output = io.StringIO()
    call_command("quality", *arguments, stdout=output)
    return output.getvalue()


def text_of(response) -> str:
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


def work(job: Job) -> Job:
    jobs.run(str(job.pk))
    job.refresh_from_db()
    return job


# --- Figures ------------------------------------------------------------------------------------------

RIGHT = np.array([[1, 0, 1, 0, 0], [0, 0, 0, 0, 0], [0, 1, 1, 1, 0]], dtype=bool)
RELEVANT = np.array([2, 4, 6])


def test_figures_as_worked_out_by_hand():
    assert metrics.precision_at(RIGHT, 2).tolist() == [0.5, 0, 0.5]
    assert metrics.precision_at(RIGHT, 4, RELEVANT).tolist() == [1, 0, 0.75]  # of 2, of 4, of 4 places
    assert metrics.recall_at(RIGHT, RELEVANT, 3).tolist() == [1, 0, 2 / 6]
    assert metrics.reciprocal_rank(RIGHT).tolist() == [1, 0, 0.5]
    # (1/1 + 2/3) / 2; nothing; (1/2 + 2/3 + 3/4) / 5, as five places cannot hold six.
    assert metrics.average_precision(RIGHT, RELEVANT) == pytest.approx([5 / 6, 0, (1 / 2 + 2 / 3 + 3 / 4) / 5])
    ndcg = metrics.ndcg_at(RIGHT, metrics.of_equals(RELEVANT, 5), 3)
    discounts = 1 / np.log2([2, 3, 4])
    assert ndcg == pytest.approx(
        [(discounts[0] + discounts[2]) / discounts[:2].sum(), 0, discounts[1:].sum() / discounts.sum()]
    )


def test_figures_of_random_rankings_are_those_of_scikit_learn():
    random = np.random.default_rng(1)
    gains = random.choice([0.0, 0.3, 1.0], p=[0.6, 0.2, 0.2], size=(40, 30))
    gains[:, 0] = np.where(gains.any(axis=1), gains[:, 0], 1.0)
    scores = np.tile(-np.arange(30.0), (40, 1))
    for k in (1, 10, 30):
        ours = metrics.ndcg_at(gains, gains, k)
        theirs = [ndcg_score([row], [score], k=k) for row, score in zip(gains, scores, strict=True)]
        assert ours == pytest.approx(theirs)
    right = gains > 0
    theirs = [average_precision_score(row, score) for row, score in zip(right, scores, strict=True)]
    assert metrics.average_precision(gains, right.sum(axis=1)) == pytest.approx(theirs)


def test_a_query_with_nothing_to_find_has_no_figure():
    nothing = np.zeros((1, 3))
    assert np.isnan(metrics.recall_at(nothing, np.array([0]), 3)).all()
    assert np.isnan(metrics.ndcg_at(nothing, nothing, 3)).all()
    assert metrics.interval(np.array([np.nan])) is None
    assert metrics.intervals({"recall": np.array([np.nan]), "rank": np.array([1.0])}).keys() == {"rank"}


def test_an_interval_is_that_of_the_normal_distribution_where_there_are_many():
    values = np.random.default_rng(0).normal(0.6, 0.2, size=2_000)
    found = metrics.interval(values)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert found is not None
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.0015)
    assert metrics.interval(values) == found, "the same seed draws the same"
    assert metrics.interval(values, seed=1) != found


def test_intervals_hold_the_truth_nineteen_times_of_twenty():
    random = np.random.default_rng(3)
    held = 0
    for number in range(300):
        one = metrics.interval(random.random(60), seed=number, resamples=400)
        assert one is not None
        held += one.low <= 0.5 <= one.high
    assert 0.90 <= held / 300 <= 0.98


def test_queries_of_a_group_are_drawn_together():
    values = np.random.default_rng(0).random(40)
    single = metrics.interval(values)
    assert metrics.interval(values, groups=metrics.numbered(f"product {n}" for n in range(40))) == single
    five_each = metrics.interval(np.repeat(values, 5), groups=np.repeat(np.arange(40), 5))
    assert (five_each.low, five_each.high) == pytest.approx((single.low, single.high))
    alone = metrics.interval(np.repeat(values, 5))
    assert alone.high - alone.low < 0.6 * (single.high - single.low)


def test_intervals_that_overlap_are_not_apart():
    one, near, far = (metrics.Interval(mean, mean - 0.1, mean + 0.1) for mean in (0.5, 0.65, 0.8))
    assert not one.is_apart_from(near)
    assert one.is_apart_from(far) and far.is_apart_from(one)


def test_a_sample_stays_while_the_catalogue_grows():
    keys = _keys(400)
    before, after = drawn_keys(keys[:300], 50), drawn_keys(keys[:310], 50)
    assert len(set(before) & set(after)) >= 45
    assert drawn_keys(reversed(keys[:300]), 50) == before, "the order in which keys come does not matter"
    assert drawn_keys(keys[:300], 50, seed=1) != before
    firsts = np.array([keys.index(key) for key in drawn_keys(keys, 200)])
    assert 150 < firsts.mean() < 250, "from all of them alike"


def _keys(count: int) -> list[UUID]:
    return [UUID(int=0x0190_0000_0000_7000_8000_0000_0000_0000 + n) for n in range(count)]


# --- The command --------------------------------------------------------------------------------------


def test_the_command_keeps_its_keys_and_adds_tasks(catalogue):
    figures = measured("--task", "category", "--task", "product", "--task", "words", "--task", "judgements")
    for name in ("content alone", "default weights"):
        one = figures[name]
        assert (one["queries"], one["images"], one["categories"]) == (27, 27, 3)
        assert 0 <= one["precision_at_10"] <= 1 and one["first_row_right"] + one["first_row_none"] <= 1.0001
    assert figures["content alone"]["weights"]["color"] == 0
    tasks = figures["tasks"]
    precision = tasks["category"]["figures"]["precision_at_10"]
    assert precision["mean"] == pytest.approx(figures["default weights"]["precision_at_10"], abs=1e-6)
    assert precision["low"] < precision["mean"] < precision["high"]
    assert tasks["judgements"] == {"why_not": {"code": "nothing-judged"}}
    assert sum(one["queries"] for one in figures["groups"]["category"].values()) == 27
    run = QualityRun.objects.get(pk=figures["run"])
    assert run.figures == tasks and run.generation == Generation.objects.live()
    assert run.generation.quality["default weights"] == figures["default weights"]


def test_category_figures_are_those_of_numpy(catalogue):
    """Ranked by NumPy from stored embeddings, photo by photo, without what the bench is made of."""
    live = Generation.objects.live()
    images = list(Image.objects.select_related("product").order_by("pk"))
    stored = Embedding.objects.by_hash(live.encoder, [image.sha256 for image in images])
    parts = [live.projection.project(stored[image.sha256].vectors) for image in images]
    scores = sum(
        weight * np.array([[one.get(name, zero) @ other.get(name, zero) for other in parts] for one in parts])
        for name, weight in live.weights.items()
        for zero in [np.zeros_like(next(part[name] for part in parts if name in part))]
    )
    precision, average = [], []
    for n, image in enumerate(images):
        others = [m for m, other in enumerate(images) if other.product_id != image.product_id]
        ranked = sorted(others, key=lambda m, n=n: -scores[n, m])
        right = [images[m].product.category_id == image.product.category_id for m in ranked]
        precision.append(np.mean(right[:10]))
        average.append(average_precision_score(right, -np.arange(len(right))))
    figures = measured("--task", "category")["tasks"]["category"]["figures"]
    assert figures["precision_at_10"]["mean"] == pytest.approx(np.mean(precision), abs=0.005)
    assert figures["mean_average_precision"]["mean"] == pytest.approx(np.mean(average), abs=0.005)


def test_photos_of_one_product_are_no_more_sure_than_one(index):
    """Of the same file four times over, the first row is one product: all of it right, or nothing."""
    for n in range(16):
        shape, category = SHAPES[n % 3], f"Noise/{'AB'[n * 7 // 5 % 2]}"
        product = add_product(f"N-{n}", shape, COLORS[n // 3], category=category, size=(200 + 8 * n, 180))
        for again in range(3):
            add_photo(product, shape, COLORS[n // 3], f"again-{again}.jpg", size=(200 + 8 * n, 180))
    index()
    task = measured("--task", "category")["tasks"]["category"]
    first_row = task["figures"]["first_row_right"]
    of_products = 2 * 1.96 * (first_row["mean"] * (1 - first_row["mean"]) / 16) ** 0.5
    assert task["queries"] == 64
    assert first_row["high"] - first_row["low"] == pytest.approx(of_products, rel=0.2)


def test_other_photos_of_a_product_are_found(catalogue):
    task = measured("--task", "product")["tasks"]["product"]
    assert task["queries"] == 9  # one photo of each product that has two
    assert task["figures"]["recall_at_10"]["mean"] > 0.8
    # Each has one other photo, at one of ten places.
    means = {name: figure["mean"] for name, figure in task["figures"].items()}
    assert means["precision_at_10"] == pytest.approx(means["recall_at_10"] / 10, abs=1e-6)


def test_the_very_file_is_no_other_photo(catalogue):
    for product in Product.objects.filter(sku__in=["CIRCLE-0", "SQUARE-0"]):
        add_photo(product, product.sku.split("-")[0].lower(), COLORS[0], "again.jpg", size=(220, 180))
    assert measured("--task", "product")["tasks"]["product"]["queries"] == 9


def test_words_are_typed_in_both_languages(catalogue):
    figures = measured("--task", "words")
    groups = figures["groups"]["words"]
    assert groups["name"]["queries"] == 4  # the three and what they are in
    assert groups["zh-hans"]["queries"] == 1
    for name in ("precision_at_20", "recall_at_100", "mean_average_precision", "ndcg_at_10", "mean_reciprocal_rank"):
        assert groups["zh-hans"]["figures"][name]["mean"] == 1, "a category's name finds its products, and first"
    with translation.override("zh-hans"):
        assert measured("--task", "words")["groups"] == figures["groups"]


def test_two_names_of_one_category_are_no_surer_than_one(catalogue):
    # Behind the index's back: three squares are not found as such.
    square = Category.objects.get(name="Square")
    Product.objects.filter(sku__in=["CIRCLE-0", "CIRCLE-1", "CIRCLE-2"]).update(category=square)
    for category in Category.objects.all():
        category.names = {"zh-hans": category.name}
        category.save()
    figures = measured("--task", "words")
    both = figures["tasks"]["words"]["figures"]["precision_at_20"]
    one = figures["groups"]["words"]["name"]["figures"]["precision_at_20"]
    assert both["mean"] == one["mean"] and one["high"] - one["low"] > 0.1
    assert both["high"] - both["low"] == pytest.approx(one["high"] - one["low"], rel=0.1)


def test_copies_find_their_original(catalogue, monkeypatch):
    monkeypatch.setattr(robustness, "MOST_PHOTOS", 4)
    figures = measured("--task", "robustness")
    task = figures["tasks"]["robustness"]
    assert (task["queries"], task["facts"]) == (4, {"copies": 24, "unread": 0})
    assert set(figures["groups"]["robustness"]) == set(COPIES)
    assert figures["groups"]["robustness"]["jpeg"]["figures"]["recall_at_1"]["mean"] >= 0.75
    means = {name: figure["mean"] for name, figure in task["figures"].items()}
    assert means["recall_at_1"] <= means["mean_reciprocal_rank"] <= means["ndcg_at_10"] <= means["recall_at_10"] <= 1
    again = measured("--task", "robustness")
    assert again["tasks"] == figures["tasks"], "the same seed makes the same copies"


def test_a_missing_original_is_passed_over(catalogue, monkeypatch):
    monkeypatch.setattr(robustness, "MOST_PHOTOS", 3)
    sample = drawn_keys(Image.objects.values_list("pk", flat=True), 3)
    image = Image.objects.get(pk=sample[0])
    image.original.storage.delete(image.original.name)
    task = measured("--task", "robustness")["tasks"]["robustness"]
    assert (task["queries"], task["facts"]["unread"]) == (2, 1)


def test_no_encoder_is_said_and_the_rest_is_measured(catalogue, settings):
    settings.SEARCH_ENCODERS = {"other": next(iter(settings.SEARCH_ENCODERS.values())) | {"OPTIONS": {"variant": 0}}}
    text = said("--task", "robustness", "--task", "category")
    assert "is not installed here" in text and "P@10" in text


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_another_picture_of_any_size(kind):
    for size in ((400, 300), (31, 500), (1, 1)):
        # Of middle tones, and other on the left than on the right.
        original = Pillow.new("RGB", size, "#808080")
        original.paste(Pillow.new("RGB", size, "#a04030").crop((0, 0, size[0] // 2, size[1])))
        before = original.tobytes()
        copy = COPIES[kind](original, np.random.default_rng(0))
        assert copy.mode == "RGB" and min(copy.size) >= 1
        assert original.tobytes() == before, "the original stays as it is"
        if size == (400, 300):
            assert (copy.size, copy.tobytes()) != (size, before)


def test_text_says_between_what_a_figure_lies(catalogue):
    text = said("--task", "category")
    assert "27 queries, 27 images, 3 categories" in text
    assert "default weights" in text and "Same category, 27 queries" in text
    assert " to " in text and "mAP@100" in text


def test_a_large_catalogue_is_asked_with_a_sample(catalogue, monkeypatch):
    monkeypatch.setattr(same_category, "MOST_QUERIES", 5)
    task = measured("--task", "category")["tasks"]["category"]
    assert (task["queries"], task["facts"]["images"]) == (5, 27)


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time that deadlines see: it stands still until a test moves it."""
    now = [0.0]
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_both_ways_of_weighing_share_the_time_and_the_progress(catalogue, clock):
    told = []

    def tell(task: str, done: int, total: int) -> None:
        told.append(done / total)
        clock[0] += 1

    run = runs.measure(Generation.objects.live(), ["category"], seconds=20, tell=tell)
    assert len(told) == 20 and run.figures["category"]["queries"] == 10
    assert told == sorted(told) and told[0] == 0 and 0.5 < told[-1] < 1


def test_words_that_time_allows_are_drawn_by_chance(catalogue, clock, monkeypatch):
    for category in Category.objects.all():
        category.names = {"zh-hans": f"形状{category.pk}"}
        category.save()

    def tell(task: str, done: int, total: int) -> None:
        clock[0] += 1

    asked = [runs.measure(Generation.objects.live(), ["words"], seed=seed, seconds=4, tell=tell) for seed in range(3)]
    shares = [sorted((name, group["queries"]) for name, group in run.groups["words"].items()) for run in asked]
    assert all(run.figures["words"]["queries"] == 4 for run in asked)
    assert any(len(share) == 2 for share in shares), "not all the shop's names before any Chinese one"
    assert len({str(share) for share in shares}) > 1, "another seed draws others"


def test_time_bounds_what_is_asked(catalogue):
    """Whatever was asked before the end is told; nothing before it is a plain reason."""
    with pytest.raises(CommandError, match="None of the photos is indexed yet"):
        said("--task", "category", "--seconds", "0.0000001")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(("--seconds", "0"), "above 0"), (("--seed", "-1"), "--seed"), (("--generation", "99"), "no generation 99")],
)
def test_arguments_that_cannot_be(catalogue, arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        said(*arguments)


def test_without_an_index(db):
    with pytest.raises(CommandError, match="There is no index yet"):
        said()


def test_three_photos_are_too_few_for_most(index):
    add_products(3)
    index()
    text = said("--task", "category", "--task", "product", "--task", "words")
    assert "3 photos with a category are too few; at least 11 are needed" in text
    assert "0 products have two different photos" in text
    assert "Words to pictures, 1 queries" in text
    with pytest.raises(CommandError, match="too few"):
        said("--task", "category")
    with pytest.raises(ValueError, match="at least 11 are needed"):
        category_quality(Generation.objects.live(), {"deep": 1.0})
    assert QualityRun.objects.count() == 2, "what was not measured is stored with the reason, too"


def test_one_category_is_no_task(index):
    add_products(12)
    index()
    with pytest.raises(CommandError, match="same category, so every answer would be right"):
        said("--task", "category")


def test_categories_that_are_noise_are_said_to_be(index):
    for n in range(24):
        add_product(f"N-{n}", SHAPES[n % 3], COLORS[n // 3 % 6], category=f"Noise/{'AB'[(n * 7 // 5) % 2]}")
    index()
    assert "these categories say nothing of looks" in said("--task", "category")


def test_an_engine_that_does_not_answer_stores_nothing(engine_down):
    with pytest.raises(CommandError):
        said("--task", "words")
    assert not QualityRun.objects.exists()


# --- Judgements ---------------------------------------------------------------------------------------


@pytest.fixture
def judged(shop, desk, image_of):
    """Says of a photo of the shop that it is a good or bad result of a query; HTMX as the menu does."""

    def say(sku: str, verdict: str, query: str = "q=circle", htmx: bool = True, client: Client = desk, **fields):
        address = reverse("quality-judgement", args=[image_of(sku).pk])
        return client.post(address, {"query": query, "verdict": verdict, **fields}, headers=HTMX if htmx else {})

    return say


def test_a_verdict_is_kept_changed_and_taken_back(judged, staff):
    text = text_of(judged("RED-CIRCLE", "good", query="q=circle&page=2&sort=price&weaker=1"))
    assert 'aria-pressed="true"' in text and 'name="remove"' in text
    row = Judgement.objects.get()
    assert (row.query, row.good, row.by) == ("q=circle", True, staff), "what ranks nothing is left out"
    judged("RED-CIRCLE", "bad")
    assert Judgement.objects.get().good is False
    text = text_of(judged("RED-CIRCLE", "bad", remove="1"))
    assert 'aria-pressed="true"' not in text
    assert not Judgement.objects.exists()


def test_without_scripts_a_form_leads_back(judged, desk):
    back = "/search/?q=circle&sort=price"
    answer = judged("RED-CIRCLE", "good", htmx=False, next=back)
    assert (answer.status_code, answer.url) == (302, back)
    text = text_of(desk.get(back))
    assert "“Red circle” is a good result here." in text
    assert text.count('name="remove"') == 1, "the button takes back what was said"
    judged("RED-CIRCLE", "good", htmx=False, remove="1")
    assert "is taken back" in text_of(desk.get(back))


def test_two_people_may_differ(judged, client_of):
    other = person(Role.STAFF, "other")
    judged("RED-CIRCLE", "good")
    judged("RED-CIRCLE", "bad", client=client_of(other))
    assert Judgement.objects.count() == 2


def test_cards_have_the_buttons_for_staff_alone(shop, desk, client, client_of, db):
    moderator = client_of(person(Role.MODERATOR))
    assert "judge-button" in text_of(desk.get("/search/?q=circle"))
    for stranger in (client, moderator):
        assert "judge-button" not in text_of(stranger.get("/search/?q=circle"))
    everything = text_of(desk.get("/search/"))
    assert "judge-button" not in everything, "where nothing was asked nothing is right"
    assert "Search for something first" in everything
    assert "Search for something first" not in text_of(moderator.get("/search/"))


def test_the_buttons_take_no_statement(judged, shop, desk, client_of):
    shopper = client_of(person(Role.SHOPPER))

    def queries(client: Client) -> int:
        client.get("/search/?q=circle")
        with CaptureQueriesContext(connection) as captured:
            client.get("/search/?q=circle")
        return len(captured)

    judged("RED-CIRCLE", "good")
    assert queries(desk) <= queries(shopper)


def test_results_of_a_photo_that_was_sent_cannot_be_judged(shop, judged, desk, image_of):
    query = f"photo={send(desk).json()['photo']['id']}"
    menus = text_of(desk.get(f"/search/?{query}"))
    assert "judge-button" not in menus and "Photos that were sent are forgotten" in menus, "the menu says why not"
    assert "Photos that were sent are forgotten" in text_of(judged("RED-CIRCLE", "good", query=query))
    answer = judged("RED-CIRCLE", "good", query="", htmx=False)
    assert "Search for something first" in text_of(desk.get(answer.url))
    assert not Judgement.objects.exists()


def test_only_what_one_may_see_can_be_judged(shop, judged, image_of, client):
    assert judged("RED-CIRCLE", "splendid").status_code == 404
    image_of("RED-CIRCLE").reject(None, "No.")
    assert judged("RED-CIRCLE", "good").status_code == 404
    assert judged("BLUE-SQUARE", "good", client=client, htmx=False).status_code == 302  # to sign in
    assert not Judgement.objects.exists()


def test_what_was_said_follows_a_merge(shop, judged, staff):
    kept, dropped, _third = Image.objects.filter(product__sku="RED-CIRCLE-2").order_by("position", "pk")
    for image, query in ((kept, "q=circle"), (dropped, "q=circle"), (dropped, "q=red")):
        Judgement.objects.create(query=query, digest=digest_of(query), image=image, good=image == kept, by=staff)
    merge_images(kept.pk, dropped.pk, staff)
    said = {row.query: (row.image_id, row.good) for row in Judgement.objects.all()}
    assert said == {"q=circle": (kept.pk, True), "q=red": (kept.pk, False)}


def test_judged_queries_are_asked_again(shop, judged, image_of):
    for sku, verdict in (("RED-CIRCLE", "good"), ("ORANGE-CIRCLE", "good"), ("RED-CIRCLE-2", "bad")):
        judged(sku, verdict)
    like = Query.like(image_of("RED-CIRCLE").pk).canonical
    judged("RED-CIRCLE-2", "good", query=like)
    figures = measured("--task", "judgements")["tasks"]["judgements"]
    assert (figures["queries"], figures["facts"]) == (2, {"judged": 2, "clicked": 0, "verdicts": 4})
    # Two of three are good; the one that is alike comes first.
    assert figures["figures"]["judged_precision"]["mean"] == pytest.approx((2 / 3 + 1) / 2, abs=1e-6)
    assert 0.5 < figures["figures"]["ndcg_at_10"]["mean"] <= 1
    # Two good ones and one, of ten places each.
    assert figures["figures"]["precision_at_10"]["mean"] == pytest.approx(0.15, abs=1e-6)
    assert figures["figures"]["recall_at_10"]["mean"] == 1
    assert 0.5 < figures["figures"]["mean_average_precision"]["mean"] <= 1


def test_a_picture_that_is_gone_asks_no_more(shop, judged, image_of):
    like = Query.like(image_of("BLUE-SQUARE").pk).canonical
    judged("RED-CIRCLE-2", "good", query=like)
    image_of("BLUE-SQUARE").reject(None, "No.")
    with pytest.raises(CommandError, match="Nobody has judged a result yet"):
        said("--task", "judgements")


@pytest.fixture
def agreed(shop, client_of, image_of):
    """Somebody who keeps a history: ``search`` makes a search, ``open_`` looks at a product."""
    shopper = person(Role.SHOPPER)
    User.objects.filter(pk=shopper.pk).update(keeps_history=True)
    client = client_of(shopper)
    return SimpleNamespace(
        client=client,
        search=lambda query: text_of(client.get(f"/search/?{query}")),
        open_=lambda sku: client.post(reverse("viewed", args=[image_of(sku).pk])),
    )


def opened() -> dict[str, set[str]]:
    found = opened_after_searches()
    return {query: {Image.objects.get(pk=key).product.sku for key in keys} for query, keys in found.items()}


def test_clicks_of_people_who_agreed_are_weak_evidence(agreed, image_of):
    agreed.search("q=square")
    SearchRecord.objects.update(created_at=timezone.now() - timedelta(minutes=31))
    agreed.open_("BLUE-SQUARE")  # too late after its search
    agreed.search("q=circle")
    agreed.open_("RED-CIRCLE")
    agreed.search(f"photo={send(agreed.client).json()['photo']['id']}")
    agreed.open_("ORANGE-CIRCLE")  # after a photo that is forgotten
    task = measured("--task", "judgements")["tasks"]["judgements"]
    assert task["facts"] == {"judged": 0, "clicked": 1, "verdicts": 0}
    assert task["figures"]["clicked_recall_at_10"]["mean"] == 1
    assert set(task["figures"]) == {"clicked_recall_at_10", "clicked_reciprocal_rank"}


def test_a_click_stays_with_its_search_when_that_is_made_again(agreed):
    agreed.search("q=square")
    agreed.search("q=circle")
    agreed.open_("RED-CIRCLE")
    agreed.search("q=circle")  # moves to the top of the history
    assert opened() == {"q=circle": {"RED-CIRCLE"}}
    SearchRecord.objects.update(created_at=timezone.now() - timedelta(hours=1))
    agreed.open_("RED-CIRCLE")  # from a bookmark
    assert opened() == {"q=circle": {"RED-CIRCLE"}}


def test_a_deleted_search_leaves_no_click(agreed):
    for query, sku in (("q=square", "BLUE-SQUARE"), ("q=circle", "RED-CIRCLE")):
        agreed.search(query)
        agreed.open_(sku)
    agreed.client.post(reverse("history-delete", args=[SearchRecord.objects.get(query="q=circle").pk]))
    assert opened() == {"q=square": {"BLUE-SQUARE"}}
    assert ProductView.objects.get(image__product__sku="RED-CIRCLE").search is None, "the product is still known"
    agreed.client.post(reverse("history-consent"), {"keep": "no", "sure": "1"})
    assert not ProductView.objects.exists() and not SearchRecord.objects.exists()


# --- The job and the page -----------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch) -> None:
    """Copies are encoded, which takes longest: two photos are enough."""
    monkeypatch.setattr(robustness, "MOST_PHOTOS", 3)


def test_started_from_the_page(catalogue, quick, desk, staff):
    text = text_of(desk.get(reverse("quality")))
    assert "Nothing has been measured yet" in text
    answer = desk.post(reverse("quality-start"), {"generation": str(Generation.objects.live().pk)})
    assert answer.url == reverse("quality")
    job = Job.objects.get()
    assert "Waiting for the worker" in text_of(desk.get(reverse("quality")))
    assert "Waiting for the worker" in text_of(desk.get(reverse("quality-progress"), headers=HTMX))
    desk.post(reverse("quality-start"))
    assert Job.objects.get().alone, "of two clicks at once one starts it"
    assert "being measured already" in text_of(desk.get(reverse("quality")))
    assert work(job).state == "done"
    assert desk.get(reverse("quality-progress"), headers=HTMX).headers["HX-Refresh"] == "true"
    run = QualityRun.objects.get()
    assert (run.by, job.result["run"]) == (staff, run.pk)
    text = text_of(desk.get(reverse("quality")))
    precision = run.figures["category"]["figures"]["precision_at_10"]
    for shown in (
        f"{100 * precision['mean']:.1f} %",
        f"{100 * precision['low']:.1f} – {100 * precision['high']:.1f}",
        "The original comes first (recall@1)",
        "mirrored",
        "Nobody has judged a result yet",
        "By category",
        "The worst queries of generation",
    ):
        assert shown in text
    first, more = text.index("Right among the first four"), text.index("More figures")
    assert first < more < text.index("Mean average precision (mAP@100)"), "what says most stands first"


def test_a_killed_job_goes_on_where_it_was(catalogue, quick, monkeypatch):
    asked = []
    measure = same_category.measure
    monkeypatch.setitem(runs._MEASURES, "category", lambda asking: asked.append(1) or measure(asking))

    def killed(asking):
        raise SystemExit

    monkeypatch.setitem(runs._MEASURES, "words", killed)
    job = jobs.start("measure-quality", None)
    with pytest.raises(SystemExit):
        jobs.run(str(job.pk))
    monkeypatch.undo()
    monkeypatch.setattr(robustness, "MOST_PHOTOS", 3)
    monkeypatch.setitem(runs._MEASURES, "category", lambda asking: asked.append(1) or measure(asking))
    assert work(job).state == "done"
    assert len(asked) == 1, "what was measured before is not asked again"
    assert set(QualityRun.objects.get().figures) == {"category", "product", "robustness", "words", "judgements"}


def test_why_a_job_failed_is_said_until_something_is_measured(catalogue, quick, desk):
    job = jobs.start("measure-quality", None, generation=99)
    assert work(job).state == "failed"
    assert "Generation 99 has gone" in text_of(desk.get(reverse("quality")))
    measured("--task", "words")
    assert "Generation 99 has gone" not in text_of(desk.get(reverse("quality")))
    desk.post(reverse("quality-start"), {"generation": "77"})
    assert "no such generation" in text_of(desk.get(reverse("quality")))


def test_generations_side_by_side(catalogue, index, desk):
    live = Generation.objects.live()
    twin = generations.build()
    index()
    measured("--task", "category")
    measured("--task", "category", "--generation", str(twin.pk))
    measured("--task", "words")
    # A run of another day, which was far worse.
    run = QualityRun.objects.filter(generation=twin).get()
    run.figures["category"]["figures"]["precision_at_10"] = {"mean": 0.05, "low": 0.04, "high": 0.06}
    run.save()
    text = text_of(desk.get(reverse("quality")))
    assert text.index(f"Generation {live.pk} <") < text.index(f"Generation {twin.pk} <"), "the live one first"
    assert text.count("worse</span>") == 1
    assert "Words to pictures" in text and "5.0 %" in text
    other = text_of(desk.get(reverse("quality"), {"generation": twin.pk}))
    assert f"The worst queries of generation {twin.pk}" in other
    with translation.override("zh-hans"):
        desk.get(reverse("quality"), headers={"Accept-Language": "zh-hans"})


def test_the_worst_queries_are_shown_as_pictures(catalogue, desk, staff):
    odd = add_product("ODD", "stripes", "teal", category="Shapes/Circle", size=(300, 180))
    IndexLoop().run_until_idle()
    measured("--task", "category")
    worst = QualityRun.objects.get().worst["category"][0]
    assert worst["image"] == str(odd.images.get().pk), "stripes among circles find no circle"
    text = text_of(desk.get(reverse("quality")))
    assert Query.like(odd.images.get().pk).url().replace("&", "&amp;") in text
    assert 'visually-hidden">wrong:' in text
    odd.images.get().reject(None, "No.")
    assert worst["image"] not in text_of(desk.get(reverse("quality"))), "what shoppers may not see is not shown here"


def test_a_corrected_category_is_called_neither_right_nor_wrong(catalogue, desk):
    odd = add_product("ODD", "stripes", "teal", category="Shapes/Circle", size=(300, 180))
    IndexLoop().run_until_idle()
    measured("--task", "category")
    before = text_of(desk.get(reverse("quality"))).count('visually-hidden">wrong:')
    odd.category = Category.objects.get(name="Stripes")
    odd.save()
    text = text_of(desk.get(reverse("quality")))
    assert text.count('visually-hidden">wrong:') <= before - 4, "its first row is of its category now"
    assert "Measured less than a minute ago" in text


def test_judged_queries_are_shown_with_all_that_they_asked_for(shop, judged, desk, image_of):
    pictures = [image_of(sku).pk for sku in ("RED-CIRCLE", "BLUE-SQUARE")]
    queries = ["color=red", f"less={pictures[0]}", f"image={pictures[0]}&less={pictures[1]}&q=dress&color=red"]
    for query in queries:
        assert judged("RED-CIRCLE-2", "bad", query=query).status_code == 200
    measured("--task", "judgements")
    articles = text_of(desk.get(reverse("quality"))).split('<article class="worst-query"')[1:]
    assert len(articles) == 3 and all(f'href="{reverse("search")}?' in one for one in articles)
    filters, minus, several = (
        next(one for one in articles if part in one) for part in ("?color=red", "?less=", "dress")
    )
    assert 'aria-label="Red"' in filters and '?color=red">Red</a>' in filters
    assert 'aria-label="Red circle' in minus and "Less like this" in minus
    assert 'aria-label="“dress” · Red"' in several and several.count("Less like this") == 1
    assert [str(picture) in several for picture in pictures] == [True, True]


def test_figures_over_time(catalogue, desk):
    for days in (3, 2, 1):
        measured("--task", "category")
        QualityRun.objects.filter(pk=QualityRun.objects.latest("pk").pk).update(
            started_at=timezone.now() - timedelta(days=days)
        )
    page = desk.get(reverse("quality"), {"figure": "category.ndcg_at_10"})
    text = text_of(page)
    assert "style=" not in text and "<style" not in text
    drawings = [ElementTree.fromstring(one) for one in _drawings(page.content.decode())]  # noqa: S314  (our own page)
    assert len(drawings) == 2, "a wide one and a narrow one"
    for drawing in drawings:
        width, height = map(float, drawing.get("viewBox").split()[2:])
        line = drawing.find(".//polyline").get("points").split()
        places = [tuple(map(float, point.split(","))) for point in line]
        assert len(places) == 3 and places == sorted(places), "the oldest is on the left"
        assert all(0 <= x <= width and 0 <= y <= height for x, y in places)
    assert text.count("<time") == 3
    assert text_of(desk.get(reverse("quality"), {"figure": "nonsense.at_all"})), "an unknown figure is the usual one"


def _drawings(page: str) -> list[str]:
    return [part.partition("</svg>")[0] + "</svg>" for part in _starts(page)]


def _starts(page: str) -> list[str]:
    return [f"<svg{part}" for part in page.split("<svg")[1:] if 'class="is-' in part[:40]]


@pytest.mark.parametrize(
    ("least", "most", "levels"),
    [(0.62, 0.71, (0.62, 0.72)), (0.0, 1.0, (0.0, 1.0)), (0.5, 0.5, (0.49, 0.5)), (1.0, 1.0, (0.99, 1.0))],
)
def test_the_scale_of_the_chart_holds_every_interval(least, most, levels):
    step, low, high = chart._range(least, most)
    assert (low, high) == pytest.approx(levels)
    assert low <= least and most <= high and (high - low) / step <= 6.0001


def test_the_page_takes_a_fixed_number_of_queries(catalogue, desk):
    def queries() -> int:
        desk.get(reverse("quality"))
        with CaptureQueriesContext(connection) as captured:
            desk.get(reverse("quality"))
        return len(captured)

    measured("--task", "category")
    few = queries()
    for _again in range(4):
        measured("--task", "category", "--task", "words")
    assert queries() <= few <= 16


def test_the_page_of_a_shop_without_an_index(db, desk):
    text = text_of(desk.get(reverse("quality")))
    assert "There is no index yet" in text
    desk.post(reverse("quality-start"))
    assert "no such generation" in text_of(desk.get(reverse("quality")))


def test_of_a_tuned_generation_the_page_says_that_it_learnt_from_what_it_is_asked(catalogue, desk):
    measured("--task", "category")
    assert "learnt from the very categories" not in text_of(desk.get(reverse("quality")))
    live = Generation.objects.live()
    live.tuning = Tuning.objects.create(encoder=live.encoder, verdict=Tuning.Verdict.BETTER, figures={})
    live.save(update_fields=["tuning"])
    text = text_of(desk.get(reverse("quality")))
    assert f"Generation {live.pk} learnt from the very categories" in text
    assert f'href="{reverse("index")}#tuning"' in text


def test_staff_find_the_page_in_their_menu(desk, client_of):
    assert reverse("quality") in text_of(desk.get("/"))
    assert reverse("quality") not in text_of(client_of(person(Role.SHOPPER)).get("/"))


def test_reasons_are_sentences():
    codes = {
        "few-labels": {"images": 1, "needed": 11},
        "one-category": {},
        "few-photos": {"products": 2, "needed": 5},
        "few-images": {"images": 1, "needed": 3},
        "few-named": {"needed": 3},
        "nothing-embedded": {},
        "no-encoder": {},
        "no-files": {},
        "nothing-judged": {},
        "of another day": {},
    }
    sentences = {str(NotMeasured(code, **numbers)) for code, numbers in codes.items()}
    assert len(sentences) == len(codes)
    assert all(one.endswith(".") or "manage.py" in one for one in sentences)


def test_nobody_else_may_ask(shop, client_of):
    for role in (Role.SHOPPER, Role.MODERATOR):
        user: User = person(role)
        assert client_of(user).get(reverse("quality")).status_code == 403
        assert client_of(user).post(reverse("quality-start")).status_code == 403
    assert not Job.objects.exists()
