"""How strange a photo is to a catalogue, and from where on nothing in it can look like the photo.

The likeness of the nearest product does not tell it: what all photos of another kind have in common points somewhere,
and some product always lies there. So the photo alone is asked: strangeness is what the catalogue's leading axes leave
of its embedding (the reconstruction error of a PCA, as in Jackson and Mudholkar, 1979). The line is that of known
photos: each is held out once, and all but a few of them lie below it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

LEAST_PHOTOS = 200  # with fewer, a catalogue does not say what its world is
FALSE_ALARMS = 0.03  # of the catalogue's own photos, held out: with as many again under the weak line less than 5 %
_AXES = 64  # more of them learn single photos by heart, fewer miss what is particular: bench/outside.py
_FOLDS = 5


@dataclass(frozen=True)
class World:
    """What a catalogue's photos have in common, in the encoder's own space."""

    centre: np.ndarray  # (d,) float32
    axes: np.ndarray  # (d, k) float32, orthonormal columns
    line: float  # a strangeness: above it is another world

    def strangeness(self, rows: np.ndarray) -> np.ndarray:
        """``(n, d)`` embeddings of unit length → ``(n,)``: the squared length that the axes leave of each."""
        centred = rows - self.centre
        left = np.square(centred).sum(axis=1) - np.square(centred @ self.axes).sum(axis=1)
        return np.asarray(np.maximum(left, 0.0))

    def is_outside(self, vector: np.ndarray) -> bool:
        """:param vector: ``(d,)``, of unit length"""
        return bool(self.strangeness(vector[None])[0] > self.line)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"centre": self.centre, "axes": self.axes, "line": np.array(self.line)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "World":
        return cls(arrays["centre"], arrays["axes"], float(arrays["line"]))

    @classmethod
    def fit(cls, rows: np.ndarray, groups: np.ndarray, seed: int = 0) -> "World | None":
        """None where there are too few photos to tell.

        :param rows: ``(n, d)`` float32 embeddings of unit length
        :param groups: ``(n,)``: photos of one group (a product's) are held out together
        """
        if len(rows) < LEAST_PHOTOS or len(np.unique(groups)) < _FOLDS:
            return None
        held_out = np.empty(len(rows))
        for taught, asking in folds(groups, seed):
            held_out[asking] = cls._of(rows[taught], 0.0).strangeness(rows[asking])
        return cls._of(rows, float(np.quantile(held_out, 1 - FALSE_ALARMS)))

    @classmethod
    def _of(cls, rows: np.ndarray, line: float) -> "World":
        centre = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = (rows - centre).astype(np.float64)
        n, d = centred.shape
        keep = max(1, min(_AXES, n // 4, d // 2))
        if n < d:  # the same axes from the smaller of the two matrices
            lengths, left = np.linalg.eigh(centred @ centred.T)
            axes = centred.T @ left[:, ::-1][:, :keep] / np.sqrt(np.maximum(lengths[::-1][:keep], 1e-12))
        else:
            _lengths, right = np.linalg.eigh(centred.T @ centred)
            axes = right[:, ::-1][:, :keep]
        return cls(centre, np.ascontiguousarray(axes, dtype=np.float32), line)


def folds(groups: np.ndarray, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Five times which photos are learnt from and which ask, as ``(n,)`` bool: each asks once, no group is parted."""
    members, places = np.unique(groups, return_inverse=True)
    fold = (np.random.default_rng(seed).permutation(len(members)) % _FOLDS)[places]
    for number in range(_FOLDS):
        yield fold != number, fold == number
