"""A random forest (Breiman, 2001): grown by scikit-learn, kept and asked as plain arrays.

All trees lie in one list of nodes. A node whose left child is -1 is a leaf; every child stands behind its parent, so a
walk always ends.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, vstack

TREES = 200
SLOW_CATEGORIES = 200  # from so many on it takes hours: every split is tried on each of them
_AT_ONCE = 20  # trees between two signs of life
_CHUNK = 256  # rows that walk at a time
_SMOOTHING = 0.05  # share that all categories have together before any tree speaks


@dataclass(frozen=True)
class Forest:
    """Scores are logarithms of the trees' mean shares, slightly smoothed."""

    roots: np.ndarray  # (trees,) int32: where each tree begins
    left: np.ndarray  # (nodes,) int32: the child where the number is at most the threshold; -1 in leaves
    right: np.ndarray  # (nodes,) int32
    feature: np.ndarray  # (nodes,) int32: which number is compared
    threshold: np.ndarray  # (nodes,) float64
    shares: csr_array  # (nodes, classes) float32: of categories among what fell into a leaf

    @classmethod
    def fit(cls, vectors: np.ndarray, labels: np.ndarray, classes: int, tick: Callable[[], None]) -> "Forest":
        from sklearn.ensemble import RandomForestClassifier  # takes seconds to import, which only training needs

        counts = np.bincount(labels, minlength=classes)
        weights = len(labels) / counts[labels]  # rare categories count as much as common ones
        random = np.random.RandomState(0)  # one for all: these are the trees of one large forest
        nodes = 0
        roots: list[int] = []
        left: list[np.ndarray] = []
        right: list[np.ndarray] = []
        feature: list[np.ndarray] = []
        threshold: list[np.ndarray] = []
        shares: list[csr_array] = []
        # One tree of many categories takes a minute and more, and whoever cancels or watches over it waits for it.
        at_once = 1 if classes >= SLOW_CATEGORIES else _AT_ONCE
        for start in range(0, TREES, at_once):
            tick()
            # Some at a time: their leaves name every category until they are packed, which fills gigabytes.
            few = RandomForestClassifier(min(at_once, TREES - start), random_state=random, n_jobs=1)
            few.fit(vectors, labels, sample_weight=weights)
            for tree in (one.tree_ for one in few.estimators_):
                roots.append(nodes)
                left.append(_moved(tree.children_left, nodes))
                right.append(_moved(tree.children_right, nodes))
                feature.append(tree.feature.astype(np.int32))
                threshold.append(tree.threshold.copy())
                shares.append(_leaves(tree, few.classes_, classes))
                nodes += tree.node_count
        return cls(
            np.array(roots, dtype=np.int32),
            np.concatenate(left),
            np.concatenate(right),
            np.concatenate(feature),
            np.concatenate(threshold),
            csr_array(vstack(shares, format="csr")),
        )

    def scores(self, vectors: np.ndarray) -> np.ndarray:
        """``(n, d)`` float32 → ``(n, classes)`` float32."""
        parts = [self._shares(vectors[start : start + _CHUNK]) for start in range(0, len(vectors), _CHUNK)]
        classes = self.shares.shape[1]
        shares = np.concatenate([np.zeros((0, classes), np.float32), *parts])
        return np.log((shares + _SMOOTHING / classes) / (1 + _SMOOTHING)).astype(np.float32)

    def _shares(self, vectors: np.ndarray) -> np.ndarray:
        """Every tree is walked down at once: ``(n, trees)`` places, until all are leaves."""
        rows, trees = len(vectors), len(self.roots)
        at = np.tile(self.roots, (rows, 1))
        row = np.arange(rows)[:, None]
        while (walking := self.left[at] >= 0).any():
            smaller = vectors[row, np.maximum(self.feature[at], 0)] <= self.threshold[at]
            at = np.where(walking, np.where(smaller, self.left[at], self.right[at]), at)
        ones = np.ones(at.size, dtype=np.float32)
        fell = csr_array((ones, at.ravel(), np.arange(0, at.size + 1, trees)), shape=(rows, len(self.left)))
        return (fell @ self.shares).toarray() / trees

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            "roots": self.roots,
            "left": self.left,
            "right": self.right,
            "feature": self.feature,
            "threshold": self.threshold,
            "shares/data": self.shares.data,
            "shares/indices": self.shares.indices,
            "shares/indptr": self.shares.indptr,
            "shares/shape": np.array(self.shares.shape),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Forest":
        """:raises ValueError: for arrays that are no forest"""
        left, right, feature = arrays["left"], arrays["right"], arrays["feature"]
        number, inner = np.arange(len(left)), left >= 0
        behind = (left > number) & (right > number) & (right < len(left)) & (left < len(left)) & (feature >= 0)
        if len(right) != len(left) or len(feature) != len(left) or not behind[inner].all():
            raise ValueError("A node of the forest leads nowhere.")
        if arrays["roots"].max(initial=0) >= len(left) or len(arrays["threshold"]) != len(left):
            raise ValueError("A tree of the forest is not there.")
        shares = csr_array(
            (arrays["shares/data"], arrays["shares/indices"], arrays["shares/indptr"]),
            shape=tuple(arrays["shares/shape"].tolist()),
        )
        shares.check_format()
        return cls(arrays["roots"], left, right, feature, arrays["threshold"], shares)


def _moved(children: np.ndarray, root: int) -> np.ndarray:
    """Children of a tree, as places in the one list of nodes; -1 stays."""
    return np.where(children >= 0, children + root, -1).astype(np.int32)


def _leaves(tree: Any, columns: np.ndarray, classes: int) -> csr_array:
    """``(nodes, classes)`` float32: the shares in a tree's leaves; nothing in its other nodes."""
    shares = np.zeros((tree.node_count, classes), dtype=np.float32)
    shares[:, columns] = tree.value[:, 0, :]
    shares[tree.children_left >= 0] = 0
    return csr_array(shares)
