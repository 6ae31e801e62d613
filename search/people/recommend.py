"""Recommendations: what resembles the groups of pictures that a person looked at and saved.

Each group of alike pictures asks the engine once; their answers are interleaved, and drawn by chance from the nearest,
so that nobody sees the same few for ever. A draw holds for some minutes: a page that is reloaded stays as it is.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from uuid import UUID

import numpy as np
from django.http import HttpRequest
from django.utils import timezone

from gallery import visibility
from gallery.models import Image
from gallery.visibility import Visibility
from search.direction import direction_between
from search.engines import get_engine
from search.engines.base import EngineHit, Filters, Request
from search.hydrate import images_of
from search.models import Generation
from search.people.clusters import farthest_first, grouped
from search.people.consent import keeps_history
from search.people.history import viewed
from search.people.taste import MOST_SEEDS, Seed, saved_keys, seeds_of, vectors_of
from search.slices import Hit, collapsed

RECOMMENDED = 8  # products in a strip
_CLUSTERS = 3  # engine requests, and one more for what was looked at last
_WINDOW = 120  # images that the engine ranks for a cluster
_DRAWN_FROM = 32  # nearest products of a cluster that may be drawn
_FADE = 8.0  # a product this far down the ranking is drawn a third as often as the first
_DRAW_SECONDS = 20 * 60
_BUYABLE = Filters(availability=("in_stock", "preorder", "backorder"))


@dataclass(frozen=True)
class Recommendations:
    """``because`` is what was looked at last, with ``alike``: what looks like it."""

    recommended: Sequence[Image] = ()
    because: Image | None = None
    alike: Sequence[Image] = field(default_factory=tuple)


def recommendations(request: HttpRequest, generation: Generation) -> Recommendations:
    """For a person who agreed: from what was looked at and saved. For a visitor: from the session alone.

    :raises EngineError: when the engine does not answer
    """
    who = visibility.of_request(request)
    looked_at = viewed(request, MOST_SEEDS)
    saved = saved_keys(request.user) if keeps_history(request.user) else []
    seeds = seeds_of([*looked_at, *saved], who, generation)
    if not seeds:
        return Recommendations()
    known = {seed.image.product_id for seed in seeds}
    draw = np.random.default_rng(_seed_of(request))
    last = next((seed for seed in seeds if seed.image.pk in set(looked_at)), None)
    alike = _drawn(_near([last], known, generation), RECOMMENDED, draw) if last else []
    taken = known | {UUID(hit.product) for hit in alike}
    vectors = vectors_of([seed.parts for seed in seeds], generation)
    very = generation.scale.lines(generation.weights)[1]
    groups = grouped(vectors, _CLUSTERS, very)
    answers = [_near([seeds[place] for place in group], taken, generation) for group in groups]
    chosen = _interleaved([_drawn(answer, RECOMMENDED, draw) for answer in answers])[:RECOMMENDED]
    images = _images([*alike, *chosen], visibility.public)
    return Recommendations(
        [images[hit.key] for hit in chosen if hit.key in images],
        last.image if last else None,
        [images[hit.key] for hit in alike if hit.key in images],
    )


def has_any(request: HttpRequest) -> bool:
    """Whether there is anything to recommend from, without asking an engine."""
    if viewed(request, 1):
        return True
    return keeps_history(request.user) and bool(saved_keys(request.user, 1))


def cover(keys: Sequence[UUID], who: Visibility, generation: Generation, most: int) -> list[UUID]:
    """A few of many pictures that stand for all of them: none very much like another, as far as that goes."""
    seeds = seeds_of(keys, who, generation)
    vectors = vectors_of([seed.parts for seed in seeds], generation)
    very = generation.scale.lines(generation.weights)[1]
    return [seeds[place].image.pk for place in farthest_first(vectors, most, very)]


def _near(seeds: Sequence[Seed], without: Collection[UUID], generation: Generation) -> list[EngineHit]:
    """The best photo of each product that looks like these pictures, nearest first. One engine request."""
    direction = direction_between([seed.parts for seed in seeds], [], {}, generation)
    if direction is None:
        return []
    answer = get_engine(generation.engine).search(
        Request(
            generation.pk,
            visibility.public,
            filters=_BUYABLE,
            vector=direction.vector,
            floor=direction.floor,
            exclude=tuple(seed.image.pk for seed in seeds),
            window=_WINDOW,
            index=generation.index_settings,
            lopsided=direction.lopsided,
            facets=False,
        )
    )
    known = {str(key) for key in without}
    return [photos[0] for product, photos in collapsed(answer.hits).items() if product not in known]


def _drawn(hits: Sequence[EngineHit], number: int, draw: np.random.Generator) -> list[EngineHit]:
    """So many of the nearest by chance, nearer ones more often (Efraimidis and Spirakis, 2006), nearest first."""
    pool = hits[:_DRAWN_FROM]
    weights = np.exp(-np.arange(len(pool)) / _FADE)
    places = np.argsort(-(draw.random(len(pool)) ** (1 / weights)))[:number]
    return [pool[place] for place in sorted(places.tolist())]


def _interleaved(answers: Sequence[Sequence[EngineHit]]) -> list[EngineHit]:
    """One of each in turn, every product once."""
    products: dict[str, EngineHit] = {}
    for hit in chain.from_iterable(zip_longest(*answers)):
        if hit is not None:
            products.setdefault(hit.product, hit)
    return list(products.values())


def _images(hits: Sequence[EngineHit], who: Visibility) -> dict[UUID, Image]:
    return {image.pk: image for image in images_of([Hit(hit.key, hit.product) for hit in hits], who)}


def _seed_of(request: HttpRequest) -> int:
    """The same for a person and some minutes, another one after them."""
    person = f"user {request.user.pk}" if request.user.is_authenticated else f"session {request.session.session_key}"
    minutes = int(timezone.now().timestamp()) // _DRAW_SECONDS
    return int.from_bytes(hashlib.sha256(f"{person} {minutes}".encode()).digest()[:8])
