"""The vote of the nearest products, each weighted by how similar it is."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from search.classification.samples import Samples

VOTERS = 15  # products
SHARPNESS = 8.0  # of the weights: a neighbour 0.1 less similar than the first counts exp(-0.8) of its vote
_SMOOTHING = 0.05  # share that all categories have together before anybody votes
_CHUNK = 512  # rows that are compared at a time


def weights_of(similarities: np.ndarray) -> np.ndarray:
    """``(k,)`` similarities, the best first → ``(k,)`` weights that sum to 1."""
    weights = np.exp(SHARPNESS * (similarities - similarities.max(initial=-1.0)))
    return weights / weights.sum() if len(weights) else weights


def vote(similarities: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """``(classes,)`` float64: logarithms of the shares of votes, slightly smoothed.

    :param labels: ``(k,)`` places of the neighbours' categories, -1 for one that has none of them
    """
    shares = np.zeros(classes)
    voting = labels >= 0
    np.add.at(shares, labels[voting], weights_of(similarities[voting]))
    return np.log((shares + _SMOOTHING / classes) / (shares.sum() + _SMOOTHING))


def nearest_products(similarities: np.ndarray, groups: np.ndarray, most: int = VOTERS) -> list[int]:
    """Rows of the nearest products, each by its most similar photo, the best first.

    :param similarities: ``(n,)``
    :param groups: ``(n,)`` which product a row is of
    """
    several = min(len(similarities), 4 * most)
    while True:
        near = np.argpartition(-similarities, several - 1)[:several] if several else np.zeros(0, dtype=np.int64)
        ranked = near[np.lexsort((near, -similarities[near]))]
        first: dict[Any, int] = {}
        for row, group in zip(ranked.tolist(), groups[ranked].tolist(), strict=True):
            first.setdefault(group, row)
        if len(first) >= most or several == len(similarities):
            return list(first.values())[:most]
        several = min(len(similarities), 4 * several)  # products with many photos each


def held_out_neighbours(
    samples: Samples, folds: np.ndarray, tick: Callable[[], None]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """For every row its nearest products in other folds, by other pictures: their rows, and how similar they are.

    :param folds: ``(n,)`` the fold of each row; photos of one product share it
    """
    vectors, pictures, found = samples.vectors, samples.pictures, []
    for start in range(0, len(vectors), _CHUNK):
        tick()
        block = vectors[start : start + _CHUNK] @ vectors.T
        for n, similarities in enumerate(block, start):
            others = np.flatnonzero((folds != folds[n]) & (pictures != pictures[n]))
            rows = others[nearest_products(similarities[others], samples.groups[others])]
            found.append((rows, similarities[rows]))
    return found


def scores_of(samples: Samples, neighbours: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """``(n, classes)`` logarithms of shares."""
    classes = len(samples.classes)
    return np.stack([vote(similar, samples.labels[rows], classes) for rows, similar in neighbours])
