"""Asking a generation as a shopper asks, and what is known of the photos that it finds."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from django.conf import settings

from gallery import visibility
from gallery.models import Image
from search.ask import Found, ask
from search.chunks import chunks
from search.models import Embedding, Generation
from search.names import Names
from search.pictures import Picture
from search.quality.deadline import Deadline
from search.query import Query
from search.slices import Hit

BATCH = 50  # photos whose embeddings are held at a time
SECONDS = 300.0  # that a task may ask
_MOST_KNOWN = 50_000  # photos of which the facts are held


class Photo(NamedTuple):
    product: UUID
    category: int | None
    sha256: str


@dataclass
class Asking:
    """One generation that is asked, and what bounds it."""

    generation: Generation
    seed: int = 0
    seconds: float = SECONDS  # of one task
    weights: Mapping[str, float] = field(default_factory=dict)  # the generation's own where there are none
    tell: Callable[[int, int], None] = lambda done, total: None  # how many of how many queries have asked
    names: Names = field(default_factory=Names)
    _known: dict[UUID, Photo] = field(default_factory=dict)

    def photos(self, picture: Picture) -> list[UUID]:
        """Keys of the window's photos, the most similar first, weaker matches too, as far as the public may see them.

        :raises EngineError: when the engine does not answer
        """
        query = Query(group="photos", weaker=True, weights=tuple(self.weights.items()))
        return [hit.key for hit in self.ask(query, [picture], settings.SEARCH_WINDOW).hits]

    def products(self, query: Query, pictures: Sequence[Picture], size: int) -> Sequence[Hit]:
        """The first products of a query.

        :raises EngineError: when the engine does not answer
        """
        return self.ask(query, pictures, size).hits

    def ask(self, query: Query, pictures: Sequence[Picture], size: int) -> Found:
        return ask(query, visibility.public, self.generation, pictures, size=size, facets=False, names=self.names)

    def facts(self, keys: Iterable[UUID]) -> Mapping[UUID, Photo]:
        """What is known of those of the photos that the public may see."""
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        missing = list(set(keys) - self._known.keys())
        for chunk in chunks(missing):
            rows = public_photos().filter(pk__in=chunk)
            for key, *facts in rows.values_list("pk", "product", "product__category", "sha256"):
                self._known[key] = Photo(*facts)
        return self._known

    def embedded(self, keys: Sequence[UUID], deadline: Deadline) -> Iterator[tuple[UUID, Photo, Picture]]:
        """Those of the photos that the generation's encoder has embedded, each as a query that it is no answer to.

        :param deadline: after it the rest is left out
        """
        for done, (key, photo, vectors) in enumerate(self._embedded(keys)):
            if deadline.has_passed:
                return
            self.tell(done, len(keys))
            yield key, photo, Picture(vectors, image=Image(pk=key))

    def _embedded(self, keys: Sequence[UUID]) -> Iterator[tuple[UUID, Photo, Mapping[str, np.ndarray]]]:
        for batch in chunks(keys, BATCH):
            facts = self.facts(batch)
            known = {key: facts[key] for key in batch if key in facts}
            rows = Embedding.objects.by_hash(self.generation.encoder, (photo.sha256 for photo in known.values()))
            for key, photo in known.items():
                if photo.sha256 in rows:
                    yield key, photo, rows[photo.sha256].vectors


def public_photos() -> Any:
    """What shoppers see: the queries and the answers of the bench."""
    return Image.objects.visible_to(visibility.public).order_by()
