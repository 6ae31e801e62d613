"""What a similarity means: bands in words, the line below which a result is weak, and how often both are wrong.

The scale is read off known pairs of the catalogue: random ones, the nearest of other products, the same photo saved
again, the same product, the same category. Their similarities are kept per part, so that it is right for any weights
that a query uses. See docs/similarity.md.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from search.outside.world import World

RANDOM_PAIRS = 4_000
PASSING = 0.05
# Where axes are learnt from labels, random pairs of one category are more alike than what is new is to anything.
PASSING_TUNED = 0.1
LEAST_PAIRS = 20  # of a kind; fewer tell no share
_UNCALIBRATED = (0.3, 0.75, 0.95)
_NEAREST = "nearest"  # what each held-out photo finds first: a photo of another product
_COPIES = "copies"  # a photo, and the same saved again at half the size
_RARE = 0.01  # of the nearest that may be nearly the same, and of the copies that may not
_MOST_MISTAKEN = 0.1  # of the nearest that may be nearly the same so that copies are
_DEEP = "deep"
_MOSTLY = 0.5  # weight of contents below which a query does not ask what a picture shows


@dataclass(frozen=True)
class Band:
    code: str
    label: str | Promise
    floor: float


@dataclass(frozen=True)
class SimilarityScale:
    """Cosines of random pairs: ``pairs`` is ``(n, parts)`` float32, NaN where a picture lacks the part.

    ``known`` has the same of other kinds of pairs. ``world`` tells photos that nothing here can look like.
    """

    names: tuple[str, ...]
    pairs: np.ndarray
    known: Mapping[str, np.ndarray] = field(default_factory=dict)
    world: World | None = None
    passing: float = PASSING  # share of the random pairs above the weak line

    @property
    def is_calibrated(self) -> bool:
        return len(self.pairs) >= 200

    def lines(self, weights: Mapping[str, float]) -> tuple[float, float, float]:
        """Where "similar" (the weak line), "very similar" and "nearly the same" begin, for usable weights.

        The first two are those of ``random_lines``. "Nearly the same" begins where one in a hundred of the nearest
        photos of other products lies above; lower, where 99 of 100 copies of a photo lie above, if hardly any other
        product does. Where copies are no more alike than other products, they tell nothing.
        """
        weak, very, nearly = self.random_lines(weights)
        nearest, copies = (self._similarities(self.known.get(kind), weights) for kind in (_NEAREST, _COPIES))
        if self.is_calibrated and len(nearest) >= LEAST_PAIRS:
            nearly = max(very, float(np.quantile(nearest, 1 - _RARE)))
            most = float(np.quantile(copies, _RARE)) if len(copies) >= LEAST_PAIRS else nearly
            if (nearest >= most).mean() <= _MOST_MISTAKEN:
                nearly = max(very, min(nearly, most))
        return weak, very, nearly

    def random_lines(self, weights: Mapping[str, float]) -> tuple[float, float, float]:
        """The same as far as random pairs tell.

        The weak line lets ``passing`` of the random pairs pass, "very similar" one in five hundred; "nearly the same"
        lies most of the way from there to an identical picture.
        """
        if not self.is_calibrated:
            return _UNCALIBRATED
        weak, very = np.quantile(self._similarities(self.pairs, weights), [1 - self.passing, 0.998])
        return float(weak), float(very), float(very + 0.6 * (1 - very))

    def weak_line(self, weights: Mapping[str, float]) -> float:
        return self.lines(weights)[0]

    def outside_line(self, weights: Mapping[str, float]) -> float:
        """The weak line for a photo from another world: only what may be a part of the same photo is no weak match."""
        _weak, very, nearly = self.random_lines(weights)
        return (very + nearly) / 2

    def is_outside(self, vectors: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> bool:
        """Whether a photo is from another world than the catalogue's, for a query that asks what it shows.

        :param vectors: as the encoder gave them
        """
        asks = self.world is not None and _DEEP in vectors and weights.get(_DEEP, 0.0) >= _MOSTLY
        return bool(asks and self.world is not None and self.world.is_outside(vectors[_DEEP]))

    def bands(self, weights: Mapping[str, float]) -> list[Band]:
        """From the nearest to the weakest."""
        weak, very, nearly = self.lines(weights)
        return [
            Band("nearly-the-same", _("Nearly the same"), nearly),
            Band("very-similar", _("Very similar"), very),
            Band("similar", pgettext_lazy("band of results", "Similar"), weak),
            Band("weak", _("Weaker matches"), -1.0),
        ]

    def shares(self, weights: Mapping[str, float]) -> dict[str, dict[str, float]]:
        """How often known pairs are called what: kind of pair → code of a band → share at or above its floor."""
        bands = self.bands(weights)[:-1]
        kinds = {"random": self.pairs, **self.known} if self.is_calibrated else {}
        found = {}
        for kind, pairs in kinds.items():
            if len(pairs) >= LEAST_PAIRS:
                similarities = self._similarities(pairs, weights)
                found[kind] = {band.code: round(float((similarities >= band.floor).mean()), 4) for band in bands}
        return found

    def _similarities(self, pairs: np.ndarray | None, weights: Mapping[str, float]) -> np.ndarray:
        if pairs is None or not len(pairs):
            return np.zeros(0)
        columns = np.nan_to_num(pairs)
        return np.asarray(sum(weights.get(name, 0.0) * columns[:, i] for i, name in enumerate(self.names)))

    def to_bytes(self) -> bytes:
        arrays = {f"known/{kind}": pairs.astype(np.float32) for kind, pairs in self.known.items()}
        if self.world is not None:
            arrays |= {f"world/{name}": array for name, array in self.world.arrays().items()}
        arrays["passing"] = np.array(self.passing)
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, names=np.array(self.names), pairs=self.pairs.astype(np.float32), **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "SimilarityScale":
        if not data:
            return cls((), np.zeros((0, 0), dtype=np.float32))
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            known, world = (
                {name.removeprefix(kind): arrays[name] for name in arrays.files if name.startswith(kind)}
                for kind in ("known/", "world/")
            )
            names = tuple(str(name) for name in arrays["names"])
            passing = float(arrays["passing"]) if "passing" in arrays.files else PASSING
            return cls(names, arrays["pairs"], known, World.from_arrays(world) if world else None, passing)

    @classmethod
    def measure(cls, samples: Mapping[str, np.ndarray], seed: int = 0) -> "SimilarityScale":
        """Cosines of random pairs among projected parts.

        :param samples: part name → ``(n, d)`` float32, rows of unit length, NaN rows where the part is missing
        """
        n = len(next(iter(samples.values())))
        if n < 2:
            return cls((), np.zeros((0, 0), dtype=np.float32))
        random = np.random.default_rng(seed)
        first = random.integers(0, n, RANDOM_PAIRS)
        second = (first + random.integers(1, n, RANDOM_PAIRS)) % n
        return cls(tuple(samples), cosines(samples, first, samples, second))


def cosines(
    ones: Mapping[str, np.ndarray], first: np.ndarray, others: Mapping[str, np.ndarray], second: np.ndarray
) -> np.ndarray:
    """``(n, parts)`` float32: of the pairs of rows at these places, per part."""
    columns = [np.einsum("ij,ij->i", rows[first], others[name][second]) for name, rows in ones.items()]
    return np.stack(columns, axis=1).astype(np.float32)
