"""Groups of alike pictures among the few that a person saved or looked at."""

import numpy as np
from scipy.cluster.vq import kmeans2

_ROUNDS = 10


def farthest_first(vectors: np.ndarray, most: int, alike: float = 1.0) -> list[int]:
    """Rows that cover all others: each next one is the least like those chosen so far (Gonzalez, 1985).

    It begins with the first row, and ends when every row is at least ``alike`` to one that is chosen.

    :param vectors: ``(n, d)`` float32, of which dot products are similarities
    :param most: at most so many rows
    """
    if not len(vectors) or most < 1:
        return []
    chosen = [0]
    nearest = vectors @ vectors[0]
    while len(chosen) < most:
        nearest[chosen] = np.inf
        farthest = int(np.argmin(nearest))
        if nearest[farthest] >= alike:
            break
        chosen.append(farthest)
        nearest = np.maximum(nearest, vectors @ vectors[farthest])
    return chosen


def grouped(vectors: np.ndarray, most: int, alike: float) -> list[list[int]]:
    """Rows in at most so many clusters by k-means, which starts from rows that are not ``alike``.

    Members stand in the order of the rows, and clusters in the order of their first members.

    :param vectors: ``(n, d)`` float32, of which dot products are similarities
    """
    starts = farthest_first(vectors, most, alike)
    if not starts:
        return []
    _centres, labels = kmeans2(vectors, vectors[starts].copy(), iter=_ROUNDS, minit="matrix", missing="warn")
    members: dict[int, list[int]] = {}
    for row, label in enumerate(labels.tolist()):
        members.setdefault(label, []).append(row)
    return list(members.values())
