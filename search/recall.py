"""How many of the truly nearest a generation's index finds, measured on the user's own catalogue.

Photographs of the catalogue ask for their neighbours; what the engine answers is compared with the exact ranking, made
by NumPy of the same vectors. The time of both is told, as a ratio: a person decides between the two.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from uuid import UUID

import numpy as np

from gallery import visibility
from gallery.models import Image
from search.chunks import chunks
from search.direction import direction_to
from search.engines import get_engine
from search.engines.base import Request
from search.models import Embedding, Generation

_TIE = 1e-5  # dot products nearer than this are in no order


@dataclass(frozen=True)
class Recall:
    """One way of weighing the parts: ``recall`` is the mean share of the exact first ``k`` that the engine returns."""

    weights: dict[str, float]
    queries: int
    images: int
    k: int
    recall: float
    worst: float  # of a single query
    milliseconds: float  # of the engine, median
    exact_milliseconds: float  # of NumPy over all vectors in one thread or more, median

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def measure(
    generation: Generation, *, queries: int = 100, k: int = 10, candidates: int | None = None, seed: int = 0
) -> dict[str, Recall]:
    """Recall with the generation's default weights, and with each of its parts alone.

    Takes as much memory as all vectors: 4 bytes a number.

    :param candidates: asks for at least so many instead of what the generation's index settings say
    :raises ValueError: when fewer images are indexed than are compared
    :raises EngineError: when the engine does not answer
    """
    keys, matrix = _vectors_of(generation)
    if len(keys) <= k:
        raise ValueError(f"{len(keys)} images are indexed; recall at {k} needs {k + 1} at least.")
    asked = np.random.default_rng(seed).permutation(len(keys))[:queries].tolist()
    ways: dict[str, Mapping[str, float]] = {"default weights": generation.weights}
    ways |= {f"{name} alone": {name: 1.0} for name in generation.projection.names}
    return {way: _recall(generation, keys, matrix, weights, asked, k, candidates) for way, weights in ways.items()}


def _recall(
    generation: Generation,
    keys: list[UUID],
    matrix: np.ndarray,
    weights: Mapping[str, float],
    asked: list[int],
    k: int,
    candidates: int | None,
) -> Recall:
    engine, projection = get_engine(generation.engine), generation.projection
    index = generation.index_settings
    if candidates is not None:
        index = replace(index, candidates=candidates)
    shares, times, exact_times = [], [], []
    for place in asked:
        direction = direction_to(projection.parts_of(matrix[place]), weights, generation)
        if direction is None:  # a picture without that part
            continue
        start = time.perf_counter()
        dots = matrix @ direction.vector
        exact_times.append(time.perf_counter() - start)
        dots[place] = -np.inf
        request = Request(
            generation.pk,
            visibility.moderation,
            vector=direction.vector,
            exclude=(keys[place],),
            window=max(k, 240),
            index=index,
            lopsided=direction.lopsided,
            facets=False,
        )
        start = time.perf_counter()
        answer = engine.search(request)
        times.append(time.perf_counter() - start)
        least = np.partition(dots, -k)[-k] - _TIE  # any of those that are as near as the k-th will do
        near = {keys[row].int for row in np.flatnonzero(dots >= least).tolist()}
        found = sum(hit.key.int in near for hit in answer.hits[:k])
        shares.append(found / k)
    if not shares:
        shares = times = exact_times = [float("nan")]
    return Recall(
        weights={name: float(weight) for name, weight in weights.items()},
        queries=len(shares),
        images=len(keys),
        k=k,
        recall=float(np.mean(shares)),
        worst=float(np.min(shares)),
        milliseconds=float(np.median(times) * 1000),
        exact_milliseconds=float(np.median(exact_times) * 1000),
    )


def _vectors_of(generation: Generation) -> tuple[list[UUID], np.ndarray]:
    """Keys and vectors of what has been written, as the index holds it: ``(n, dimension)`` float32."""
    written = generation.placements.filter(version__gt=0, behind=False).values("key")
    images = list(Image.objects.filter(pk__in=written).order_by("pk").values_list("pk", "sha256"))
    matrix = np.zeros((len(images), generation.dimension), dtype=np.float32)
    keys: list[UUID] = []
    projection = generation.projection
    for chunk in chunks(images):
        rows = Embedding.objects.by_hash(generation.encoder, (sha256 for _key, sha256 in chunk))
        for key, sha256 in chunk:
            projected = projection.project(rows[sha256].vectors) if sha256 in rows else {}
            if projected:
                matrix[len(keys)] = projection.document_vector(projected)
                keys.append(key)
    return keys, matrix[: len(keys)]
