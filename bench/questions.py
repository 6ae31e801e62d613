"""What is asked of the catalogue: the same photos on every engine."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np

from bench.catalogue import Catalogue
from gallery.models import Image
from search.direction import Direction, direction_of
from search.models import Embedding, Generation

QUESTIONS = 100


@dataclass(frozen=True)
class Question:
    """A photo of the catalogue, and where it looks."""

    key: UUID
    direction: Direction


def questions(catalogue: Catalogue, generation: Generation, seed: int = 1) -> list[Question]:
    """Public photos at random, as the application would ask with them at the usual weights."""
    random = np.random.default_rng(seed)
    public = np.flatnonzero(catalogue.public)
    places = random.choice(public, min(QUESTIONS, len(public)), replace=False)
    return [_question(catalogue.keys[place], generation) for place in places.tolist()]


def _question(key: UUID, generation: Generation) -> Question:
    sha256 = Image.objects.values_list("sha256", flat=True).get(pk=key)
    stored = Embedding.objects.get(encoder=generation.encoder, sha256=sha256)
    direction = direction_of(stored.vectors, {}, generation)
    if direction is None:
        raise RuntimeError(f"Image {key} has none of the weighted parts.")
    return Question(key, direction)
