"""Figures of rankings, as information retrieval counts them, and how sure they are.

The figures take many queries at once: ``gains`` is ``(n, depth)``, row by row what the hits at places 1, 2, … are
worth, 0 for a wrong one and for a place without a hit. They give one number a query, ``(n,)`` float64, and NaN for a
query that has nothing to find. How many hits would be right is ``relevant``, ``(n,)`` whole numbers.

Sources: C. D. Manning, P. Raghavan and H. Schütze, "Introduction to Information Retrieval" (2008), chapter 8, for
precision, recall, average precision and reciprocal rank; K. Järvelin and J. Kekäläinen, "Cumulated gain-based
evaluation of IR techniques", ACM TOIS 20(4), 2002, for nDCG, with linear gains and the logarithm to base 2.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2_000
_AT_ONCE = 1_000_000  # numbers that a block of resamples holds


def precision_at(gains: np.ndarray, k: int, relevant: np.ndarray | None = None) -> np.ndarray:
    """Share of the first ``k`` places that hold a right hit; a place without a hit is wrong.

    :param relevant: where a query has fewer right hits than ``k``, count among so many places only, so that a perfect
        ranking reaches 1
    """
    right = (gains[:, :k] > 0).sum(axis=1)
    return _ratio(right, np.full(len(gains), k) if relevant is None else np.minimum(relevant, k))


def recall_at(gains: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """Share of all right hits that stand among the first ``k``."""
    return _ratio((gains[:, :k] > 0).sum(axis=1), relevant)


def average_precision(gains: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Mean, over all right hits, of the precision at their places; its mean over queries is mAP.

    Right hits beyond ``depth`` count as not found, as far as so many could have been: the divisor is the smaller of
    ``relevant`` and ``depth``.
    """
    right = gains > 0
    precision = np.cumsum(right, axis=1) / np.arange(1, gains.shape[1] + 1)
    return _ratio((precision * right).sum(axis=1), np.minimum(relevant, gains.shape[1]))


def ndcg_at(gains: np.ndarray, ideal: np.ndarray, k: int) -> np.ndarray:
    """Discounted cumulated gain of the first ``k`` places, as a share of that of the best possible ranking.

    :param ideal: ``(n, m)``, the gains of everything that could be found, in any order; ``of_equals`` makes it where
        all right hits are worth the same
    """
    best = -np.sort(-ideal, axis=1)
    return _ratio(_discounted(gains, k), _discounted(best, k))


def of_equals(relevant: np.ndarray, k: int) -> np.ndarray:
    """``(n, k)``: the ideal gains of queries with so many right hits, each worth 1."""
    return (np.arange(k) < np.asarray(relevant)[:, None]).astype(np.float64)


def reciprocal_rank(gains: np.ndarray) -> np.ndarray:
    """1 divided by the place of the first right hit; 0 where there is none. Its mean over queries is MRR."""
    right = gains > 0
    return np.where(right.any(axis=1), 1.0 / (right.argmax(axis=1) + 1), 0.0)


def _discounted(gains: np.ndarray, k: int) -> np.ndarray:
    first = gains[:, :k].astype(np.float64)
    return np.asarray(first @ (1.0 / np.log2(np.arange(2, first.shape[1] + 2))))


def _ratio(of: np.ndarray, total: np.ndarray) -> np.ndarray:
    total = np.asarray(total, dtype=np.float64)
    return np.where(total > 0, of / np.where(total > 0, total, 1.0), np.nan)


@dataclass(frozen=True)
class Interval:
    """A mean over queries, and between what it lies with 95 % certainty."""

    mean: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        return {"mean": round(self.mean, 6), "low": round(self.low, 6), "high": round(self.high, 6)}

    @classmethod
    def from_json(cls, stored: Mapping[str, float]) -> "Interval":
        return cls(stored["mean"], stored["low"], stored["high"])

    def is_apart_from(self, other: "Interval") -> bool:
        """Whether the two do not overlap. Two figures that do may still differ: this is the careful answer."""
        return self.low > other.high or self.high < other.low


def interval(
    values: np.ndarray, groups: np.ndarray | None = None, seed: int = 0, resamples: int = RESAMPLES
) -> Interval | None:
    """Mean of one number a query, and its bounds by ``bootstrap``. The same seed draws the same.

    :param values: ``(n,)``; NaN is left out
    :param groups: ``(n,)`` whole numbers: queries of one group are alike; each its own without them
    :return: None where nothing is left
    """
    values = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(values)
    if not known.any():
        return None
    low, high = bootstrap(values[known], np.arange(known.sum()) if groups is None else groups[known], seed, resamples)
    return Interval(float(values[known].mean()), low, high)


def bootstrap(values: np.ndarray, groups: np.ndarray, seed: int = 0, resamples: int = RESAMPLES) -> tuple[float, float]:
    """Between what the mean lies with 95 % certainty: percentile bootstrap (B. Efron, "Bootstrap methods: another look
    at the jackknife", Annals of Statistics 7(1), 1979). Whole groups are drawn again with replacement, ``resamples``
    times: what photos of one product find is alike, and as single queries they would make a mean look surer than it is.

    Groups that all came to the same number leave no width: ask with more of them.

    :param values: ``(n,)``, one at least, without NaN
    :param groups: ``(n,)`` whole numbers
    """
    places = np.unique(groups, return_inverse=True)[1]
    sums, counts = np.bincount(places, weights=values), np.bincount(places)
    random = np.random.default_rng(seed)
    block = max(1, _AT_ONCE // len(sums))
    means = []
    for start in range(0, resamples, block):
        drawn = random.integers(len(sums), size=(min(block, resamples - start), len(sums)))
        means.append(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return float(low), float(high)


def numbered(keys: Iterable[Hashable]) -> np.ndarray:
    """``(n,)``: groups as ``interval`` takes them; equal keys are one group, numbered as they first come."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def intervals(values: Mapping[str, np.ndarray], seed: int = 0, groups: np.ndarray | None = None) -> dict[str, Interval]:
    """The same for several figures of the same queries; those without any number are left out."""
    found = {name: interval(numbers, groups, seed) for name, numbers in values.items()}
    return {name: one for name, one in found.items() if one is not None}
