"""Products per facet value and the range of prices: counted here for every engine, so that all count alike."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from search.engines.base import FACETS, PRICE_BUCKETS, Facets, Fields, Filters, PriceRange

PRICE = "price"
LABELS = "labels"  # no facet: words find them, and nothing counts them


class Row(NamedTuple):
    """What is counted of one hit."""

    product: str
    values: Sequence[tuple[str, str]]  # as ``facet_values`` gives them
    price: float | None


def facet_values(fields: Fields) -> list[tuple[str, str]]:
    """A document's values as (facet, value) pairs, facets as in ``FACETS``."""
    single = [(name, value) for name in ("brand", "availability") if (value := getattr(fields, name))]
    several = [(name, value) for name in ("category", "color", "tags", "attributes") for value in getattr(fields, name)]
    return single + several


def label_values(fields: Fields) -> list[tuple[str, str]]:
    """The same for what is recognised in the document's image."""
    return [(LABELS, code) for code in fields.labels]


def clause_names(filters: Filters) -> list[str]:
    """The active filters: facets, "attributes.<name>" for each name of an attribute, and "price"."""
    return [name for name, _values in filters.terms()] + ([PRICE] if filters.has_price else [])


def in_clause(clause: str, facet: str, value: str) -> bool:
    """Whether a value is counted without this clause: those of its facet, for attributes those of its name."""
    if facet != "attributes":
        return clause == facet
    return clause == f"attributes.{value.split('=', 1)[0]}"


def price_range(prices: Sequence[float] | np.ndarray) -> PriceRange | None:
    """The range of ``(n,)`` prices, one for each product, in equal steps; equal prices all fall in the first."""
    if len(prices) == 0:
        return None
    column = np.asarray(prices, dtype=np.float64)
    lowest, highest = float(column.min()), float(column.max())
    span = highest - lowest
    steps = (column - lowest) * (PRICE_BUCKETS / span) if span > 0 else np.zeros(len(column))
    counts = np.bincount(np.minimum(steps.astype(np.intp), PRICE_BUCKETS - 1), minlength=PRICE_BUCKETS)
    return PriceRange(lowest, highest, tuple(counts.tolist()))


def count(rows: Iterable[Row]) -> Facets:
    """Products per value, and their prices, among these hits. Every facet of ``FACETS`` is there, if only empty."""
    values: dict[str, set[tuple[str, str]]] = {}
    prices: dict[str, float] = {}
    for row in rows:
        values.setdefault(row.product, set()).update(row.values)
        if row.price is not None:
            prices.setdefault(row.product, row.price)
    return gather(Counter(chain.from_iterable(values.values())), price_range(list(prices.values())))


def gather(counted: Mapping[tuple[str, str], int], price: PriceRange | None) -> Facets:
    """Facets from products per (facet, value) pair; what is no facet is passed over."""
    counts: dict[str, dict[str, int]] = {name: {} for name in FACETS}
    for (facet, value), products in counted.items():
        if facet in counts:
            counts[facet][value] = products
    return Facets(counts, price)


def disjunctive(main: Facets, without: Mapping[str, Facets]) -> Facets:
    """Each facet counted without its own filter, the others as they are.

    :param main: counts of what all filters leave
    :param without: for each of ``clause_names``: counts of what the others leave
    """
    counts: dict[str, dict[str, int]] = {}
    for facet in FACETS:
        counts[facet] = {
            value: products
            for value, products in main.counts[facet].items()
            if not any(in_clause(clause, facet, value) for clause in without)
        }
    for clause, facets in without.items():
        facet = clause.split(".", 1)[0]
        if facet != PRICE:
            counts[facet] |= {
                value: products for value, products in facets.counts[facet].items() if in_clause(clause, facet, value)
            }
    return Facets(counts, without[PRICE].price if PRICE in without else main.price)
