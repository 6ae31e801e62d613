"""What every engine does with a picture: one window of images, ranked inside visibility, filters and words."""

import numpy as np
import pytest

from gallery.visibility import Visibility, moderation, public
from search.engines.base import Filters, Request, Word
from search.projection import PartMap, Projection
from tests.engines.catalogue import DIMENSION, QUERY, document, key, numbers, towards, words

OWN = Visibility("own", 7)


def test_hits_come_best_first_with_their_scores(index):
    index.put(document(1, 0.3), document(2, 0.9), document(3, -0.5), document(4, 0.6))
    hits = index.search(vector=QUERY).hits
    assert [hit.key.int for hit in hits] == [2, 4, 1, 3]
    assert [hit.score for hit in hits] == pytest.approx([0.9, 0.6, 0.3, -0.5], abs=1e-3)


def test_scores_and_ranks_are_those_of_the_dot_product(index):
    random = np.random.default_rng(5)
    vectors = random.normal(size=(200, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index.put(*(document(i, vector=vector) for i, vector in enumerate(vectors)))
    for query in vectors[:5] * -1:
        hits = index.search(vector=query, window=50).hits
        exact = vectors @ query
        assert [hit.score for hit in hits] == pytest.approx([exact[hit.key.int] for hit in hits], abs=1e-3)
        assert [hit.score for hit in hits] == pytest.approx(np.sort(exact)[::-1][:50], abs=1e-3)


def test_a_hit_carries_what_a_window_is_sorted_by(index):
    index.put(document(1, product="a", price=12.5, created=1_700_000_000_123), document(2, 0.1, product="b"))
    with_price, without = index.search(vector=QUERY).hits
    assert (with_price.product, with_price.price, with_price.created) == ("a", 12.5, 1_700_000_000_123)
    assert (without.product, without.price) == ("b", None)


def test_the_best_match_is_the_picture_itself_even_with_a_part_missing(index):
    projection = Projection((PartMap("deep", np.zeros(10, np.float32)), PartMap("color", np.zeros(5, np.float32))))
    assert projection.dimension == DIMENSION
    random = np.random.default_rng(2)
    parts = [projection.project({"deep": random.normal(size=10), "color": random.normal(size=5)}) for _ in range(20)]
    del parts[0]["color"]
    index.put(*(document(i, vector=projection.document_vector(part)) for i, part in enumerate(parts)))
    for number, part in enumerate(parts):
        weights = projection.usable_weights({"deep": 0.7, "color": 0.3}, part)
        hit = index.search(vector=projection.query_vector(part, weights)).hits[0]
        assert hit.key.int == number
        assert hit.score * projection.factor(weights) == pytest.approx(1, abs=5e-3)


def test_what_is_below_the_floor_is_weaker_and_not_counted(index):
    index.put(
        document(1, 0.9, brand="1", price=5.0), document(2, 0.5, brand="1"), document(3, 0.2, brand="2", price=9.0)
    )
    answer = index.search(vector=QUERY, floor=0.4)
    assert numbers(answer) == [1, 2]
    assert [hit.key.int for hit in answer.weaker] == [3]
    assert answer.weaker[0].score == pytest.approx(0.2, abs=1e-3)
    assert answer.total == 2
    assert answer.facets.counts["brand"] == {"1": 2}
    assert (answer.facets.price.lowest, answer.facets.price.highest) == (5.0, 5.0)


def test_a_window_may_hold_nothing_but_weaker_images(index):
    index.put(document(1, 0.2), document(2, 0.1))
    answer = index.search(vector=QUERY, floor=0.5)
    assert (list(answer.hits), answer.total) == ([], 0)
    assert [hit.key.int for hit in answer.weaker] == [1, 2]
    assert not answer.full


def test_a_window_that_matches_fill_is_full_and_holds_the_best(index):
    index.put(*(document(i, i / 20, product=f"p{i // 2}") for i in range(20)))
    answer = index.search(vector=QUERY, window=6, floor=0.1)
    assert numbers(answer) == [19, 18, 17, 16, 15, 14]
    assert answer.full
    assert answer.total == 3
    assert list(answer.weaker) == []


def test_weaker_images_do_not_fill_a_window(index):
    index.put(*(document(i, i / 20) for i in range(20)))
    answer = index.search(vector=QUERY, window=6, floor=0.82)
    assert numbers(answer) == [19, 18, 17]
    assert [hit.key.int for hit in answer.weaker] == [16, 15, 14]
    assert not answer.full


def test_the_total_counts_products(index):
    index.put(document(1, product="a"), document(2, 0.8, product="a"), document(3, 0.7, product="b"))
    answer = index.search(vector=QUERY)
    assert len(answer.hits) == 3
    assert answer.total == 2


def test_lopsided_weights_find_the_same(index):
    index.put(*(document(i, i / 40) for i in range(40)))
    assert index.window(window=5, lopsided=True) == [39, 38, 37, 36, 35]


@pytest.fixture
def statuses(index):
    """Two public images; drafts, pending and rejected ones, some of them uploaded by users 7 and 77."""
    index.put(
        document(1),
        document(2, uploader="77"),
        document(3, published=False, uploader="7"),
        document(4, status="pending", uploader="7"),
        document(5, status="pending", uploader="77"),
        document(6, status="rejected"),
        document(7, status="withdrawn", published=False),
    )
    return index


@pytest.mark.parametrize(
    ("who", "seen"), [(public, [1, 2]), (OWN, [1, 2, 3, 4]), (Visibility("own", 8), [1, 2]), (moderation, range(1, 8))]
)
def test_nobody_is_shown_or_told_of_more_than_they_may_see(statuses, who, seen):
    window = statuses.search(who, vector=QUERY)
    catalogue = statuses.search(who)
    assert sorted(numbers(window)) == sorted(numbers(catalogue)) == list(seen)
    assert window.total == catalogue.total == len(seen)
    assert window.facets == catalogue.facets
    assert window.facets.counts["availability"] == {"in_stock": len(seen)}


def test_visibility_is_inside_the_ranking(index):
    index.put(*(document(i, 0.9, status="pending") for i in range(30)), document(50, 0.1))
    assert index.window(public, window=5) == [50]


@pytest.fixture
def shop(index):
    index.put(
        document(
            1, 0.9, category=("1", "11"), brand="1", tags=("a", "b"), price=10.0, attributes=("size=S", "ink=red")
        ),
        document(2, 0.8, category=("1", "12"), brand="2", tags=("b",), price=20.0, attributes=("size=M", "ink=red")),
        document(3, 0.7, category=("2",), brand="1", price=30.0, availability="preorder", attributes=("size=M",)),
        document(4, 0.6, category=("2", "21"), tags=("c",), attributes=("size=L", "size=S", "ink=blue")),
        document(5, 0.5, category=(), brand="3", price=0.0, availability="out_of_stock", attributes=("size=1=2",)),
    )
    return index


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), [1, 2, 3, 4, 5]),
        (Filters(category=("1",)), [1, 2]),
        (Filters(category=("12",)), [2]),
        (Filters(category=("11", "2")), [1, 3, 4]),
        (Filters(brand=("1",)), [1, 3]),
        (Filters(brand=("2", "3")), [2, 5]),
        (Filters(availability=("in_stock",)), [1, 2, 4]),
        (Filters(availability=("preorder", "out_of_stock")), [3, 5]),
        (Filters(tags=("b",)), [1, 2]),
        (Filters(tags=("a", "c")), [1, 4]),
        (Filters(attributes=("size=S",)), [1, 4]),
        (Filters(attributes=("size=S", "size=M")), [1, 2, 3, 4]),
        (Filters(attributes=("size=S", "ink=red")), [1]),
        (Filters(attributes=("size=S", "size=M", "ink=red", "ink=blue")), [1, 2, 4]),
        (Filters(attributes=("size=1=2",)), [5]),
        (Filters(price_min=20.0), [2, 3]),
        (Filters(price_max=10.0), [1, 5]),
        (Filters(price_min=10.0, price_max=20.0), [1, 2]),
        (Filters(price_min=0.0), [1, 2, 3, 5]),
        (Filters(brand=("1",), category=("2",)), [3]),
        (Filters(brand=("1", "2"), tags=("b",), price_min=15.0), [2]),
        (Filters(brand=("nobody's",)), []),
        (Filters(brand=("1", "nobody's")), [1, 3]),
        (Filters(category=("a",)), []),  # a tag is no category
        (Filters(tags=("'; DROP TABLE images; --",)), []),
    ],
)
def test_filters_narrow_the_window_and_the_catalogue_alike(shop, filters, expected):
    window = shop.search(vector=QUERY, filters=filters)
    assert numbers(window) == expected
    assert window.total == len(expected)
    assert shop.catalogue(filters=filters) == expected[::-1]


def test_filters_are_inside_the_ranking(index):
    index.put(*(document(i, 0.9, brand="1") for i in range(30)), document(50, 0.1, brand="2"))
    assert index.window(filters=Filters(brand=("2",)), window=5) == [50]


def test_excluded_images_are_left_out(shop):
    assert shop.window(exclude=(key(1), key(4), key(99))) == [2, 3, 5]
    assert shop.catalogue(exclude=(key(1), key(4))) == [5, 3, 2]
    assert shop.search(vector=QUERY, exclude=(key(1),)).total == 4


def test_words_narrow_the_window(index):
    index.put(
        document(1, 0.9, title="red dress"), document(2, 0.8, title="blue dress"), document(3, 0.7, title="red hat")
    )
    assert index.window(words=words("red")) == [1, 3]
    assert index.window(words=words("dresses")) == [1, 2]
    answer = index.search(vector=QUERY, words=words("red"), floor=0.8)
    assert numbers(answer) == [1]
    assert [hit.key.int for hit in answer.weaker] == [3]
    assert answer.hits[0].score == pytest.approx(0.9, abs=1e-3)


def test_words_are_inside_the_ranking(index):
    index.put(*(document(i, 0.9, title="red hat") for i in range(30)), document(50, 0.1, title="blue hat"))
    assert index.window(words=words("blue"), window=5) == [50]


def test_equal_pictures_come_in_the_order_of_their_keys(index):
    index.put(*(document(i, vector=towards(0.5)) for i in (3, 1, 2)))
    assert index.window() == [1, 2, 3]


def test_documents_that_match_all_of_some_words_are_left_out(index):
    index.put(
        document(1, 0.9, title="red hat"),
        document(2, 0.8, title="red shoe"),
        document(3, 0.7, title="blue hat"),
        document(4, 0.6, brand="7"),
    )
    assert index.window(without_words=words("hat")) == [2, 4]
    assert index.window(without_words=words("red hat")) == [2, 3, 4]
    assert index.window(words=words("red"), without_words=words("hat")) == [2]
    assert index.window(without_words=(Word("hat", brands=("7",)),)) == [2]
    assert index.search(vector=QUERY, without_words=words("hat")).facets.counts["brand"] == {"7": 1}


def test_several_questions_are_answered_as_each_alone(index):
    index.put(*(document(n, 0.9 - n / 10, title="hat" if n % 2 else "shoe") for n in range(6)))
    asked = [
        Request(index.generation, moderation, words=words("hat")),
        Request(index.generation, moderation, vector=QUERY, words=words("hat"), facets=False),
        Request(index.generation, moderation, vector=QUERY, without_words=words("hat")),
    ]
    together = index.engine.search_all(asked)
    assert together == [index.engine.search(one) for one in asked]
    assert [numbers(answer) for answer in together][1:] == [[1, 3, 5], [0, 2, 4]]
    assert index.engine.search_all([]) == []
