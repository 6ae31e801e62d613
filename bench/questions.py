"""What is asked of the catalogue: the same photos on every engine."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np

from gallery import visibility
from gallery.models import Image
from search.direction import Direction, direction_of
from search.models import Generation
from search.pictures import of_image

QUESTIONS = 100


@dataclass(frozen=True)
class Question:
    """A photo of the catalogue, and where it looks."""

    key: UUID
    direction: Direction


def questions(generation: Generation) -> list[Question]:
    """Public photos at random, as the application would ask with them at the usual weights."""
    public = list(Image.objects.visible_to(visibility.public).order_by("pk").values_list("pk", flat=True))
    places = np.random.default_rng(1).choice(len(public), min(QUESTIONS, len(public)), replace=False)
    return [Question(public[place], _direction(public[place], generation)) for place in places.tolist()]


def _direction(key: UUID, generation: Generation) -> Direction:
    picture = of_image(key, visibility.public, generation)
    direction = direction_of(picture.vectors, {}, generation) if picture and picture.vectors else None
    if direction is None:
        raise RuntimeError(f"Image {key} has no embedding to ask with.")
    return direction
