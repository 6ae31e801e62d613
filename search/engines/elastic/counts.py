"""What is counted of the whole visible catalogue: products in all, per value of each facet, and per step of price."""

import math
from collections.abc import Generator, Iterable, Mapping
from typing import Any

from elasticsearch.dsl.aggs import Cardinality, Max, Min
from elasticsearch.dsl.aggs import Range as RangeAgg
from elasticsearch.dsl.aggs import Terms as TermsAgg
from elasticsearch.dsl.query import Bool

from search.engines.base import FACETS, PRICE_BUCKETS, PriceRange, Request
from search.engines.counting import PRICE
from search.engines.elastic.mapping import PRODUCT
from search.engines.elastic.queries import conditions
from search.engines.elastic.together import Bodies, Raw

_MOST_VALUES = 1_000  # of one facet; rarer ones are not counted
# Products are counted one by one up to this number; above, Elasticsearch estimates.
_PRODUCTS = Cardinality(field=PRODUCT, precision_threshold=40_000).to_dict()


def body(request: Request, names: Iterable[str], without: str | None = None) -> dict[str, Any]:
    """A search that counts what all filters leave, or all but one.

    :param names: the facets of ``FACETS`` that are wanted, and ``PRICE`` for the bounds of the prices
    """
    aggregations: dict[str, Any] = {"products": _PRODUCTS}
    for name in names:
        if name == PRICE:
            aggregations |= {"lowest": Min(field=PRICE).to_dict(), "highest": Max(field=PRICE).to_dict()}
        else:
            aggregations[name] = TermsAgg(field=name, size=_MOST_VALUES).to_dict() | {"aggs": {"products": _PRODUCTS}}
    return _body(request, aggregations, without)


def _body(request: Request, aggregations: Mapping[str, Any], without: str | None) -> dict[str, Any]:
    query = Bool(filter=conditions(request, without=without)).to_dict()
    return {"size": 0, "track_total_hits": False, "query": query, "aggs": aggregations}


def total(answer: Mapping[str, Any]) -> int:
    return answer["aggregations"]["products"]["value"]


def values(answer: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    """Products per (facet, value) of the facets that were asked for."""
    aggregations = answer["aggregations"]
    return {
        (facet, bucket["key"]): bucket["products"]["value"]
        for facet in FACETS
        if facet in aggregations
        for bucket in aggregations[facet]["buckets"]
    }


def price_range(request: Request, bounds: Mapping[str, Any]) -> Generator[Bodies, Raw, PriceRange | None]:
    """Products in equal steps of price, without the filter on price.

    :param bounds: the answer that holds the bounds of the prices without that filter
    """
    lowest, highest = (bounds["aggregations"][name]["value"] for name in ("lowest", "highest"))
    if lowest is None:
        return None
    starts = edges(lowest, highest)
    ranges: list[dict[str, float]] = [{"from": start} for start in starts]
    for step, end in zip(ranges, starts[1:], strict=False):
        step["to"] = end
    steps = RangeAgg(field=PRICE, ranges=ranges).to_dict() | {"aggs": {"products": _PRODUCTS}}
    (answer,) = yield [_body(request, {"steps": steps}, without=PRICE)]
    counted = [bucket["products"]["value"] for bucket in answer["aggregations"]["steps"]["buckets"]]
    return PriceRange(lowest, highest, tuple(counted) + (0,) * (PRICE_BUCKETS - len(counted)))


def edges(lowest: float, highest: float) -> list[float]:
    """The smallest price of each step, to the last bit as ``search.engines.counting.price_range`` divides them."""
    span = highest - lowest
    if span <= 0:
        return [lowest]

    def step_of(price: float) -> int:
        return int((price - lowest) * (PRICE_BUCKETS / span))

    starts = [lowest]
    for step in range(1, PRICE_BUCKETS):
        price = lowest + step * span / PRICE_BUCKETS
        while step_of(price) >= step:
            price = math.nextafter(price, -math.inf)
        while step_of(price) < step:
            price = math.nextafter(price, math.inf)
        starts.append(price)
    return starts
