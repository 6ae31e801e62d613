"""How labels look: sums over pictures, batch by batch, and the directions that they give.

A label's look is the ridge regression of "has the label" on the projected pictures of all that are labelled at all
(A. Hoerl and R. Kennard, 1970): where the mean of its pictures would also point to what it shares with its neighbours,
this points to what tells it apart. It needs sums alone, so pictures pass by once and none is kept.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from search.projection import unit

# Weight of the penalty: of so many pictures, and of this share of all where there are many.
_RIDGE, _RIDGE_SHARE = 1.0, 0.01


class Looks:
    """Sums over ``(n, d)`` projected pictures."""

    def __init__(self, dimension: int, classes: np.ndarray) -> None:
        """
        :param classes: ``(c, d)`` directions whose best picture is looked for
        """
        self._classes = classes
        self.pictures = self.labelled = 0
        self._total = np.zeros(dimension)
        self._squares = 0.0
        self._labelled_total = np.zeros(dimension)
        self._moments = np.zeros((dimension, dimension))
        self._sums: dict[Any, np.ndarray] = {}
        self._label_squares: dict[Any, float] = {}
        self.counts: dict[Any, int] = {}
        self._best = np.full(len(classes), -np.inf)

    def add(self, rows: np.ndarray, labels: Sequence[Iterable[Any]]) -> None:
        """
        :param rows: ``(n, d)`` projected pictures, of unit length
        :param labels: for each its labels; none where it is not labelled at all, which says nothing of any
        """
        if not len(rows):
            return
        rows = rows.astype(np.float64)
        self.pictures += len(rows)
        self._total += rows.sum(axis=0)
        self._squares += float((rows**2).sum())
        if len(self._classes):
            self._best = np.maximum(self._best, (rows @ self._classes.T).max(axis=0))
        sets = [list(each) for each in labels]
        kept = np.array([bool(each) for each in sets])
        self.labelled += int(kept.sum())
        self._labelled_total += rows[kept].sum(axis=0)
        self._moments += rows[kept].T @ rows[kept]
        for row, each in zip(rows, sets, strict=True):
            for label in each:
                if label not in self._sums:
                    self._sums[label] = np.zeros(len(row))
                self._sums[label] += row
                self.counts[label] = self.counts.get(label, 0) + 1

    @property
    def mean(self) -> np.ndarray:
        """``(d,)``: of all pictures."""
        return self._total / max(1, self.pictures)

    @property
    def spread(self) -> float:
        """Root mean square distance of pictures from their mean: 1 where they were centred."""
        return float(np.sqrt(max(0.0, self._squares / max(1, self.pictures) - self.mean @ self.mean))) or 1.0

    def best_of_classes(self) -> np.ndarray:
        """``(c,)``: the highest cosine that a picture has with each direction, less that of the mean, in spreads."""
        return (self._best - self._classes @ self.mean) / self.spread

    def learnt(self, least: int, trusted: Callable[[Any], bool] = lambda label: False) -> dict[Any, np.ndarray]:
        """Label → its look, ``(d,)`` of unit length, for labels of ``least`` pictures and more that have one.

        A label has a look if its pictures are more like each other than like all others: "sale" has none. Their mean
        cosine, of centred pictures, must be above what chance gives to so many.

        :param trusted: labels that were given for what pictures show; they need only be no less alike than others
        """
        enough = [label for label, count in self.counts.items() if count >= least]
        if not enough or self.labelled < 2:
            return {}
        mean = self._labelled_total / self.labelled
        moments = self._moments - self.labelled * np.outer(mean, mean)
        penalty = max(_RIDGE, _RIDGE_SHARE * self.labelled) * self.spread**2
        counts = np.array([self.counts[label] for label in enough], dtype=np.float64)
        sums = np.stack([self._sums[label] for label in enough]) - counts[:, None] * mean
        alike = ((sums**2).sum(axis=1) - counts * self.spread**2) / (counts * (counts - 1)) / self.spread**2
        solved = np.linalg.solve(moments + penalty * np.eye(len(mean)), sums.T).T
        return {
            label: look
            for label, row, coherence, count in zip(enough, solved, alike, counts, strict=True)
            if coherence > (0.0 if trusted(label) else _coherence_by_chance(count)) and (look := unit(row)) is not None
        }


def _coherence_by_chance(count: float) -> float:
    """What the mean cosine of so many pictures that have nothing in common stays below nearly always: pairs of pictures
    have a standard deviation of about 0.2."""
    return 0.05 + 0.75 / count
