"""The photos that a pending one resembles: approved ones, rejected ones, copies, and others that wait."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from gallery import visibility
from gallery.models import Category, Claim, Image, User
from gallery.visibility import Visibility
from search.direction import Direction, direction_of
from search.engines import get_engine
from search.engines.base import EngineHit, Request
from search.models import Generation
from search.pictures import Vectors

SHOWN = 6  # photos of a kind
MOST_LOOK_ALIKES = 24
ALIKE_BITS = 6  # of 64: re-encoding, scaling and a small border change fewer
_VOTERS = 12  # nearest approved photos of other products that suggest a category
_LEAST_VOTES = 3


class Neighbour(NamedTuple):
    image: Image
    says: str  # how alike it is, in words


@dataclass(frozen=True)
class Suggestion:
    """The category of most of the nearest approved photos."""

    category: Category
    percent: int
    of: int  # photos that were asked
    is_own: bool  # the product is in it already


@dataclass(frozen=True)
class Evidence:
    approved: list[Neighbour] = field(default_factory=list)
    rejected: list[Neighbour] = field(default_factory=list)
    copies: list[Image] = field(default_factory=list)  # of the very same file
    near_copies: list[Image] = field(default_factory=list)  # by their perceptual hash
    look_alikes: list[Image] = field(default_factory=list)  # pending ones that are very similar
    suggestion: Suggestion | None = None
    is_indexed: bool = True


def copies_of(image: Image) -> list[Image]:
    """Images that hold the very same file; this needs no index."""
    same = Image.objects.filter(sha256=image.sha256).exclude(pk=image.pk)
    return list(same.select_related("product").order_by("created_at", "pk")[:SHOWN])


def evidence_of(image: Image, vectors: Vectors | None, by: User, generation: Generation | None) -> Evidence:
    """Two engine requests: what the public sees, and everything.

    :param vectors: what the generation's encoder said of the image; None where it has not yet
    :raises EngineError: when the engine does not answer
    """
    copies = copies_of(image)
    direction = direction_of(vectors, {}, generation) if generation and vectors else None
    if generation is None or direction is None:
        return Evidence(copies=copies, is_indexed=False)
    lines = {band.code: band for band in generation.scale.bands(direction.weights)}
    public = _nearest(image, visibility.public, direction, generation)
    everything = _nearest(image, visibility.moderation, direction, generation)
    facts = _facts([hit.key for hit in everything])
    very = lines["very-similar"].floor
    rejected = [hit for hit in everything if hit.key in facts and facts[hit.key].status == Image.Status.REJECTED]
    pending = [
        hit.key
        for hit in everything
        if hit.key in facts and facts[hit.key].status == Image.Status.PENDING and hit.score * direction.factor >= very
    ]
    copied = {copy.pk for copy in copies}
    near = [
        key
        for key, fact in facts.items()
        if key not in copied and _bits_between(fact.perceptual_hash, image.perceptual_hash) <= ALIKE_BITS
    ]
    claimed = set(Claim.objects.of_others(by).filter(image__in=pending).values_list("image", flat=True))
    look_alikes = [key for key in pending if key not in claimed][:MOST_LOOK_ALIKES]
    # Its product's own photos would only say what the product says of itself.
    voters = [hit.key for hit in public if hit.product != str(image.product_id)][:_VOTERS]
    shown = [hit.key for hit in [*public[:SHOWN], *rejected[:SHOWN]]]
    wanted = [*shown, *voters, *near[:SHOWN], *look_alikes]
    images = Image.objects.with_product().in_bulk(wanted)

    def worded(hits: Sequence[EngineHit]) -> list[Neighbour]:
        found = [(images[hit.key], hit.score * direction.factor) for hit in hits if hit.key in images]
        bands = list(lines.values())
        return [
            Neighbour(one, str(next((band for band in bands[:-1] if score >= band.floor), bands[-2]).label))
            for one, score in found
        ]

    return Evidence(
        worded(public[:SHOWN]),
        worded(rejected[:SHOWN]),
        copies,
        [images[key] for key in near[:SHOWN] if key in images],
        [images[key] for key in look_alikes if key in images],
        _suggestion(image, [images[key] for key in voters if key in images]),
    )


class _Facts(NamedTuple):
    status: str
    perceptual_hash: str


def _facts(keys: Sequence[UUID]) -> Mapping[UUID, _Facts]:
    """The little that sorts a whole window, in its order; hydrating all of it would take far longer."""
    rows = Image.objects.filter(pk__in=keys).order_by().values_list("pk", "status", "perceptual_hash")
    found = {key: _Facts(status, hash_) for key, status, hash_ in rows}
    return {key: found[key] for key in keys if key in found}


def _nearest(image: Image, who: Visibility, direction: Direction, generation: Generation) -> list[EngineHit]:
    answer = get_engine(generation.engine).search(
        Request(
            generation.pk,
            who,
            vector=direction.vector,
            floor=direction.floor,
            exclude=(image.pk,),
            window=settings.SEARCH_WINDOW,
            index=generation.index_settings,
            lopsided=direction.lopsided,
            facets=False,
        )
    )
    return list(answer.hits)


def _suggestion(image: Image, nearest: Sequence[Image]) -> Suggestion | None:
    """The majority of the nearest approved photos of other products; None where too few have a category."""
    categories = [one.product.category for one in nearest if one.product.category is not None]
    if len(categories) < _LEAST_VOTES:
        return None
    category, votes = Counter(categories).most_common(1)[0]
    percent = round(100 * votes / len(categories))
    return Suggestion(category, percent, len(categories), category.pk == image.product.category_id)


def _bits_between(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count() if one and other else 64
