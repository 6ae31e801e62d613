"""What every engine counts: products per value, each facet without its own filter; the range of prices."""

import pytest

from gallery.visibility import public
from search.engines.base import FACETS, PRICE_BUCKETS, Filters
from tests.engines.catalogue import QUERY, document, words

ASKED = [pytest.param({"vector": QUERY}, id="window"), pytest.param({}, id="catalogue")]


@pytest.fixture
def shop(index):
    """Five products; the first has two images."""
    shirt = {"product": "shirt", "category": ("1", "11"), "brand": "1", "tags": ("a",), "price": 10.0}
    shirt["attributes"] = ("size=S", "size=M", "ink=red")
    index.put(
        document(1, color=("red",), **shirt),
        document(2, color=("blue", "red"), **shirt),
        document(3, category=("1", "12"), brand="2", tags=("a", "b"), price=20.0, attributes=("size=M", "ink=red")),
        document(
            4,
            category=("2",),
            brand="1",
            color=("blue",),
            price=30.0,
            availability="preorder",
            attributes=("size=M",),
        ),
        document(5, category=("2",), brand="3", tags=("b",), price=120.0, attributes=("size=L", "ink=blue")),
        document(6, category=("2",), status="pending", brand="4"),
    )
    return index


@pytest.mark.parametrize("asked", ASKED)
def test_every_facet_counts_products(shop, asked):
    answer = shop.search(public, **asked)
    assert answer.total == 4
    assert set(answer.facets.counts) == set(FACETS)
    assert answer.facets.counts == {
        "category": {"1": 2, "11": 1, "12": 1, "2": 2},
        "brand": {"1": 2, "2": 1, "3": 1},
        "availability": {"in_stock": 3, "preorder": 1},
        "color": {"red": 1, "blue": 2},
        "tags": {"a": 2, "b": 2},
        "attributes": {"size=S": 1, "size=M": 3, "size=L": 1, "ink=red": 2, "ink=blue": 1},
    }


@pytest.mark.parametrize("asked", ASKED)
def test_a_facet_is_counted_without_its_own_filter(shop, asked):
    answer = shop.search(public, filters=Filters(brand=("1",)), **asked)
    assert answer.total == 2
    counts = answer.facets.counts
    assert counts["brand"] == {"1": 2, "2": 1, "3": 1}
    assert counts["category"] == {"1": 1, "11": 1, "2": 1}
    assert counts["availability"] == {"in_stock": 1, "preorder": 1}
    assert counts["attributes"] == {"size=S": 1, "size=M": 2, "ink=red": 1}


@pytest.mark.parametrize("asked", ASKED)
def test_several_filters_narrow_each_others_facets(shop, asked):
    answer = shop.search(public, filters=Filters(brand=("1", "2"), category=("1",)), **asked)
    assert answer.total == 2
    counts = answer.facets.counts
    assert counts["brand"] == {"1": 1, "2": 1}
    assert counts["category"] == {"1": 2, "11": 1, "12": 1, "2": 1}
    assert counts["availability"] == {"in_stock": 2}


@pytest.mark.parametrize("asked", ASKED)
def test_images_of_one_product_differ_in_colors(shop, asked):
    """A product counts for a colour by any of its photos, and is shown by one that has it."""
    answer = shop.search(public, filters=Filters(color=("blue",)), **asked)
    assert (answer.total, {hit.key.int for hit in answer.hits}) == (2, {2, 4})
    assert answer.facets.counts["color"] == {"red": 1, "blue": 2}
    assert answer.facets.counts["brand"] == {"1": 2}


@pytest.mark.parametrize("asked", ASKED)
def test_each_name_of_an_attribute_is_a_facet_of_its_own(shop, asked):
    answer = shop.search(public, filters=Filters(attributes=("size=L",)), **asked)
    assert answer.total == 1
    assert answer.facets.counts["attributes"] == {"size=S": 1, "size=M": 3, "size=L": 1, "ink=blue": 1}
    assert answer.facets.counts["brand"] == {"3": 1}


@pytest.mark.parametrize("asked", ASKED)
def test_names_of_attributes_narrow_each_other(shop, asked):
    answer = shop.search(public, filters=Filters(attributes=("size=M", "ink=red")), **asked)
    assert answer.total == 2
    assert answer.facets.counts["attributes"] == {"size=S": 1, "size=M": 2, "ink=red": 2}


@pytest.mark.parametrize("asked", ASKED)
def test_prices_are_counted_without_the_filter_on_price(shop, asked):
    answer = shop.search(public, filters=Filters(price_min=15.0, price_max=35.0), **asked)
    assert answer.total == 2
    price = answer.facets.price
    assert (price.lowest, price.highest) == (10.0, 120.0)
    assert len(price.counts) == PRICE_BUCKETS
    assert price.counts == (1, 1, 1) + (0,) * (PRICE_BUCKETS - 4) + (1,)
    assert answer.facets.counts["brand"] == {"1": 1, "2": 1}


@pytest.mark.parametrize("asked", ASKED)
def test_other_filters_narrow_the_prices(shop, asked):
    price = shop.search(public, filters=Filters(brand=("1",)), **asked).facets.price
    assert (price.lowest, price.highest) == (10.0, 30.0)
    assert sum(price.counts) == 2


@pytest.mark.parametrize("asked", ASKED)
def test_one_price_is_a_range_too(shop, asked):
    price = shop.search(public, filters=Filters(brand=("2",)), **asked).facets.price
    assert (price.lowest, price.highest) == (20.0, 20.0)
    assert price.counts == (1,) + (0,) * (PRICE_BUCKETS - 1)


@pytest.mark.parametrize("asked", ASKED)
def test_without_prices_there_is_no_range(index, asked):
    index.put(document(1), document(2))
    assert index.search(**asked).facets.price is None


@pytest.mark.parametrize("asked", ASKED)
def test_a_filter_that_leaves_nothing_still_shows_its_alternatives(shop, asked):
    answer = shop.search(public, filters=Filters(brand=("nobody's",)), **asked)
    assert answer.total == 0
    assert answer.facets.counts["brand"] == {"1": 2, "2": 1, "3": 1}
    assert answer.facets.counts["category"] == {}
    assert answer.facets.price is None


@pytest.mark.parametrize("asked", ASKED)
def test_words_narrow_the_counts(index, asked):
    index.put(document(1, title="red hat", brand="1"), document(2, title="blue hat", brand="2"), document(3, brand="3"))
    answer = index.search(words=words("hat"), filters=Filters(brand=("1",)), **asked)
    assert answer.facets.counts["brand"] == {"1": 1, "2": 1}


@pytest.mark.parametrize("asked", ASKED)
def test_facets_can_be_left_out(shop, asked):
    answer = shop.search(public, filters=Filters(brand=("1",)), facets=False, **asked)
    assert answer.total == 2
    assert answer.facets.counts == {}
    assert answer.facets.price is None


def test_a_windows_facets_are_ranked_anew_without_their_filter(index):
    """Three images of another brand come before those of the filter: the brand's counts are those of a full window."""
    index.put(*(document(i, 0.9 - i / 100, brand="1" if i < 3 else "2") for i in range(6)))
    answer = index.search(vector=QUERY, window=4, filters=Filters(brand=("2",)))
    assert answer.total == 3
    assert answer.facets.counts["brand"] == {"1": 3, "2": 1}


def test_a_windows_counts_stop_at_the_floor(index):
    index.put(document(1, 0.9, brand="1"), document(2, 0.2, brand="1"), document(3, 0.2, brand="2"))
    answer = index.search(vector=QUERY, floor=0.5, filters=Filters(brand=("2",)))
    assert answer.total == 0
    assert answer.facets.counts["brand"] == {"1": 1}
