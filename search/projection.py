"""From embeddings to the one indexed vector: centre, linear map, unit length, parts side by side.

Every indexed vector is the parts side by side divided by the square root of their number, plus one last number that
brings it to unit length when a part is missing. A query is the parts times their weights, normalised, with 0 as the
last number. The engine's dot product is then, up to ``Projection.factor(weights)``, exactly the weighted sum of the
parts' cosines: any weights per query, one kNN clause, nothing to re-index.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

Vectors = Mapping[str, np.ndarray]
LONGEST_PART = 2_048  # numbers; Elasticsearch takes 4,096 in all
_SMALLEST_LENGTH = 1e-6


def unit(vector: np.ndarray) -> np.ndarray | None:
    """The vector at length 1, or None where it has no direction."""
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32) if length > _SMALLEST_LENGTH else None


@dataclass(frozen=True)
class PartMap:
    """How one part is projected: ``(x - centre) @ matrix``; without a matrix the map is the identity."""

    name: str
    centre: np.ndarray  # (d_in,) float32
    matrix: np.ndarray | None = None  # (d_in, d_out) float32

    @property
    def dimension(self) -> int:
        return len(self.centre) if self.matrix is None else self.matrix.shape[1]

    def apply(self, vector: np.ndarray) -> np.ndarray | None:
        """``(d_in,)`` → ``(d_out,)`` of unit length, or None where nothing is left after centring."""
        centred = vector - self.centre
        return unit(centred if self.matrix is None else centred @ self.matrix)


@dataclass(frozen=True)
class Projection:
    """The fixed map of one generation. Fitted once, stored with the generation, never altered."""

    parts: tuple[PartMap, ...]
    slices: dict[str, slice] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        slices, start = {}, 0
        for part in self.parts:
            slices[part.name] = slice(start, start + part.dimension)
            start += part.dimension
        object.__setattr__(self, "slices", slices)

    @property
    def dimension(self) -> int:
        """Length of indexed vectors: the parts' and the one that completes the length."""
        return sum(part.dimension for part in self.parts) + 1

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.parts)

    def project(self, vectors: Vectors) -> dict[str, np.ndarray]:
        """Part name → ``(d,)`` float32 of unit length; parts that are missing or have no direction are left out."""
        projected = {part.name: part.apply(vectors[part.name]) for part in self.parts if part.name in vectors}
        return {name: vector for name, vector in projected.items() if vector is not None}

    def document_vector(self, projected: Vectors) -> np.ndarray:
        """Projected parts → ``(dimension,)`` float32 of unit length, ready for an engine."""
        vector = np.zeros(self.dimension, dtype=np.float32)
        for name, part in projected.items():
            vector[self.slices[name]] = part / np.sqrt(len(self.parts))
        vector[-1] = np.sqrt(max(0.0, 1.0 - float(vector @ vector)))
        return vector

    def parts_of(self, vector: np.ndarray) -> dict[str, np.ndarray]:
        """The parts that lie side by side in a vector, each at length 1; those without a direction are left out.

        :param vector: ``(dimension,)``, or shorter by the last number, which is not read
        """
        found = {name: unit(vector[where]) for name, where in self.slices.items()}
        return {name: part for name, part in found.items() if part is not None}

    def usable_weights(self, weights: Mapping[str, float], available: Sequence[str] | Vectors) -> dict[str, float]:
        """The weights of the parts that the query has, raised so that they sum to 1 again; empty if none is left."""
        kept = {name: weights[name] for name in self.names if name in available and weights.get(name, 0) > 0}
        total = sum(kept.values())
        return {name: weight / total for name, weight in kept.items()} if total > 0 else {}

    def query_vector(self, projected: Vectors, weights: Mapping[str, float]) -> np.ndarray:
        """Projected parts and their weights → ``(dimension,)`` float32 of unit length.

        :raises ValueError: when no weighted part is there to ask with
        """
        weights = self.usable_weights(weights, projected)
        vector = np.zeros(self.dimension, dtype=np.float32)
        for name, weight in weights.items():
            vector[self.slices[name]] = weight * projected[name]
        normalised = unit(vector)
        if normalised is None:
            raise ValueError("A query needs at least one part with a weight above 0.")
        return normalised

    def factor(self, weights: Mapping[str, float]) -> float:
        """What turns an engine's dot product into the weighted sum of cosines, for usable weights."""
        return float(np.sqrt(len(self.parts)) * np.linalg.norm(list(weights.values())))

    def to_bytes(self) -> bytes:
        arrays = {}
        for part in self.parts:
            arrays[f"centre/{part.name}"] = part.centre.astype(np.float32)
            if part.matrix is not None:
                arrays[f"matrix/{part.name}"] = part.matrix.astype(np.float32)
        arrays["names"] = np.frombuffer(json.dumps(self.names).encode(), dtype=np.uint8)
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Projection":
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            names = json.loads(arrays["names"].tobytes())
            return cls(
                tuple(
                    PartMap(
                        name,
                        arrays[f"centre/{name}"],
                        arrays.get(f"matrix/{name}", None),
                    )
                    for name in names
                )
            )

    @classmethod
    def starting(cls, dimensions: Mapping[str, int]) -> "Projection":
        """What needs no images: the identity; a part longer than an engine takes is turned and cut at random.

        Axes drawn at random and made orthonormal keep angles nearly (Johnson and Lindenstrauss, 1984); from a fixed
        seed they are the same everywhere.
        """
        return cls(
            tuple(
                PartMap(
                    name, np.zeros(d, dtype=np.float32), _random_axes(d, LONGEST_PART) if d > LONGEST_PART else None
                )
                for name, d in dimensions.items()
            )
        )

    @classmethod
    def fit(
        cls, samples: Mapping[str, np.ndarray], components: Mapping[str, int], dimensions: Mapping[str, int]
    ) -> "Projection":
        """Centre every part on its sample mean; parts named in ``components`` are reduced by PCA.

        :param samples: part name → ``(n, d)`` float32, a random sample of embeddings; a part may be missing
        :param components: part name → numbers that it is brought to; where the sample is too small to tell so many
            axes apart, the last of them are 0
        :param dimensions: part name → length, all parts in the order of the vector
        """
        return cls(
            tuple(
                _fitted(name, samples.get(name, np.zeros((0, d), np.float32)), components.get(name, d), d)
                for name, d in dimensions.items()
            )
        )


def _fitted(name: str, rows: np.ndarray, width: int, d: int) -> PartMap:
    centre = rows.mean(axis=0, dtype=np.float64) if len(rows) else np.zeros(d)
    matrix = None
    if width < d:
        matrix = np.zeros((d, width), dtype=np.float32)
        centred = rows.astype(np.float64) - centre
        keep = min(width, max(0, len(rows) - 1))
        _values, axes = np.linalg.eigh(centred.T @ centred)
        matrix[:, :keep] = axes[:, ::-1][:, :keep]
    return PartMap(name, centre.astype(np.float32), matrix)


def _random_axes(d: int, width: int) -> np.ndarray:
    """``(d, width)`` float32 with orthonormal columns."""
    axes, _triangle = np.linalg.qr(np.random.default_rng(0).normal(size=(d, width)))
    return np.ascontiguousarray(axes, dtype=np.float32)
