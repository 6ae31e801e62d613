"""Where a picture query looks: its parts projected, its weights, and the weak line, for one generation."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from search.models import Generation

# How far the factor of the weights may be from that of the index's own balance (1) before the neighbours that the
# index finds first are too often the wrong ones: the query then points more than 40 degrees away from the balance.
LOPSIDED_FACTOR = 1 / np.cos(np.deg2rad(40))


@dataclass(frozen=True)
class Direction:
    """Where a picture query looks: what an engine needs, and what turns its answer into similarities."""

    projected: Mapping[str, np.ndarray]
    weights: Mapping[str, float]  # usable: they sum to 1
    vector: np.ndarray  # (dimension,) float32 of unit length
    factor: float  # similarity = dot product x factor
    weak_line: float  # a similarity

    @property
    def floor(self) -> float:
        """The weak line as a dot product."""
        return self.weak_line / self.factor

    @property
    def lopsided(self) -> bool:
        return bool(self.factor > LOPSIDED_FACTOR)


def direction_of(
    vectors: Mapping[str, np.ndarray], requested: Mapping[str, float], generation: Generation
) -> Direction | None:
    """The direction of a picture with these weights or the generation's own; None if it has none of the parts.

    :param vectors: what the generation's encoder said of it
    """
    return direction_to(generation.projection.project(vectors), requested, generation)


def direction_to(
    projected: Mapping[str, np.ndarray], requested: Mapping[str, float], generation: Generation
) -> Direction | None:
    """The same for parts that are in the index's space already: each ``(d,)`` float32 of unit length."""
    projection = generation.projection
    weights = projection.usable_weights(requested or generation.weights, projected)
    if not weights:
        return None
    return Direction(
        projected,
        weights,
        projection.query_vector(projected, weights),
        projection.factor(weights),
        generation.scale.weak_line(weights),
    )
