"""Where a picture query looks: its parts projected, its weights, and the weak line, for one generation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from search.models import Generation

# How far the factor of the weights may be from that of the index's own balance (1) before the neighbours that the
# index finds first are too often the wrong ones: the query then points more than 40 degrees away from the balance.
LOPSIDED_FACTOR = 1 / np.cos(np.deg2rad(40))
# How strongly what is not wanted pushes away, beside what is wanted (1): as in Rocchio's relevance feedback, less than
# half, for people know better what they seek than what they do not.
LESS = 0.4
_CANCELLED = 1e-3  # a sum of unit vectors shorter than this points nowhere
# What likeness leans to → the part of the vector, and its share; the rest stays as the generation weighs it.
LEAN = {"color": "color", "shape": "shape", "pattern": "texture"}
_LEAN_SHARE = 0.7


@dataclass(frozen=True)
class Direction:
    """Where a picture query looks: what an engine needs, and what turns its answer into similarities."""

    projected: Mapping[str, np.ndarray]
    weights: Mapping[str, float]  # usable: they sum to 1
    vector: np.ndarray  # (dimension,) float32 of unit length
    factor: float  # similarity = dot product x factor
    weak_line: float  # a similarity
    away: bool = False  # it only says what is not wanted, so no similarity is a match or none
    outside: Mapping[str, np.ndarray] | None = None  # what the encoder said of a photo from another world

    @property
    def floor(self) -> float:
        """The weak line as a dot product."""
        return -1.0 if self.away else self.weak_line / self.factor

    @property
    def lopsided(self) -> bool:
        return bool(self.factor > LOPSIDED_FACTOR)


def for_outside(direction: Direction, vectors: Mapping[str, np.ndarray], generation: Generation) -> Direction:
    """The same where the photo that was sent is from another world than the catalogue's: hardly anything matches.

    :param vectors: what the generation's encoder said of it
    """
    if direction.away or not generation.scale.is_outside(vectors, direction.weights):
        return direction
    return replace(direction, weak_line=generation.scale.outside_line(direction.weights), outside=vectors)


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
    return _towards(projected, requested, generation)


def direction_between(
    wanted: Sequence[Mapping[str, np.ndarray]],
    unwanted: Sequence[Mapping[str, np.ndarray]],
    requested: Mapping[str, float],
    generation: Generation,
) -> Direction | None:
    """The direction to what looks like all of some pictures and unlike others, given as their projected parts.

    Per part the mean of those that are wanted less ``LESS`` times the mean of the others, brought back to unit
    length. A part that cancels is dropped; None if all do.
    """
    combined: dict[str, np.ndarray] = {}
    for name in generation.projection.names:
        total = _mean(parts[name] for parts in wanted if name in parts)
        away = _mean(parts[name] for parts in unwanted if name in parts)
        if wanted and total is None:
            continue  # none of what is wanted has this part, so nothing is said of it
        both = (0.0 if total is None else total) - (0.0 if away is None else LESS * away)
        length = float(np.linalg.norm(both))
        if length > _CANCELLED:
            combined[name] = np.asarray(both / length, dtype=np.float32)
    return _towards(combined, requested, generation, away=not wanted)


def _mean(vectors: Iterable[np.ndarray]) -> np.ndarray | None:
    found = list(vectors)
    return np.asarray(np.mean(found, axis=0, dtype=np.float64)) if found else None


def leaning(by: str, generation: Generation) -> dict[str, float]:
    """Weights that lean to one part, as ``Query.by`` names it; empty (the generation's own) for none."""
    part = LEAN.get(by)
    if part is None:
        return {}
    weights = {name: (1 - _LEAN_SHARE) * weight for name, weight in generation.weights.items()}
    return weights | {part: weights.get(part, 0.0) + _LEAN_SHARE}


def _towards(
    projected: Mapping[str, np.ndarray], requested: Mapping[str, float], generation: Generation, *, away: bool = False
) -> Direction | None:
    projection = generation.projection
    weights = projection.usable_weights(requested or generation.weights, projected)
    if not weights:
        return None
    return Direction(
        projected,
        weights,
        projection.query_vector(projected, weights),
        projection.factor(weights),
        -1.0 if away else generation.scale.weak_line(weights),
        away,
    )
