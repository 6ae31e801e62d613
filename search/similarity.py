"""What a similarity means: bands in words, and the line below which a result is weak.

Provisional until it is calibrated on known pairs: the scale is read off the similarities of random pairs of the
catalogue. They are kept per part, so that it is right for any weights that a query uses.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

RANDOM_PAIRS = 4_000
_UNCALIBRATED = (0.3, 0.75, 0.95)


@dataclass(frozen=True)
class Band:
    code: str
    label: str | Promise
    floor: float


@dataclass(frozen=True)
class SimilarityScale:
    """Cosines of random pairs: ``pairs`` is ``(n, parts)`` float32, NaN where a picture lacks the part."""

    names: tuple[str, ...]
    pairs: np.ndarray

    @property
    def is_calibrated(self) -> bool:
        return len(self.pairs) >= 200

    def lines(self, weights: Mapping[str, float]) -> tuple[float, float, float]:
        """Where "similar" (the weak line), "very similar" and "nearly the same" begin, for usable weights.

        The weak line lets one random pair in twenty pass, "very similar" one in five hundred; "nearly the same" lies
        most of the way from there to an identical picture.
        """
        if not self.is_calibrated:
            return _UNCALIBRATED
        columns = np.nan_to_num(self.pairs)
        similarities = sum(weights.get(name, 0.0) * columns[:, i] for i, name in enumerate(self.names))
        weak, very = np.quantile(similarities, [0.95, 0.998])
        return float(weak), float(very), float(very + 0.6 * (1 - very))

    def weak_line(self, weights: Mapping[str, float]) -> float:
        return self.lines(weights)[0]

    def bands(self, weights: Mapping[str, float]) -> list[Band]:
        """From the nearest to the weakest."""
        weak, very, nearly = self.lines(weights)
        return [
            Band("nearly-the-same", _("Nearly the same"), nearly),
            Band("very-similar", _("Very similar"), very),
            Band("similar", pgettext_lazy("band of results", "Similar"), weak),
            Band("weak", _("Weaker matches"), -1.0),
        ]

    def to_bytes(self) -> bytes:
        file = io.BytesIO()
        np.savez(file, names=np.array(self.names), pairs=self.pairs.astype(np.float32))
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "SimilarityScale":
        if not data:
            return cls((), np.zeros((0, 0), dtype=np.float32))
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return cls(tuple(str(name) for name in arrays["names"]), arrays["pairs"])

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
        columns = [np.einsum("ij,ij->i", rows[first], rows[second]) for rows in samples.values()]
        return cls(tuple(samples), np.stack(columns, axis=1).astype(np.float32))
