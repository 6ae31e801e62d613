"""One page of an engine's answer: products in order, with their bands, and where the page lies."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from search.direction import Direction
from search.engines.base import Answer, EngineHit
from search.query import Query, last_page
from search.similarity import Band

ALL = "all"  # the band of results that are not in the order of similarity


class Hit(NamedTuple):
    """One product of a page, by its best photo."""

    key: UUID
    product: str
    similarity: float | None = None  # the weighted sum of the parts' cosines; None without a picture
    photos_matching: int = 1  # photos of the product in the window at or above the weak line
    band: str = ALL  # a code of SimilarityScale.bands
    photos: tuple[UUID, ...] = ()  # those photos of the product, best first


Arrange = Callable[[Sequence[Hit]], list[Hit]]


@dataclass(frozen=True)
class Slice:
    """The page of an answer. ``pages`` counts what can be paged through."""

    hits: Sequence[Hit]
    pages: int
    has_weaker: bool = False  # there are weaker matches in the window, whether shown or not
    cut: bool = False  # there may be more matches than can be paged through
    continues: bool = False  # the page before ends in the band that this one begins with
    band_sizes: Mapping[str, int] = field(default_factory=dict)  # products of each band, on all pages


def of_list(answer: Answer, query: Query, size: int) -> Slice:
    """Without a picture the engine has already sorted and cut the page."""
    pages = _pages(answer.total, size)
    hits = [Hit(hit.key, hit.product) for hit in answer.hits] if query.page <= pages else []
    return Slice(hits, min(pages, last_page(size)), cut=pages > last_page(size), continues=query.page > 1)


def of_fused(answer: Answer, query: Query, size: int) -> Slice:
    """The window of words that were asked for as text and as a look, a hit for each product: cut here."""
    start, pages = (query.page - 1) * size, _pages(len(answer.hits), size)
    hits = [Hit(hit.key, hit.product) for hit in answer.hits[start : start + size]]
    cut = answer.full or answer.total > len(answer.hits)
    return Slice(hits, pages, cut=cut, continues=query.page > 1)


def of_window(
    answer: Answer, query: Query, size: int, direction: Direction, bands: Sequence[Band], arrange: Arrange | None = None
) -> Slice:
    """With a picture the window is collapsed to products, sorted and cut here: page after page of one ranking.

    Weaker matches follow the matches where the query asks for them.

    :param bands: from the nearest to the weakest, which is the band of weaker matches
    :param arrange: may change the order inside of bands
    """
    group = one_by_one if query.group == "photos" else collapsed
    matches = group(answer.hits)
    weaker = [photos for product, photos in group(answer.weaker).items() if product not in matches]
    banded = query.sort == "relevance" and not direction.away
    ranked = []
    for photos in sorted_products(matches, query.sort):
        similarity = photos[0].score * direction.factor
        # What the engine calls a match is none of the weaker ones, whatever rounding says of its similarity.
        band = next((band for band in bands[:-1] if similarity >= band.floor), bands[-2]).code
        ranked.append(_hit(photos, similarity, band if banded else ALL))
    if query.weaker:
        ranked += [
            _hit(photos, photos[0].score * direction.factor, bands[-1].code)._replace(photos_matching=0)
            for photos in weaker
        ]
    if arrange is not None and banded:
        ranked = arrange(ranked)
    start = (query.page - 1) * size
    sizes = Counter(hit.band for hit in ranked)
    return Slice(
        ranked[start : start + size],
        _pages(len(ranked), size),
        has_weaker=bool(weaker),
        cut=answer.full,
        continues=0 < start < len(ranked) and ranked[start - 1].band == ranked[start].band,
        band_sizes=sizes,
    )


def _hit(photos: Sequence[EngineHit], similarity: float, band: str) -> Hit:
    best = photos[0]
    return Hit(best.key, best.product, similarity, len(photos), band, tuple(photo.key for photo in photos))


def _pages(products: int, size: int) -> int:
    return max(1, -(-products // size))


def collapsed(hits: Sequence[EngineHit]) -> dict[str, list[EngineHit]]:
    """Product → its hits, best first; products in the order of their best."""
    products: dict[str, list[EngineHit]] = {}
    for hit in hits:
        products.setdefault(hit.product, []).append(hit)
    return products


def one_by_one(hits: Sequence[EngineHit]) -> dict[str, list[EngineHit]]:
    """Every photo for itself, in the same shape."""
    return {str(hit.key): [hit] for hit in hits}


def sorted_products(products: Mapping[str, list[EngineHit]], sort: str) -> list[list[EngineHit]]:
    """The products of a window in the order asked for. Equals stay in the order of similarity; no price comes last."""
    ranked = list(products.values())
    if sort == "newest":
        return sorted(ranked, key=lambda photos: -photos[0].created)
    if sort in ("price", "-price"):
        sign = -1 if sort == "-price" else 1
        return sorted(ranked, key=lambda photos: (photos[0].price is None, sign * (photos[0].price or 0)))
    return ranked
