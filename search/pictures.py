"""The picture of a query: whose it is, and what an encoder said of it. Nothing here encodes but a photo's first use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
from django.db.models import BinaryField, JSONField, Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext as _

from gallery import visibility
from gallery.models import Image
from gallery.visibility import Visibility
from search import photos
from search.direction import Direction, direction_of, direction_to
from search.models import Embedding, Generation, QueryEmbedding, QueryPhoto
from search.query import Query

Vectors = Mapping[str, np.ndarray]
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Picture:
    """``vectors`` is None while nothing is known of a catalogue photo; an empty mapping is a picture without parts.

    ``projected`` stands in place of a picture: parts in the space of the generation's index.
    """

    vectors: Vectors | None
    projected: Vectors | None = None
    photo: QueryPhoto | None = None
    image: Image | None = None

    def direction(self, requested: Mapping[str, float], generation: Generation) -> Direction | None:
        """Where it looks; None if it has none of the weighted parts."""
        if self.projected is not None:
            return direction_to(self.projected, requested, generation)
        return direction_of(self.vectors or {}, requested, generation)

    @property
    def exclude(self) -> tuple[UUID, ...]:
        """A photo of the catalogue is not among the results for itself."""
        return (self.image.pk,) if self.image else ()


def with_embedding(rows: "QuerySet[Row]", encoder: str) -> "QuerySet[Any]":
    """Images with the stored embedding of their file, in the same statement; ``embedding_of`` reads it."""
    return _annotated(rows, Embedding.objects.filter(encoder=encoder, sha256=OuterRef("sha256")))


def _annotated(rows: "QuerySet[Row]", embeddings: "QuerySet[Any]") -> "QuerySet[Any]":
    return rows.annotate(
        embedding_parts=Subquery(embeddings.values("parts")[:1], output_field=JSONField()),
        embedding_numbers=Subquery(embeddings.values("numbers")[:1], output_field=BinaryField()),
    )


def embedding_of(row: Any) -> dict[str, np.ndarray] | None:
    """The parts that ``with_embedding`` brought along, or None where nothing is stored."""
    return unpacked(row.embedding_parts, row.embedding_numbers)


def unpacked(parts: dict[str, list[int]] | None, numbers: bytes | None) -> dict[str, np.ndarray] | None:
    """The same from its two columns."""
    return None if numbers is None else Embedding(parts=parts, numbers=numbers).vectors


def of_photo(key: UUID, request: HttpRequest, generation: Generation | None) -> Picture | None:
    """The photo, if it belongs to who asks and has not expired.

    :raises EncoderBusy: when it has to be encoded now and too many wait
    """
    mine = QueryPhoto.objects.of_request(request).filter(pk=key)
    if generation is None:
        photo = mine.first()
        return Picture(None, photo=photo) if photo else None
    stored = QueryEmbedding.objects.filter(photo=OuterRef("pk"), crop="", encoder=generation.encoder)
    photo = _annotated(mine, stored).first()
    if photo is None:
        return None
    vectors = embedding_of(photo)
    try:
        return Picture(photos.embed(photo, generation) if vectors is None else vectors, photo=photo)
    except FileNotFoundError:  # forgotten by another request, just now
        return None


def of_image(key: UUID, who: Visibility, generation: Generation | None) -> Picture | None:
    """The photo of the catalogue, if it is there and visible to who asks."""
    images = Image.objects.visible_to(who).filter(pk=key).select_related("product").order_by()
    if generation is None:
        image = images.first()
        return Picture(None, image=image) if image else None
    image = with_embedding(images, generation.encoder).first()
    return Picture(embedding_of(image), image=image) if image else None


def find(query: Query, request: HttpRequest, generation: Generation | None) -> tuple[Query, Picture | None, list[str]]:
    """The query's picture. One that is not there, or not for these eyes, is left out of the query with a note."""
    if query.photo:
        picture = of_photo(query.photo, request, generation)
        gone = _("Your photo is no longer here: photos are forgotten after a while. Choose it again.")
    elif query.image:
        picture = of_image(query.image, visibility.behind_the_counter(request.user), generation)
        gone = _("The photo that you searched with is no longer in the catalogue.")
    else:
        return query, None, []
    return (query, picture, []) if picture else (query.without("picture"), None, [gone])
