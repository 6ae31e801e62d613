"""Words that are asked twice, as text and as a look, and one ranking of both answers.

Three questions are put to the engine together: the products that the words match as text; those same products by how
much they look like the words; and the images that look like the words among all others. The second only orders. So
every product is counted once: ``total`` and the facets are those of the text's matches, of which the whole catalogue is
counted, and of the look's matches in its window beside them.

The two orders, by text and by look, are put together by reciprocal rank fusion (G. Cormack, C. Clarke and S. Büttcher,
"Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from search.engines.base import FACETS, PRICE_BUCKETS, Answer, EngineHit, Facets, PriceRange, Request, Word

K = 60  # as in the paper
NOTHING = -1.0  # a floor that every image is above


@dataclass(frozen=True)
class Look:
    """Where words look, as an engine takes it."""

    vector: np.ndarray  # (dimension,) float32 of unit length
    floor: float  # a dot product
    lopsided: bool
    words: tuple[Word, ...]  # those that have no look: text that must match all the same


def questions(request: Request, look: Look) -> list[Request]:
    """What is asked of the engine for words alone.

    :param request: for the words as text
    """
    window = replace(request, vector=look.vector, lopsided=look.lopsided)
    return [
        replace(request, offset=0, limit=request.window),
        replace(window, floor=NOTHING, facets=False),
        replace(window, floor=look.floor, words=look.words, without_words=request.words),
    ]


def fused(by_text: Answer, alike: Answer, others: Answer) -> Answer:
    """One answer of the three, with the best image of each product, all products of both windows.

    ``full``: there may be more that look like the words. Where ``total`` is above the number of hits, text matches more
    than its window holds.
    """
    texts = [hit.product for hit in by_text.hits]
    looked = sorted((*alike.hits, *others.hits), key=lambda hit: (-hit.score, hit.key))
    looks = list(dict.fromkeys(hit.product for hit in looked))
    best: dict[str, EngineHit] = {}
    for hit in (*looked, *by_text.hits):
        best.setdefault(hit.product, hit)
    matched = {*texts, *(hit.product for hit in alike.hits)}
    # What is recognised in one photo of a product is text: other photos of it may come as others.
    beside = {hit.product for hit in others.hits}
    twice = len(beside & matched)
    return Answer(
        hits=[best[product] for product in _ranked(texts, looks)],
        total=by_text.total + len(beside) - twice,
        full=others.full,
        facets=_added(by_text.facets, others.facets),
        by_text=by_text.total,
    )


def _ranked(*rankings: Sequence[str]) -> list[str]:
    """By the sum of ``1 / (K + rank)``; of equals that comes first which the first ranking has first."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, product in enumerate(ranking, 1):
            scores[product] = scores.get(product, 0.0) + 1 / (K + rank)
    return sorted(scores, key=lambda product: -scores[product])


def _added(one: Facets, other: Facets) -> Facets:
    return Facets(
        {facet: _sum(one.counts.get(facet, {}), other.counts.get(facet, {})) for facet in FACETS},
        _prices(filter(None, (one.price, other.price))),
    )


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {value: one.get(value, 0) + other.get(value, 0) for value in (*one, *other)}


def _prices(ranges: Iterable[PriceRange]) -> PriceRange | None:
    """Steps of price over all of them. A step of one range counts where its middle lies in the other."""
    known = list(ranges)
    if len(known) < 2:
        return known[0] if known else None
    lowest, highest = min(one.lowest for one in known), max(one.highest for one in known)
    counts = np.zeros(PRICE_BUCKETS, dtype=np.int64)
    width = (highest - lowest) / PRICE_BUCKETS
    for one in known:
        step = (one.highest - one.lowest) / PRICE_BUCKETS
        for n, count in enumerate(one.counts):
            middle = one.lowest + (n + 0.5) * step
            place = int((middle - lowest) / width) if width > 0 else 0
            counts[min(place, PRICE_BUCKETS - 1)] += count
    return PriceRange(lowest, highest, tuple(counts.tolist()))
