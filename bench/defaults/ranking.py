"""From features to rankings: projections fitted on other folds, neighbours, and two ways to rank a window anew."""

from collections.abc import Callable, Iterator

import numpy as np

FOLDS = 5
WINDOW = 240  # photographs that are ranked anew
_NEIGHBOURS, _FIRST = 20, 20  # of k-reciprocal ranking: who must name whom, and how many share their neighbours
_JACCARD = 0.3  # weight of shared neighbours beside the distance itself

Rerank = Callable[[np.ndarray, np.ndarray], np.ndarray]  # query (d,), window (w, d), the best first → order (w,)


def units(rows: np.ndarray) -> np.ndarray:
    """Rows at length 1; rows of zeros stay."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def folds(count: int, seed: int = 0) -> np.ndarray:
    """``(count,)``: the fold of each photograph, drawn at random, all folds of one size."""
    return np.random.default_rng(seed).permutation(np.arange(count) % FOLDS)


def axes(rows: np.ndarray, width: int | None, whitening: float = 0.0) -> tuple[np.ndarray, np.ndarray | None]:
    """Centre and map ``(d, width)``, as a generation is fitted; None for no map.

    :param whitening: power of the axes' standard deviations that they are divided by; 1 makes all alike
    """
    centre = rows.mean(axis=0, dtype=np.float64)
    if width is None:
        return centre, None
    centred = rows - centre
    values, vectors = np.linalg.eigh(centred.T @ centred / len(rows))
    values, vectors = values[::-1][:width], vectors[:, ::-1][:, :width]
    return centre, vectors * np.maximum(values, 1e-9) ** (-whitening / 2)


def projected(rows: np.ndarray, fitted: tuple[np.ndarray, np.ndarray | None]) -> np.ndarray:
    centre, matrix = fitted
    return units(rows - centre if matrix is None else (rows - centre) @ matrix).astype(np.float32)


def rankings(similarities: np.ndarray, themselves: np.ndarray) -> np.ndarray:
    """``(q, WINDOW)``: places of the most similar, the best first, none the query itself."""
    similarities = similarities.copy()
    similarities[np.arange(len(themselves)), themselves] = -np.inf
    return np.argsort(-similarities, axis=1, kind="stable")[:, :WINDOW]


def reranked(order: np.ndarray, queries: np.ndarray, gallery: np.ndarray, rerank: Rerank) -> np.ndarray:
    """Each ranking's window in its new order."""
    return np.stack([row[rerank(query, gallery[row])] for row, query in zip(order, queries, strict=True)])


def expansion(count: int, power: float = 0.0) -> Rerank:
    """Average query expansion (Chum et al., 2007): the mean of the query and its first ``count`` neighbours asks.

    :param power: of the similarity that weighs each neighbour (Radenović, Tolias and Chum, 2019); 0 weighs all alike
    """

    def rerank(query: np.ndarray, window: np.ndarray) -> np.ndarray:
        first = window[:count]
        weights = np.maximum(first @ query, 0) ** power
        return np.argsort(-(window @ (query + weights @ first)), kind="stable")

    return rerank


def reciprocal(query: np.ndarray, window: np.ndarray) -> np.ndarray:
    """k-reciprocal ranking (Zhong et al., 2017): who is near is compared by whom it has near, inside the window."""
    rows = np.vstack([query, window])
    similarities = rows @ rows.T
    nearest = np.argsort(-similarities, axis=1, kind="stable")[:, : _NEIGHBOURS + 1]
    named = np.zeros(similarities.shape, bool)
    np.put_along_axis(named, nearest, True, axis=1)
    weights = np.where(named & named.T, np.exp(similarities - 1), 0.0)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    shared = weights[nearest[:, : _FIRST // 3]].mean(axis=1)  # local query expansion
    overlap = np.minimum(shared[0], shared[1:]).sum(axis=1)
    distance = _JACCARD * (1 - similarities[0, 1:]) + (1 - _JACCARD) * (1 - overlap / (2 - overlap))
    return np.argsort(distance, kind="stable")


def held_out(count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each fold the places of its photographs and those of all others."""
    fold = folds(count)
    for number in range(FOLDS):
        yield np.flatnonzero(fold == number), np.flatnonzero(fold != number)
