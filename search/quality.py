"""How good the ranking is on a shop's own products: leave-one-out by category, asked of the live engine.

An image asks for its neighbours as a shopper would; those of the same category count as right. It is a proxy, but one
that needs no judgements and moves with what people see.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from uuid import UUID

import numpy as np

from gallery import visibility
from gallery.models import Image
from search.engines import get_engine
from search.engines.base import Request
from search.models import Embedding, Generation

FIRST_ROW = 4  # hits that a person sees without scrolling
DEPTH = 10
MOST_QUERIES = 2_000


@dataclass(frozen=True)
class CategoryQuality:
    """Figures over ``queries`` images, each asked against all the others of the catalogue."""

    weights: dict[str, float]
    queries: int
    images: int
    categories: int
    precision_at_10: float
    first_row_right: float  # mean share of right categories among the first four
    first_row_none: float  # share of queries with none right among the first four

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def category_quality(generation: Generation, weights: Mapping[str, float], seed: int = 0) -> CategoryQuality:
    """Leave-one-out figures of a generation at these part weights, on a random sample of large catalogues.

    :raises ValueError: when there are too few labelled images to leave one out and rank ten
    """
    category_of: dict[UUID, int] = dict(
        Image.objects.visible_to(visibility.public)
        .filter(product__category__isnull=False)
        .values_list("pk", "product__category")
    )
    if len(category_of) <= DEPTH:
        raise ValueError(f"{len(category_of)} images with a category are too few; at least {DEPTH + 1} are needed.")
    random = np.random.default_rng(seed)
    keys = sorted(category_of)
    asked = [keys[i] for i in random.permutation(len(keys))[:MOST_QUERIES]]
    rows = [right for key in asked if (right := _right_hits(generation, weights, key, category_of)) is not None]
    right = np.stack(rows)
    return CategoryQuality(
        weights=dict(weights),
        queries=len(rows),
        images=len(category_of),
        categories=len(set(category_of.values())),
        precision_at_10=float(right.mean()),
        first_row_right=float(right[:, :FIRST_ROW].mean()),
        first_row_none=float((~right[:, :FIRST_ROW].any(axis=1)).mean()),
    )


def _right_hits(
    generation: Generation, weights: Mapping[str, float], key: UUID, category_of: Mapping[UUID, int]
) -> np.ndarray | None:
    """Which of the ten best hits have the image's category, ``(10,)`` bool; None where it has no embedding yet."""
    sha256 = Image.objects.values_list("sha256", flat=True).get(pk=key)
    embedding = Embedding.objects.filter(encoder=generation.encoder, sha256=sha256).first()
    if embedding is None:
        return None
    projected = generation.projection.project(embedding.vectors)
    answer = get_engine(generation.engine).search(
        Request(
            generation.pk,
            visibility.public,
            vector=generation.projection.query_vector(projected, weights),
            exclude=(key,),
            window=5 * DEPTH,
            index=generation.index_settings,
            facets=False,
        )
    )
    labelled = [category_of[hit.key] for hit in answer.hits if hit.key in category_of][:DEPTH]
    right = np.zeros(DEPTH, dtype=bool)  # a hit that is missing is a hit that is wrong
    right[: len(labelled)] = [label == category_of[key] for label in labelled]
    return right
