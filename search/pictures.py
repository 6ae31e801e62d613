"""The pictures of a query: whose they are, and what an encoder said of them.

Nothing here encodes but the first use of a photo, or of a part of a picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
from django.db.models import BinaryField, F, FilteredRelation, JSONField, Model, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext as _

from gallery import visibility
from gallery.models import Image, ImageRedirect
from gallery.visibility import Visibility
from search import photos
from search.examples import Example
from search.models import Embedding, Generation, QueryPhoto, RegionEmbedding
from search.query import Query
from search.recognition import Stored

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
    example: Example | None = None  # what of the query it is; None for what came with the request itself
    is_shared: bool = False  # the photo is somebody else's, seen under a shared link
    labels: Stored = None  # what the encoder named in a photo that was sent

    @property
    def is_known(self) -> bool:
        return self.vectors is not None or self.projected is not None

    @property
    def is_wanted(self) -> bool:
        return self.example is None or not self.example.less

    def projected_by(self, generation: Generation) -> Vectors:
        """Part name → ``(d,)`` of unit length in the space of the generation's index; empty where nothing is known."""
        return generation.projection.project(self.vectors or {}) if self.projected is None else self.projected


def with_embedding(rows: "QuerySet[Row]", encoder: str) -> "QuerySet[Any]":
    """Images with the stored embedding of their file, in the same statement; ``embedding_of`` reads it."""
    return _annotated(rows, Embedding.objects.filter(encoder=encoder, sha256=OuterRef("sha256")))


def _annotated(rows: "QuerySet[Row]", embeddings: "QuerySet[Any]") -> "QuerySet[Any]":
    return rows.annotate(
        embedding_parts=Subquery(embeddings.values("parts")[:1], output_field=JSONField()),
        embedding_numbers=Subquery(embeddings.values("numbers")[:1], output_field=BinaryField()),
    )


def with_labels(rows: "QuerySet[Row]", encoder: str) -> "QuerySet[Any]":
    """Images with what the encoder named in their file, as ``embedding_labels``, in the same statement."""
    stored = Embedding.objects.filter(encoder=encoder, sha256=OuterRef("sha256"))
    return rows.annotate(embedding_labels=Subquery(stored.values("labels")[:1], output_field=JSONField()))


def embedding_of(row: Any) -> dict[str, np.ndarray] | None:
    """The parts that ``with_embedding`` brought along, or None where nothing is stored."""
    return unpacked(row.embedding_parts, row.embedding_numbers)


def unpacked(parts: dict[str, list[int]] | None, numbers: bytes | None) -> dict[str, np.ndarray] | None:
    """The same from its two columns."""
    return None if numbers is None else Embedding(parts=parts, numbers=numbers).vectors


def of_photos(
    examples: Sequence[Example], request: HttpRequest, generation: Generation | None, share: str = ""
) -> dict[Example, Picture]:
    """Those of the photos that belong to who asks, or are shared under this token, and have not expired.

    :raises EncoderBusy: when one has to be encoded now and too many wait
    """
    mine = QueryPhoto.objects.of_request(request, share).filter(pk__in={example.key for example in examples})
    if generation is None:
        by_key = {photo.pk: photo for photo in mine}
        return {one: Picture(None, photo=by_key[one.key], example=one) for one in examples if one.key in by_key}
    crops = {_crop_text(example) for example in examples}
    stored = Q(embeddings__encoder=generation.encoder, embeddings__crop__in=crops)
    rows = mine.annotate(stored=FilteredRelation("embeddings", condition=stored)).annotate(
        embedding_crop=F("stored__crop"),
        embedding_parts=F("stored__parts"),
        embedding_numbers=F("stored__numbers"),
        embedding_labels=F("stored__labels"),
    )
    known = {(row.pk, row.embedding_crop): row for row in rows}
    by_key = {pk: row for (pk, _crop), row in known.items()}
    found = {}
    for example in examples:
        photo = by_key.get(example.key)
        if photo is None:
            continue
        row = known.get((example.key, _crop_text(example)))
        vectors, labels = (embedding_of(row), row.embedding_labels) if row else (None, None)
        if vectors is None:
            try:
                said = photos.embed(photo, generation, crop=example.crop)
            except FileNotFoundError:  # forgotten by another request, just now
                continue
            vectors, labels = said.vectors, said.labels
        is_shared = not photo.belongs_to(request)
        found[example] = Picture(vectors, photo=photo, example=example, is_shared=is_shared, labels=labels)
    return found


def of_images(examples: Sequence[Example], who: Visibility, generation: Generation | None) -> dict[Example, Picture]:
    """Those of the photos of the catalogue that are there and visible to who asks.

    :raises EncoderBusy: when a part of one has to be encoded now and too many wait
    """
    visible = Image.objects.visible_to(who).filter(pk__in={example.key for example in examples})
    images: QuerySet[Image] = visible.select_related("product").order_by()
    if generation is not None:
        images = with_embedding(images, generation.encoder)
    by_key = {image.pk: image for image in images}
    found = {
        one: Picture(
            embedding_of(by_key[one.key]) if generation and one.crop is None else None,
            image=by_key[one.key],
            example=one,
        )
        for one in examples
        if one.key in by_key
    }
    return found | (_regions(found, generation) if generation else {})


def _regions(found: Mapping[Example, Picture], generation: Generation) -> dict[Example, Picture]:
    """The pictures of which only a part is meant, with what the encoder says of that part."""
    parts = [(one, picture.image) for one, picture in found.items() if one.crop is not None and picture.image]
    if not parts:
        return {}
    stored = RegionEmbedding.objects.filter(
        encoder=generation.encoder,
        sha256__in={image.sha256 for _one, image in parts},
        crop__in={_crop_text(one) for one, _image in parts},
    )
    known = {(row.sha256, row.crop): row.vectors for row in stored}
    pictures = {}
    for one, image in parts:
        vectors = known.get((image.sha256, _crop_text(one)))
        if vectors is None and one.crop is not None:
            vectors = photos.embed_region(image, one.crop, generation)
        pictures[one] = Picture(vectors, image=image, example=one)
    return pictures


def _crop_text(example: Example) -> str:
    return str(example.crop) if example.crop else ""


def of_image(key: UUID, who: Visibility, generation: Generation | None) -> Picture | None:
    """One whole photo of the catalogue, if it is there and visible to who asks."""
    example = Example(key)
    return of_images([example], who, generation).get(example)


def standing(query: Query) -> Query:
    """The query with photos of the catalogue that were merged replaced by those that stand for them."""
    keys = [one.key for one in query.examples if one.kind == "image"]
    merged = ImageRedirect.objects.resolve(keys) if keys else {}
    for example in query.examples:
        if example.kind == "image" and example.key in merged:
            query = query.replacing(example, replace(example, key=merged[example.key]))
    return query


def find(
    query: Query, request: HttpRequest, generation: Generation | None
) -> tuple[Query, tuple[Picture, ...], list[str]]:
    """The query's pictures. One that is not there, or not for these eyes, is left out of the query with a note."""
    query = standing(query)
    found: dict[Example, Picture] = {}
    images = [one for one in query.examples if one.kind == "image"]
    if query.photos:
        found |= of_photos(query.photos, request, generation, query.share)
    if images:
        found |= of_images(images, visibility.behind_the_counter(request.user), generation)
    notes: list[str] = []
    for example in query.examples:
        if example not in found:
            query = query.without_example(example)
            note = (
                _("Your photo is no longer here: photos are forgotten after a while. Choose it again.")
                if example.kind == "photo"
                else _("The photo that you searched with is no longer in the catalogue.")
            )
            if note not in notes:
                notes.append(note)
    return query, tuple(found[example] for example in query.examples), notes
