"""What a person's pictures look like, in the space of the live generation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from gallery.models import CollectionItem, Image, User
from gallery.visibility import Visibility
from search.models import Generation
from search.pictures import embedding_of, with_embedding

MOST_SEEDS = 60  # newest pictures of a kind that count: tastes change, and each costs a projection


@dataclass(frozen=True)
class Seed:
    """A picture that somebody looked at or saved."""

    image: Image
    parts: Mapping[str, np.ndarray]  # projected: part → ``(d,)`` of unit length


def seeds_of(keys: Sequence[UUID], who: Visibility, generation: Generation) -> list[Seed]:
    """The pictures with these keys, in their order, without those that are hidden by now or not embedded. One query."""
    images = Image.objects.visible_to(who).filter(pk__in=keys).select_related("product").order_by()
    by_key = {image.pk: image for image in with_embedding(images, generation.encoder)}
    found = []
    for key in dict.fromkeys(keys):
        parts = _projected(by_key.get(key), generation)
        if parts:
            found.append(Seed(by_key[key], parts))
    return found


def _projected(image: Image | None, generation: Generation) -> Mapping[str, np.ndarray]:
    vectors = embedding_of(image) if image is not None else None
    return generation.projection.project(vectors) if vectors else {}


def saved_keys(user: User, most: int = MOST_SEEDS) -> list[UUID]:
    """Images that the person saved in any collection, the newest first."""
    items = CollectionItem.objects.filter(collection__owner=user, collection__deleted_at=None)
    keys = items.exclude(image=None).order_by("-created_at", "-pk").values_list("image", flat=True)
    return [key for key in keys[:most] if key is not None]


def vectors_of(parts: Sequence[Mapping[str, np.ndarray]], generation: Generation) -> np.ndarray:
    """``(n, d)`` float32 of which the dot products are similarities: the weighted sums of the parts' cosines.

    The rows are the parts side by side, each times the root of its weight; a missing part is 0.
    """
    projection = generation.projection
    rows = np.zeros((len(parts), projection.dimension), dtype=np.float32)
    for row, found in zip(rows, parts, strict=True):
        for name, vector in found.items():
            row[projection.slices[name]] = np.sqrt(generation.weights.get(name, 0.0)) * vector
    return rows
