"""Suggested categories and tags, and doubted labels, through addresses and commands: drawn shapes are categories."""

import io
import json
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import LinearSVC

from gallery import jobs
from gallery.models import Category, Image, Job, Product, Role, User
from gallery.models.products import ProductTag
from search import generations
from search.classification import accepting, forest, linear, measuring, neighbours, tagging, training
from search.classification import samples as sampling
from search.classification.doubts import doubts_of
from search.classification.forest import Forest
from search.classification.linear import Linear
from search.classification.samples import Samples, gather
from search.classification.storing import from_bytes, learnt, to_bytes
from search.models import Change, Classifier, Embedding, Generation, LabelConfirmed, LabelDoubt, SuggestionSetting
from search.views.suggestions import classifiers
from tests.catalogue import COLORS, SHAPES, add_product
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
PER_SHAPE = 7
KINDS = SHAPES[:3]
_ENCODED: dict[str, Embedding] = {}  # what a test has encoded, the next ones need not


@pytest.fixture(autouse=True)
def _small_forests(monkeypatch):
    """These shapes need no 200 trees, which take seconds to grow."""
    monkeypatch.setattr(forest, "TREES", 40)


@pytest.fixture
def encoded_once(index) -> Callable[[], None]:
    """Index everything; drawings that an earlier test has encoded come with their embeddings."""

    def run() -> None:
        hashes = set(Image.objects.values_list("sha256", flat=True)) - set(
            Embedding.objects.values_list("sha256", flat=True)
        )
        rows = [_ENCODED[sha256] for sha256 in sorted(hashes & _ENCODED.keys())]
        fields = ("sha256", "encoder", "parts", "numbers", "labels")
        Embedding.objects.bulk_create(Embedding(**{name: getattr(row, name) for name in fields}) for row in rows)
        index()
        _ENCODED.update({row.sha256: row for row in Embedding.objects.all()})

    return run


@pytest.fixture
def drawn(encoded_once) -> list[Product]:
    """Seven products of each of three shapes, one of them with two photos; circles are tagged "round"."""
    products = [
        add_product(
            f"{shape}-{n}".upper(),
            shape,
            COLORS[n % len(COLORS)],
            category=f"Shapes/{shape.capitalize()}",
            tags=[*(["round"] if shape == "circle" else []), *(["odd"] if n % 2 else [])],
            size=(220 + 12 * n, 180),
            photos=2 if n == 0 else 1,
        )
        for shape in KINDS
        for n in range(PER_SHAPE)
    ]
    encoded_once()
    return products


@pytest.fixture
def newcomer(drawn, encoded_once) -> Image:
    """A circle without a category."""
    product = add_product("NEW", "circle", "teal", category="", size=(250, 190))
    encoded_once()
    return product.images.get()


@pytest.fixture
def moderator(db) -> User:
    user = User.objects.create_user("moderator", "moderator@example.com", "x")
    user.groups.add(Group.objects.get(name=Role.MODERATOR))
    return user


@pytest.fixture
def desk(staff, client_of) -> Client:
    return client_of(staff)


def text_of(response) -> str:
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


def fragment(client: Client, image: Image) -> str:
    return text_of(client.get(reverse("suggestion", args=[image.pk]), headers=HTMX))


def category(name: str) -> Category:
    return Category.objects.get(name=name)


def train() -> dict[str, dict]:
    output = io.StringIO()
    call_command("classify", "--json", stdout=output)
    return json.loads(output.getvalue())


def mislabel(product: Product, name: str) -> None:
    product.category = category(name)
    product.save()


def revision(product: Product) -> int:
    return Product.objects.values_list("revision", flat=True).get(pk=product.pk)


# --- Learning and measuring ---------------------------------------------------------------------------


def test_each_classifier_tells_shapes_apart_on_products_it_has_not_seen(drawn):
    figures = train()
    assert set(figures) == {"neighbours", "linear", "forest"}
    for kind, one in figures.items():
        assert (one["n"], one["products"], one["categories"], one["folds"]) == (24, 21, 3, 5), kind
        assert one["top1"] >= 0.85 and one["macro_f1"] >= 0.85 and one["top3"] >= one["top1"], (kind, one)
        assert 0 <= one["calibration_error"] <= 0.35
    output = io.StringIO()
    call_command("classify", stdout=output)
    assert "24 photos of 21 products in 3 categories" in output.getvalue()
    assert Classifier.objects.count() == 3, "training again replaces what was there"


def test_photos_of_a_product_are_never_parted(drawn):
    samples = gather(Generation.objects.live())
    folds = measuring.folds_of(samples)
    assert len(np.unique(folds)) == 5
    for group in range(len(samples.products)):
        assert len(np.unique(folds[samples.groups == group])) == 1
    for label in range(3):  # each category is dealt out evenly
        counts = np.bincount(folds[samples.labels == label], minlength=5)
        assert counts.min() >= 1


def test_a_file_of_several_products_is_not_learnt_from_while_it_is_held_out():
    vectors = np.repeat(np.eye(2, dtype=np.float32), 3, axis=0)  # each category has one picture in all its products
    samples = Samples((1, 2), np.repeat([0, 1], 3), np.arange(6), tuple("abcdef"), vectors)
    folds = measuring.folds_of(samples)
    assert samples.pictures.tolist() == [0, 0, 0, 1, 1, 1]
    near = neighbours.held_out_neighbours(samples, folds, lambda: None)
    for own, (rows, _similar) in zip(samples.pictures, near, strict=True):
        assert len(rows) == 2 and own not in samples.pictures[rows]
    for kind in ("linear", "forest"):
        assert not training.held_out_scores(kind, samples, folds, lambda: None, lambda: None).any()


def test_rare_categories_are_in_the_sample_of_a_large_catalogue():
    categories = [1] * 5_000 + [2] * 4
    drawn = sampling.drawn(categories, 0, 100)
    assert len(set(drawn)) == 100 and drawn == sorted(drawn) == sampling.drawn(categories, 0, 100)
    assert {5_000, 5_001, 5_002, 5_003} <= set(drawn)


def test_products_with_many_photos_leave_votes_to_others():
    groups = np.repeat(np.arange(20), 30)
    found = neighbours.nearest_products(np.linspace(1, 0, 600), groups)
    assert found == list(range(0, 450, 30))


def test_figures_by_hand():
    samples = Samples((7, 8, 9), np.array([0, 0, 1, 2]), np.arange(4), tuple("abcd"), np.zeros((4, 1)))
    shares = np.array([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.2, 0.6, 0.2], [0.1, 0.2, 0.7]])
    figures = measuring.figures_of(samples, shares, 2)
    assert figures.top1 == 0.75 and figures.top3 == 1.0
    assert figures.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    # right at .8 and .6 and .7, wrong at .7: three bins, of which the middle one holds two.
    assert figures.calibration_error == pytest.approx(0.2 / 4 + 0.4 / 4 + abs(0.7 - 0.5) / 2)


def test_a_temperature_makes_an_overconfident_classifier_honest():
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 600)
    said = np.where(random.random(600) < 0.7, labels, (labels + 1) % 3)  # right seven times of ten
    scores = 20.0 * np.eye(3)[said]  # and as good as certain
    honest = measuring.shares(scores, measuring.fitted_temperature(scores, labels))
    assert honest.max(axis=1).mean() == pytest.approx(0.7, abs=0.06)
    assert (honest.argmax(axis=1) == said).all()


def test_a_few_right_answers_make_nobody_certain():
    labels = np.array([0, 0, 0, 1, 1, 1])
    scores = 20.0 * np.eye(2)[labels]
    sure = measuring.shares(scores, measuring.fitted_temperature(scores, labels)).max(axis=1)
    assert sure == pytest.approx(7 / 8, abs=0.01)


@pytest.mark.parametrize(("slow", "signs"), [(200, 2), (4, 40)])  # so many categories; signs of life
def test_a_forest_in_arrays_says_what_scikit_learn_says(monkeypatch, slow, signs):
    monkeypatch.setattr(forest, "SLOW_CATEGORIES", slow)
    told: list[None] = []
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 150)
    vectors = (random.normal(size=(150, 6)) + 1.5 * np.eye(6)[labels]).astype(np.float32)
    stored = from_bytes("forest", to_bytes(Forest.fit(vectors, labels, 4, lambda: told.append(None)).arrays()))
    assert len(told) == signs
    theirs = RandomForestClassifier(forest.TREES, random_state=0)
    theirs.fit(vectors, labels, sample_weight=len(labels) / np.bincount(labels)[labels])
    asked = random.normal(size=(700, 6)).astype(np.float32)
    ours = np.exp(stored.scores(asked)) * 1.05 - 0.05 / 4
    assert ours[:, :3] == pytest.approx(theirs.predict_proba(asked), abs=1e-4)
    assert ours[:, 3] == pytest.approx(0, abs=1e-5), "a category that nobody taught"


def test_a_linear_classifier_survives_storing():
    random = np.random.default_rng(2)
    labels = random.integers(0, 3, 90)
    vectors = (random.normal(size=(90, 5)) + 2 * np.eye(5)[labels]).astype(np.float32)
    learnt = Linear.fit(vectors, labels, 3, lambda: None)
    again = from_bytes("linear", to_bytes(learnt.arrays()))
    assert np.array_equal(again.scores(vectors), learnt.scores(vectors))
    assert (learnt.scores(vectors).argmax(axis=1) == labels).mean() > 0.9


def test_of_many_categories_a_plane_learns_from_a_sample_of_the_others(monkeypatch):
    rows: list[int] = []

    class Counting(LinearSVC):
        def fit(self, vectors, labels):
            rows.append(len(vectors))
            return super().fit(vectors, labels)

    monkeypatch.setattr("sklearn.svm.LinearSVC", Counting)
    random = np.random.default_rng(3)
    labels = np.arange(900) % 30
    vectors = (random.normal(size=(900, 30)) + 6 * np.eye(30)[labels]).astype(np.float32)
    shares = []
    for others, expected in ((linear.OTHERS_IN_ALL, 900), (30 * 600, 630), (0, 530)):
        monkeypatch.setattr(linear, "OTHERS_IN_ALL", others)
        rows.clear()
        scores = Linear.fit(vectors, labels, 30, lambda: None).scores(vectors)
        assert set(rows) == {expected}
        shares.append((scores.argmax(axis=1) == labels).mean())
    assert min(shares) > 0.95 and max(shares) - min(shares) < 0.02


def _broken() -> Iterator[tuple[str, bytes]]:
    yield "linear", b"no arrays"
    yield "linear", to_bytes({"weights": np.zeros((3, 2))})
    yield "linear", to_bytes({"weights": np.zeros((3, 2)), "bias": np.zeros(3)})
    pickled = io.BytesIO()
    np.savez(pickled, weights=np.array([{"run": "me"}], dtype=object), bias=np.zeros(1))
    yield "linear", pickled.getvalue()
    vectors, labels = np.eye(6, dtype=np.float32), np.array([0, 0, 0, 1, 1, 1])
    arrays = Forest.fit(vectors, labels, 2, lambda: None).arrays()
    inner = np.flatnonzero(arrays["left"] >= 0)[0]
    circle = arrays["left"].copy()
    circle[inner] = inner  # a walk would never end
    yield "forest", to_bytes(arrays | {"left": circle})
    yield "forest", to_bytes(arrays)[:400]
    yield "forest", to_bytes(arrays | {"roots": np.array([10**6])})
    yield "forest", to_bytes(arrays | {"shares/indices": arrays["shares/indices"] + 5})


@pytest.mark.parametrize(("kind", "data"), list(_broken()))
def test_damaged_bytes_are_refused_and_nothing_is_unpickled(kind, data):
    with pytest.raises(ValueError):
        from_bytes(kind, data)


def test_doubts_are_measured_by_what_is_usual_in_the_category():
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    samples = Samples((1, 2), labels, np.arange(8), tuple(range(8)), np.zeros((8, 1)))
    other = np.array([0.1, 0.2, 0.55, 0.95, 0.9, 0.8, 0.85, 0.05])  # of category 1
    found = doubts_of(samples, np.stack([1 - other, other], axis=1))
    # Own shares are usually 0.55 in category 0 and 0.65 in category 1: the third is not far enough below.
    assert [(one.product, one.suggested) for one in found] == [(7, 0), (3, 1)]
    assert found[0].doubt == pytest.approx(1 - 0.05 / 0.65) and found[1].doubt == pytest.approx(1 - 0.05 / 0.55)


# --- Too little, nothing yet --------------------------------------------------------------------------


def test_too_few_labels_are_said_and_nothing_is_suggested(desk, encoded_once):
    product = add_product("ONE", "circle", "red", category="Round", photos=3)
    encoded_once()
    said = fragment(desk, product.images.first())
    assert "once 2 categories have 3 products each" in said and "So far 0 categories have." in said
    assert 'name="category"' not in said
    with pytest.raises(CommandError, match="So far 0 categories have"):
        call_command("classify")
    for name in ("suggestions", "suggestions-mislabelled", "suggestions-classifiers"):
        text_of(desk.get(reverse(name)))
    page = text_of(desk.get(reverse("suggestions-classifiers")))
    assert "So far 0 categories have." in page and "disabled" in page
    desk.post(reverse("suggestions-train"))
    job = Job.objects.get()
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert job.state == "failed" and "So far 0 categories have." in job.says
    assert "So far 0 categories have." in text_of(desk.get(reverse("suggestions-classifiers")))
    assert not Classifier.objects.exists()


def test_without_an_index_pages_say_so(desk):
    product = add_product("ONE")
    assert "There is no index yet" in fragment(desk, product.images.get())
    assert "There is no index yet" in text_of(desk.get(reverse("suggestions-classifiers")))
    desk.post(reverse("suggestions-train"))
    jobs.run(str(Job.objects.get().pk))
    assert "There is no index yet" in Job.objects.get().says
    with pytest.raises(CommandError, match="no index"):
        call_command("classify")


def test_a_photo_that_is_not_embedded_yet_asks_again_by_itself(desk, drawn, encoded_once):
    image = add_product("LATER", "circle", "teal", category="", size=(250, 190)).images.get()
    said = fragment(desk, image)
    assert "not indexed yet" in said and 'hx-trigger="load delay:2s"' in said
    encoded_once()
    said = fragment(desk, image)
    assert "hx-trigger" not in said and "Shapes / Circle" in said


# --- One photo ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["neighbours", "linear", "forest"])
def test_every_classifier_suggests_the_shape_and_shows_why(desk, newcomer, kind):
    if kind != "neighbours":  # they are there without any training
        train()
        desk.post(reverse("suggestions-choose"), {"kind": kind})
    response = desk.get(reverse("suggestion", args=[newcomer.pk]), headers=HTMX)
    found = response.context["found"]
    assert (found.kind, found.categories[0].path) == (kind, "Shapes / Circle")
    assert found.categories[0].share > 0.5 and len(found.categories) <= 3
    assert [one.share for one in found.categories] == sorted((one.share for one in found.categories), reverse=True)
    assert found.neighbours[0].category == category("Circle") and len(found.neighbours) == 6
    assert len({one.image.product_id for one in found.neighbours}) == 6, "each product once"
    assert "most similar products are in Circle" in text_of(response)


def test_percentages_that_nothing_has_measured_are_said_to_be_votes(desk, newcomer):
    assert "Not measured yet" in fragment(desk, newcomer)
    train()
    assert "Not measured yet" not in fragment(desk, newcomer)


def test_a_product_is_not_its_own_neighbour(desk, drawn):
    image = drawn[0].images.first()
    assert drawn[0].images.count() == 2
    found = desk.get(reverse("suggestion", args=[image.pk]), headers=HTMX).context["found"]
    assert drawn[0].pk not in {one.image.product_id for one in found.neighbours}


def test_hidden_photos_teach_nothing(desk, newcomer, drawn):
    circles = Image.objects.filter(product__category=category("Circle"))
    circles.set_status("rejected")
    found = desk.get(reverse("suggestion", args=[newcomer.pk]), headers=HTMX).context["found"]
    assert "Shapes / Circle" not in [one.path for one in found.categories]


def test_a_category_that_agrees_is_said_and_not_offered(desk, drawn):
    said = fragment(desk, drawn[3].images.get())
    assert "The photo looks like its category, Shapes / Circle" in said and 'name="category"' not in said


def test_accepting_moves_the_product_with_history_and_index(desk, staff, newcomer):
    before = Change.objects.get(pk=newcomer.pk).version
    circle = category("Circle")
    address = reverse("suggestion-category", args=[newcomer.pk])
    fields = {"category": circle.pk, "revision": revision(newcomer.product)}
    said = text_of(desk.post(address, fields, headers=HTMX))
    assert "NEW is in “Circle” now." in said and "looks like its category" in said
    product = Product.objects.get(sku="NEW")
    assert (product.category, product.revision) == (circle, fields["revision"] + 1)
    newest = product.history.first()
    assert (newest.history_user, newest.category_id) == (staff, circle.pk)
    assert Change.objects.get(pk=newcomer.pk).version > before
    # Without scripts, or from a queue, the form leads on.
    response = desk.post(address, fields | {"revision": product.revision, "next": "/suggestions/?after=1"})
    assert (response.status_code, response["Location"]) == (302, "/suggestions/?after=1")
    response = desk.post(address, fields | {"revision": product.revision + 1, "next": "https://elsewhere.example/"})
    assert response["Location"] == product.get_absolute_url()


def test_that_a_suggestion_was_accepted_is_said_in_the_language_of_the_reader(desk, newcomer):
    fields = {"category": category("Circle").pk, "revision": revision(newcomer.product)}
    chinese = {"accept-language": "zh-hans"}
    desk.post(reverse("suggestion-category", args=[newcomer.pk]), fields, headers=HTMX | chinese)
    page = reverse("product-edit", args=["NEW"])
    assert "A suggested category was accepted." in text_of(desk.get(page))
    assert "采纳了建议的分类。" in text_of(desk.get(page, headers=chinese))


def test_an_edit_meanwhile_is_not_lost(desk, newcomer):
    shown = revision(newcomer.product)
    product = Product.objects.get(sku="NEW")
    product.category = category("Square")
    product.save()
    address = reverse("suggestion-category", args=[newcomer.pk])
    fields = {"category": category("Circle").pk, "revision": shown}
    said = text_of(desk.post(address, fields, headers=HTMX))
    assert "NEW was edited by somebody meanwhile" in said
    product.refresh_from_db()
    assert product.category == category("Square")
    page = desk.post(address, fields, follow=True)
    assert "edited by somebody" in text_of(page)
    tag = ProductTag.objects.get(name="round")
    tags = reverse("suggestion-tags", args=[newcomer.pk])
    assert "edited by somebody" in text_of(desk.post(tags, {"tag": tag.pk, "revision": shown}, headers=HTMX))
    assert not product.tags.exists()


def test_tags_are_suggested_where_they_were_right_on_held_out_products(desk, newcomer):
    train()
    measured = Classifier.objects.get(kind="neighbours").tags
    by_name = {tag.name: str(tag.pk) for tag in ProductTag.objects.all()}
    assert by_name["round"] in measured and by_name["odd"] not in measured
    said = fragment(desk, newcomer)
    assert "round" in said and "odd" not in said
    address = reverse("suggestion-tags", args=[newcomer.pk])
    fields = {"tag": [by_name["round"]], "revision": revision(newcomer.product)}
    said = text_of(desk.post(address, fields, headers=HTMX))
    assert "1 tag was added." in said and 'name="tag"' not in said
    product = Product.objects.get(sku="NEW")
    assert ([tag.name for tag in product.tags.all()], product.revision) == (["round"], fields["revision"] + 1)


def test_thresholds_of_tags_are_for_precision():
    shares = np.array([0.9] * 10 + [0.5] * 10 + [0.1] * 10)
    right = np.array([True] * 10 + [False, True] * 5 + [False] * 10)
    assert tagging._threshold(shares, right) == 0.9
    assert tagging._threshold(shares, ~right) is None
    assert tagging._threshold(shares[:5], right[:5]) is None, "five of five may be chance"
    assert tagging.chosen({1: 0.95, 2: 0.5}, None) == [1]
    assert tagging.chosen({1: 0.95, 2: 0.5}, {"2": 0.4}) == [2]


def test_an_engine_that_is_down_is_said_in_the_panel_s_place(client_of, staff, engine_down, shop):
    desk = client_of(staff)
    add_product("ANG-2", "square", "red", category="Round/Discs")
    for n in range(3):
        add_product(f"MORE-{n}", "square", "red", category="Angular")
        add_product(f"DISC-{n}", "circle", "red", category="Round/Discs")
    image = Image.objects.filter(product=shop[0]).first()
    assert "Search is not available at the moment" in fragment(desk, image)
    near = desk.get(reverse("suggestion-near", args=[image.pk]), headers=HTMX)
    assert "Search is not available at the moment" in text_of(near)


def test_who_may_see_and_do_what(client_of, newcomer, staff, moderator):
    shopper = User.objects.create_user("shopper", "shopper@example.com", "x")
    panel = reverse("suggestion", args=[newcomer.pk])
    pages = [reverse(name) for name in ("suggestions", "suggestions-mislabelled", "suggestions-classifiers")]
    posts = [
        reverse("suggestion-category", args=[newcomer.pk]),
        reverse("suggestion-tags", args=[newcomer.pk]),
        reverse("suggestions-train"),
        reverse("suggestions-choose"),
        reverse("suggestions-decide", args=[1, "keep"]),
    ]
    stranger, buyer, judge, clerk = (client_of(user) for user in (None, shopper, moderator, staff))
    assert {stranger.get(one).status_code for one in (panel, *pages)} == {302}
    assert {stranger.post(one).status_code for one in posts} == {302}
    assert {buyer.get(one).status_code for one in (panel, *pages)} == {403}
    assert {buyer.post(one).status_code for one in posts} == {403}
    assert [judge.get(one).status_code for one in (panel, *pages)] == [200, 403, 403, 403]
    assert [judge.post(one).status_code for one in posts] == [404, 404, 403, 403, 403]
    assert {clerk.get(one).status_code for one in (panel, *pages)} == {200}
    assert {clerk.get(one).status_code for one in posts} == {405}
    assert clerk.post(posts[0], {"category": "1", "revision": "x"}).status_code == 404
    assert clerk.post(posts[3], {"kind": "oracle"}).status_code == 404


def test_pages_load_the_panel_by_its_address(desk, newcomer):
    address = reverse("suggestion", args=[newcomer.pk])
    assert f'hx-get="{address}"' in text_of(desk.get(newcomer.product.get_absolute_url()))
    assert address not in text_of(Client().get(newcomer.product.get_absolute_url()))
    file = io.BytesIO(jpeg("square", "teal"))
    file.name = "square.jpg"
    page = text_of(desk.post(reverse("upload"), {"file": [file], "availability": "in_stock"}))
    uploaded = Image.objects.order_by("pk").last()
    assert f'hx-get="{reverse("suggestion", args=[uploaded.pk])}"' in page
    assert "<html" in text_of(desk.get(address)), "a page of its own without scripts"


def test_the_number_of_statements_is_constant(desk, newcomer):
    train()
    address = reverse("suggestion", args=[newcomer.pk])
    desk.get(address, headers=HTMX)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        desk.get(address, headers=HTMX)
    assert len(queries) <= 18, [query["sql"][:80] for query in queries]


# --- The queue ----------------------------------------------------------------------------------------


def test_products_without_a_category_come_one_after_the_other(desk, newcomer, encoded_once):
    later = add_product("NEWER", "square", "teal", category="", size=(250, 190))
    encoded_once()
    page = desk.get(reverse("suggestions"))
    assert page.context["product"] == later and page.context["waiting"] == 2
    assert "Shapes / Square" in text_of(page)
    following = page.context["next"]
    page = desk.get(following)
    assert page.context["product"] == newcomer.product
    fields = {"category": category("Circle").pk, "revision": revision(newcomer.product), "next": page.context["next"]}
    page = desk.post(reverse("suggestion-category", args=[newcomer.pk]), fields, follow=True)
    assert "NEW is in “Circle” now." in text_of(page) and "That was the last one" in text_of(page)
    assert "1 product is still without a category." in text_of(page)
    mislabel(later, "Square")
    assert "Every product with a photo has a category" in text_of(desk.get(reverse("suggestions")))
    text_of(desk.get(reverse("suggestions"), {"after": "nonsense"}))


# --- Likely mislabelled -------------------------------------------------------------------------------


@pytest.fixture
def wrong(drawn) -> list[Product]:
    """A square among the circles, and a circle among the triangles."""
    square, circle = Product.objects.get(sku="SQUARE-3"), Product.objects.get(sku="CIRCLE-5")
    mislabel(square, "Circle")
    mislabel(circle, "Triangle")
    return [square, circle]


@pytest.mark.parametrize("kind", ["neighbours", "linear", "forest"])
def test_mislabelled_products_are_doubted_first(desk, wrong, kind):
    train()
    first = LabelDoubt.objects.filter(classifier__kind=kind).open()[:2]
    assert {(one.product, one.suggested.name) for one in first} == set(zip(wrong, ("Square", "Circle"), strict=True))
    Classifier.objects.exclude(kind=kind).delete()
    page = desk.get(reverse("suggestions-mislabelled"))
    rows = page.context["rows"]
    assert {row.suggested_path for row in rows[:2]} == {"Shapes / Square", "Shapes / Circle"}
    assert "Move to Square" in text_of(page)
    near = desk.get(reverse("suggestion-near", args=[rows[0].image.pk]), headers=HTMX)
    assert len(near.context["neighbours"]) == 4


def train_linear() -> None:
    train()
    Classifier.objects.exclude(kind="linear").delete()


def decide(desk: Client, product: Product, verb: str, **more) -> str:
    doubt = LabelDoubt.objects.filter(classifier__kind="linear").get(product=product)
    fields = {"revision": revision(product)} | more
    return text_of(desk.post(reverse("suggestions-decide", args=[doubt.pk, verb]), fields, headers=HTMX))


def doubted(desk: Client) -> list[Product]:
    return [row.doubt.product for row in desk.get(reverse("suggestions-mislabelled")).context["rows"]]


def test_move_keep_and_later(desk, staff, wrong):
    square, circle = wrong
    train_linear()
    assert "edited by somebody" in decide(desk, square, "move", revision=1)
    assert "SQUARE-3 is in “Square” now." in decide(desk, square, "move")
    square.refresh_from_db()
    assert square.category == category("Square") and square.history.first().history_user == staff
    assert square not in doubted(desk) and circle in doubted(desk)
    assert "left for later" in decide(desk, circle, "skip")
    assert circle not in doubted(desk)
    desk.post(reverse("suggestions-skipped"))
    assert circle in doubted(desk)
    assert "CIRCLE-5 stays in “Triangle”" in decide(desk, circle, "keep")
    assert LabelConfirmed.objects.get().by == staff
    train_linear()  # remembered for good
    assert LabelDoubt.objects.filter(product=circle).exists() and circle not in doubted(desk)
    mislabel(circle, "Square")
    train_linear()
    assert circle in doubted(desk), "what was confirmed is that it belongs to the other category"
    doubt = LabelDoubt.objects.filter(product=circle).first()
    page = desk.post(reverse("suggestions-decide", args=[doubt.pk, "keep"]), follow=True)
    assert "stays in “Square”" in text_of(page)
    assert desk.post(reverse("suggestions-decide", args=[doubt.pk, "eat"])).status_code == 404


def test_before_any_training_the_page_says_what_to_do(desk, drawn):
    assert "have not been trained yet" in text_of(desk.get(reverse("suggestions-mislabelled")))


# --- Training, choosing -------------------------------------------------------------------------------


def test_training_is_a_job_with_progress(desk, drawn):
    assert "Train and measure" in text_of(desk.get(reverse("suggestions-classifiers")))
    desk.post(reverse("suggestions-train"))
    assert "being trained already" in text_of(desk.post(reverse("suggestions-train"), follow=True))
    assert Job.objects.count() == 1
    shown = text_of(desk.get(reverse("suggestions-progress"), headers=HTMX))
    assert "<progress" in shown and reverse("suggestions-progress") in shown
    job = Job.objects.get()
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == ("done", 19, 19), job.says
    assert job.result["classifiers"] == ["neighbours", "linear", "forest"]
    answer = desk.get(reverse("suggestions-progress"), headers=HTMX)
    assert answer["HX-Refresh"] == "true"
    page = text_of(desk.get(reverse("suggestions-classifiers")))
    assert page.count("less than a minute ago") == 3 and "train again" not in page
    mislabel(drawn[0], "Square")
    assert "Products have been given other categories since" in text_of(desk.get(reverse("suggestions-classifiers")))


def test_that_many_categories_take_hours_is_said(desk, drawn, monkeypatch):
    address = reverse("suggestions-classifiers")
    assert "takes hours" not in text_of(desk.get(address))
    monkeypatch.setattr(forest, "SLOW_CATEGORIES", len(KINDS))
    assert "the random forest takes hours" in text_of(desk.get(address))


def test_two_clicks_at_once_start_one_training(desk, drawn, monkeypatch):
    desk.post(reverse("suggestions-train"))
    unfinished = classifiers._training
    seen = iter([None])  # the second click looked before the first one was written
    monkeypatch.setattr(classifiers, "_training", lambda: next(seen, unfinished()))
    page = text_of(desk.post(reverse("suggestions-train"), follow=True))
    monkeypatch.undo()
    assert "They are being trained already." in page and Job.objects.count() == 1
    jobs.run(str(Job.objects.get().pk))
    assert desk.post(reverse("suggestions-train")).status_code == 302
    assert [job.state for job in Job.objects.order_by("created_at")] == ["done", "queued"]


def test_a_killed_training_goes_on_with_what_is_missing(drawn):
    train()
    Classifier.objects.filter(kind="forest").delete()
    before = {one.kind: one.trained_at for one in Classifier.objects.all()}
    live = Generation.objects.live()
    job = jobs.start(training.JOB, None)
    Job.objects.filter(pk=job.pk).update(resume={"generation": live.pk, "done": ["neighbours", "linear"]})
    jobs.run(str(job.pk))
    after = {one.kind: one.trained_at for one in Classifier.objects.all()}
    assert after.pop("forest") and after == before
    job.refresh_from_db()
    assert job.result["classifiers"] == ["neighbours", "linear", "forest"]


def test_a_cancelled_training_stops(drawn):
    job = jobs.start(training.JOB, None)
    job.begin()
    Job.objects.filter(pk=job.pk).update(state="queued")
    told: list[int] = []

    def tell(done: int, total: int, says: str) -> None:
        told.append(done)
        raise jobs.Cancelled

    with pytest.raises(jobs.Cancelled):
        training.train(Generation.objects.live(), tell)
    assert told == [0] and not Classifier.objects.exists()


def test_another_generation_makes_classifiers_stale(desk, newcomer, index):
    train()
    SuggestionSetting.choose("linear", None)
    assert desk.get(reverse("suggestion", args=[newcomer.pk])).context["found"].kind == "linear"
    other = generations.build(encoder="efficientnet-lite2")
    index()
    other.refresh_from_db()
    generations.promote(other)
    found = desk.get(reverse("suggestion", args=[newcomer.pk])).context["found"]
    assert found.kind == "neighbours" and "Linear SVM is not trained for the present index" in found.says
    assert found.categories[0].path == "Shapes / Circle"
    page = text_of(desk.get(reverse("suggestions-classifiers")))
    assert "not for this index" in page and "Nothing has been trained or measured for the present index" in page
    assert "have not been trained yet" in text_of(desk.get(reverse("suggestions-mislabelled")))


def test_a_stored_classifier_is_read_once_until_it_is_trained_again(drawn):
    train()
    linear = Classifier.objects.get(kind="linear")
    assert learnt(linear) is learnt(Classifier.objects.get(pk=linear.pk))
    grown = Classifier.objects.get(kind="forest")
    train()
    with pytest.raises(Classifier.DoesNotExist):  # the numbers of the new one are not of the old one's categories
        learnt(grown)
    assert learnt(Classifier.objects.get(kind="linear")) is not learnt(linear)


def test_a_product_deleted_while_training_is_not_doubted(wrong, monkeypatch):
    square, circle = wrong
    gathered = training.gather

    def meanwhile(*arguments):
        samples = gathered(*arguments)
        square.delete()
        return samples

    monkeypatch.setattr(training, "gather", meanwhile)
    train()
    assert LabelDoubt.objects.filter(product=circle).count() >= 1


def test_a_product_that_has_gone_cannot_be_moved(drawn):
    with pytest.raises(accepting.Edited):
        accepting.put_into(Image.objects.first().pk, category("Circle"), 1)
