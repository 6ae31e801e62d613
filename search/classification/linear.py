"""A linear support vector machine: one hyperplane per category, against all the others (Rifkin and Klautau, 2004)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

PENALTY = 0.3
# A plane takes as long as it has rows, and each category has one: with all photos of the others, 1,000 categories take
# hours. A sample of the others is as good (docs/classification.md).
OTHERS_IN_ALL = 1_000_000  # rows of other categories, over all planes
LEAST_OTHERS = 500  # rows of other categories, of each plane


@dataclass(frozen=True)
class Linear:
    """Scores are signed distances from the hyperplanes; a fitted temperature makes shares of them."""

    weights: np.ndarray  # (d, classes) float32
    bias: np.ndarray  # (classes,) float32

    @classmethod
    def fit(cls, vectors: np.ndarray, labels: np.ndarray, classes: int, tick: Callable[[], None]) -> "Linear":
        from sklearn.svm import LinearSVC  # takes seconds to import, which only training needs

        weights = np.zeros((vectors.shape[1], classes), dtype=np.float32)
        bias = np.full(classes, -1.0, dtype=np.float32)  # a category that is not there is never said
        random = np.random.default_rng(0)
        present = np.unique(labels)
        others = max(LEAST_OTHERS, OTHERS_IN_ALL // len(present))
        for label in present:
            tick()
            rows = _rows(labels == label, others, random)
            plane = LinearSVC(C=PENALTY, class_weight="balanced", random_state=0)
            plane.fit(vectors[rows], labels[rows] == label)
            weights[:, label], bias[label] = plane.coef_[0], plane.intercept_[0]
        return cls(weights, bias)

    def scores(self, vectors: np.ndarray) -> np.ndarray:
        """``(n, d)`` → ``(n, classes)`` float32."""
        return vectors @ self.weights + self.bias

    def arrays(self) -> dict[str, np.ndarray]:
        return {"weights": self.weights, "bias": self.bias}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Linear":
        """:raises ValueError: for arrays that do not fit together"""
        weights, bias = arrays["weights"], arrays["bias"]
        if weights.ndim != 2 or bias.shape != weights.shape[1:]:
            raise ValueError("A linear classifier needs a bias for each column of its weights.")
        return cls(weights, bias)


def _rows(own: np.ndarray, others: int, random: np.random.Generator) -> np.ndarray:
    """Places of all photos of a category, and of at most so many others, drawn at random."""
    rest = np.flatnonzero(~own)
    if len(rest) > others:
        rest = random.choice(rest, others, replace=False)
    return np.sort(np.concatenate([np.flatnonzero(own), rest]))
