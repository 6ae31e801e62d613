"""Answers from a snapshot: the window of a picture, or the catalogue's products, and what is counted of either."""

import numpy as np
from django.utils.translation import gettext as _

from search.engines.base import Answer, EngineError, Facets, Request
from search.engines.counting import count, disjunctive, gather, price_range
from search.engines.embedded.selection import Selection
from search.engines.embedded.snapshot import Snapshot

# Below this share of the rows it is quicker to copy them together than to multiply the whole matrix.
_FEW = 1 / 8
# Float32 holds about seven digits, and the last depends on where in the matrix a row lies: equal pictures would come
# in any order.
_DIGITS = 6
_SAMPLED = 32  # one row in so many


def window(snapshot: Snapshot, request: Request, selection: Selection) -> Answer:
    """Rank one window of images by their dot product with the request's vector."""
    matching = selection.rows()
    scopes = {name: selection.rows(without=name) for name in selection.clauses} if request.facets else {}
    needed = np.logical_or.reduce([matching, *scopes.values()])
    scores = _products(snapshot.matrix, request.vector, needed)
    rows, best = _nearest(snapshot, scores, matching, request.window)
    above = int(np.count_nonzero(best >= request.floor))

    def facets_of(ranked: np.ndarray) -> Facets:
        return count(snapshot.counted(ranked))

    def ranked_without(mask: np.ndarray) -> np.ndarray:
        rows, best = _nearest(snapshot, scores, mask, request.window)
        return rows[best >= request.floor]

    without = {name: facets_of(ranked_without(mask)) for name, mask in scopes.items()}
    return Answer(
        hits=snapshot.hits(rows[:above], best[:above]),
        total=len(snapshot.firsts(rows[:above])),
        weaker=snapshot.hits(rows[above:], best[above:]),
        full=above == request.window,
        facets=disjunctive(facets_of(rows[:above]), without) if request.facets else Facets(),
    )


def _products(matrix: np.ndarray, vector: np.ndarray | None, needed: np.ndarray) -> np.ndarray:
    """``(n,)`` dot products; rows that are not needed may have any."""
    query = np.asarray(vector, np.float32)
    few = np.count_nonzero(needed) < _FEW * len(needed)
    if matrix.shape[1] != len(query):
        if not needed.any():
            return np.zeros(len(needed), np.float32)
        sizes = {"query": len(query), "index": matrix.shape[1]}
        raise EngineError(_("The query has %(query)d numbers, the index %(index)d.") % sizes)
    if not few:
        return matrix @ query
    rows = np.flatnonzero(needed)
    products = np.zeros(len(needed), np.float32)
    products[rows] = np.take(matrix, rows, axis=0) @ query
    return products


def _nearest(snapshot: Snapshot, scores: np.ndarray, mask: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The best rows of the mask and their scores, best first, equal ones by key."""
    rows = _candidates(scores, mask, size)
    found = scores[rows]
    if len(rows) > size:
        line = np.partition(found, len(found) - size)[len(found) - size]
        kept = np.flatnonzero(found >= line - 10**-_DIGITS)
        rows, found = rows[kept], found[kept]
    found = np.round(found.astype(np.float64), _DIGITS)
    order = snapshot.best(rows, found)[:size]
    return rows[order], found[order]


def _candidates(scores: np.ndarray, mask: np.ndarray, size: int) -> np.ndarray:
    """Rows of the mask, the best ``size`` among them. A sample tells above which score to look: finding the few rows
    there is quicker than taking all of them out of the mask."""
    sample = scores[::_SAMPLED][mask[::_SAMPLED]]
    expected = 2 * size // _SAMPLED + 8
    if len(sample) > expected:
        line = np.partition(sample, len(sample) - expected)[len(sample) - expected] - 10**-_DIGITS
        rows = np.flatnonzero((scores >= line) & mask)
        if len(rows) >= size:
            return rows
    return np.flatnonzero(mask)


def catalogue(snapshot: Snapshot, request: Request, selection: Selection) -> Answer:
    """List products: by the words' score, or by the sort."""
    matching = selection.rows()
    if selection.scores is not None:
        rows = np.flatnonzero(matching)
        rows = rows[snapshot.best(rows, selection.scores[rows])]
    else:
        order = snapshot.in_order(request.sort)
        rows = order[matching[order]]
    products = snapshot.firsts(rows)
    page = products[request.offset : request.offset + request.limit]
    scores = np.zeros(len(page)) if selection.scores is None else selection.scores[page]
    facets = Facets()
    if request.facets:
        without = {name: _count(snapshot, np.flatnonzero(selection.rows(without=name))) for name in selection.clauses}
        facets = disjunctive(_count(snapshot, rows), without)
    return Answer(hits=snapshot.hits(page, scores), total=len(products), facets=facets)


def _count(snapshot: Snapshot, rows: np.ndarray) -> Facets:
    """Facets of these rows' products, from the first row of each where all say the same."""
    firsts = snapshot.firsts(rows)
    chosen = np.zeros(len(snapshot), np.bool_)
    chosen[firsts] = True
    counts = np.bincount(snapshot.terms[np.repeat(chosen, snapshot.term_counts)])
    values = snapshot.facet_values.values
    prices = snapshot.price[firsts]
    return gather(
        {values[code]: int(counts[code]) for code in np.flatnonzero(counts).tolist()}
        | snapshot.counted_of_images(rows),
        price_range(prices[~np.isnan(prices)]),
    )
