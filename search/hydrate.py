"""From keys to rows, through the visibility of who asks: a stale index can never show a hidden image."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery

from gallery.models import Image
from gallery.visibility import Visibility
from search.direction import Direction
from search.pictures import with_embedding
from search.projection import PartMap
from search.slices import Hit

_TINY = 1e-6


def images_of(hits: Iterable[Hit], who: Visibility, encoder: str | None = None) -> "QuerySet[Image]":
    """The hits' images as far as the database admits them, with product and brand, in one statement.

    :param encoder: an encoder whose stored embedding comes along
    """
    images = Image.objects.visible_to(who).filter(pk__in=[hit.key for hit in hits]).order_by()
    images = images.select_related("product__brand")
    return with_embedding(images, encoder) if encoder else images


def with_photo_counts(images: "QuerySet[Image]", who: Visibility) -> "QuerySet[Image]":
    """Adds ``photos_in_product``: how many of the product's photos are visible to who asks."""
    siblings = Image.objects.visible_to(who).filter(product=OuterRef("product")).order_by()
    counted = siblings.values("product").annotate(photos=Count("pk")).values("photos")
    return images.annotate(photos_in_product=Subquery(counted, output_field=IntegerField()))


def admitted(hits: Iterable[Hit], images: "QuerySet[Image]") -> list[tuple[Hit, Image]]:
    """Hits with their rows, in the hits' order; what the database does not admit is dropped."""
    by_key = {image.pk: image for image in images}
    return [(hit, by_key[hit.key]) for hit in hits if hit.key in by_key]


def cosines(
    embeddings: Iterable[Mapping[str, np.ndarray] | None], direction: Direction, maps: Sequence[PartMap]
) -> list[dict[str, float]]:
    """For every stored embedding, part name → cosine with the query's part.

    Parts that the image or the query lacks are left out.
    """
    vectors = [embedding or {} for embedding in embeddings]
    scores: list[dict[str, float]] = [{} for _embedding in vectors]
    for part in maps:
        asked = direction.projected.get(part.name)
        having = [i for i, found in enumerate(vectors) if part.name in found]
        if asked is None or not having:
            continue
        for i, cosine in zip(having, _cosines(part, [vectors[i][part.name] for i in having], asked), strict=True):
            if not np.isnan(cosine):
                scores[i][part.name] = float(cosine)
    return scores


def _cosines(part: PartMap, rows: Sequence[np.ndarray], asked: np.ndarray) -> np.ndarray:
    """``(n,)`` cosines of raw parts with one projected query part; NaN where nothing is left after centring."""
    centred = np.stack(rows) - part.centre
    projected = centred if part.matrix is None else centred @ part.matrix
    lengths = np.linalg.norm(projected, axis=1)
    return np.where(lengths > _TINY, (projected @ asked) / np.maximum(lengths, _TINY), np.nan)
