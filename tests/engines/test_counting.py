"""The counting that all engines share."""

import numpy as np
import pytest

from search.engines.base import FACETS, PRICE_BUCKETS, Facets, Fields, Filters, PriceRange
from search.engines.counting import Row, clause_names, count, disjunctive, facet_values, in_clause, price_range


def test_a_documents_values_name_their_facets():
    fields = Fields("p", "approved", True, category=("1", "11"), color=("red",), tags=("a",), attributes=("size=S",))
    assert set(facet_values(fields)) == {
        ("category", "1"),
        ("category", "11"),
        ("availability", "in_stock"),
        ("color", "red"),
        ("tags", "a"),
        ("attributes", "size=S"),
    }


def test_products_are_counted_not_images():
    rows = [Row("p", [("brand", "1")], 5.0), Row("p", [("brand", "1")], 5.0), Row("q", [("brand", "1")], None)]
    facets = count(rows)
    assert facets.counts["brand"] == {"1": 2}
    assert sum(facets.price.counts) == 1
    assert set(facets.counts) == set(FACETS)


def test_every_active_filter_has_a_name():
    filters = Filters(brand=("1",), attributes=("size=S", "ink=red", "size=M"), price_max=3.0)
    assert clause_names(filters) == ["brand", "attributes.size", "attributes.ink", "price"]
    assert clause_names(Filters()) == []


@pytest.mark.parametrize(
    ("clause", "facet", "value", "expected"),
    [
        ("brand", "brand", "1", True),
        ("brand", "tags", "1", False),
        ("attributes.size", "attributes", "size=S", True),
        ("attributes.size", "attributes", "sizes=S", False),
        ("attributes.size", "attributes", "size=a=b", True),
        ("price", "brand", "1", False),
    ],
)
def test_a_clause_owns_the_values_of_its_facet(clause, facet, value, expected):
    assert in_clause(clause, facet, value) is expected


def test_each_facet_comes_from_where_its_own_filter_is_not():
    main = count([Row("p", [("brand", "1"), ("tags", "a"), ("attributes", "size=S"), ("attributes", "ink=red")], 1.0)])
    wide = count([Row("q", [("brand", "2"), ("tags", "b"), ("attributes", "size=M"), ("attributes", "ink=blue")], 9.0)])
    answer = disjunctive(main, {"brand": wide, "attributes.size": wide})
    assert answer.counts["brand"] == {"2": 1}
    assert answer.counts["tags"] == {"a": 1}
    assert answer.counts["attributes"] == {"size=M": 1, "ink=red": 1}
    assert answer.price == main.price
    assert disjunctive(main, {"price": wide}) == Facets(main.counts, wide.price)


def test_no_prices_make_no_range():
    assert price_range([]) is None
    assert price_range(np.array([])) is None


def test_a_range_has_equal_steps_and_loses_no_product():
    prices = price_range([float(price) for price in range(PRICE_BUCKETS * 10 + 1)])
    assert (prices.lowest, prices.highest) == (0.0, 120.0)
    assert prices.counts == (10,) * (PRICE_BUCKETS - 1) + (11,)


def test_equal_prices_fall_in_the_first_step():
    assert price_range([4.0, 4.0]) == PriceRange(4.0, 4.0, (2,) + (0,) * (PRICE_BUCKETS - 1))


def test_prices_next_to_each_other_make_a_range():
    assert sum(price_range([1.0, np.nextafter(1.0, 2.0)]).counts) == 2
