"""The order inside a band of similarity: what resembles a person's saved products comes first.

A band holds what is about as similar to the query; inside it, taste may decide. Nothing changes its band.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.contrib.auth.models import AnonymousUser

from gallery import visibility
from gallery.models import Image, User
from search.models import Generation
from search.people.clusters import grouped
from search.people.consent import keeps_history
from search.people.taste import saved_keys, seeds_of, vectors_of
from search.pictures import embedding_of, with_embedding
from search.slices import ALL, Hit

_CLUSTERS = 8


class BandHit(NamedTuple):
    """As much of a hit as its place in a band depends on; ``search.slices.Hit`` begins with the same."""

    key: UUID
    product: str
    similarity: float | None


@dataclass(frozen=True)
class Taste:
    """What a person saved. ``centres`` is ``(k, d)`` float32, rows of unit length, in the space of the generation."""

    generation: Generation
    centres: np.ndarray

    def closeness(self, keys: Sequence[UUID]) -> dict[UUID, float]:
        """Image → cosine with the nearest centre, of those that are embedded. One query."""
        images = Image.objects.filter(pk__in=set(keys)).only("pk").order_by()
        found = {
            image.pk: self.generation.projection.project(vectors)
            for image in with_embedding(images, self.generation.encoder)
            if (vectors := embedding_of(image)) is not None
        }
        rows = _unit(vectors_of(list(found.values()), self.generation))
        best = (rows @ self.centres.T).max(axis=1)
        return dict(zip(found, best.tolist(), strict=True))


def taste_of(user: User | AnonymousUser, generation: Generation) -> Taste | None:
    """The taste of a person who agreed to a history; None where nothing may be known, or nothing is saved.

    Two queries.
    """
    if not keeps_history(user):
        return None
    seeds = seeds_of(saved_keys(user), visibility.of(user), generation)
    if not seeds:
        return None
    vectors = vectors_of([seed.parts for seed in seeds], generation)
    groups = grouped(vectors, _CLUSTERS, generation.scale.lines(generation.weights)[1])
    return Taste(generation, _unit(np.stack([vectors[group].mean(axis=0) for group in groups])))


def reorder(hits_of_band: Sequence[BandHit | Hit], person: Taste) -> list[int]:
    """The places of the hits of one band in the order for this person: nearest to a centre of what was saved first.

    Equally near ones, and those of which nothing is known, stay in the order of similarity. One query.
    """
    return _order(hits_of_band, person.closeness([hit.key for hit in hits_of_band]))


def reordered(hits: Sequence[Hit], person: Taste) -> list[Hit]:
    """A whole ranking, band after band, each in the order for this person. One query.

    What stands in no band (sorted by price, found by words alone) keeps its place.
    """
    closeness = person.closeness([hit.key for hit in hits if hit.band != ALL])
    ordered: list[Hit] = []
    for code, members in groupby(hits, key=lambda hit: hit.band):
        band = list(members)
        ordered += band if code == ALL else [band[place] for place in _order(band, closeness)]
    return ordered


def _order(hits: Sequence[BandHit | Hit], closeness: dict[UUID, float]) -> list[int]:
    return sorted(range(len(hits)), key=lambda place: -closeness.get(hits[place].key, -np.inf))


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.maximum(lengths, np.finfo(np.float32).tiny)
