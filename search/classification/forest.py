"""A random forest (Breiman, 2001): grown by scikit-learn, kept and asked as plain arrays.

All trees lie in one list of nodes. A node whose left child is -1 is a leaf; every child stands behind its parent, so a
walk always ends.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

TREES = 200
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

        grown = RandomForestClassifier(warm_start=True, random_state=0, n_jobs=1)
        counts = np.bincount(labels, minlength=classes)
        weights = len(labels) / counts[labels]  # rare categories count as much as common ones
        for count in range(_AT_ONCE, TREES + 1, _AT_ONCE):
            tick()
            grown.set_params(n_estimators=count)
            grown.fit(vectors, labels, sample_weight=weights)
        trees = [one.tree_ for one in grown.estimators_]
        begins = [0, *(tree.node_count for tree in trees[:-1])]
        roots: np.ndarray = np.cumsum(np.array(begins))
        shares = np.zeros((sum(tree.node_count for tree in trees), classes), dtype=np.float32)
        columns = [int(label) for label in grown.classes_]
        shares[:, columns] = np.concatenate([tree.value[:, 0, :] for tree in trees])
        left = _joined([tree.children_left for tree in trees], roots)
        shares[left >= 0] = 0
        return cls(
            roots.astype(np.int32),
            left,
            _joined([tree.children_right for tree in trees], roots),
            np.concatenate([tree.feature for tree in trees]).astype(np.int32),
            np.concatenate([tree.threshold for tree in trees]),
            csr_array(shares),
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


def _joined(children: list[np.ndarray], roots: np.ndarray) -> np.ndarray:
    """Children of all trees, as places in the one list of nodes; -1 stays."""
    moved = [np.where(places >= 0, places + root, -1) for places, root in zip(children, roots, strict=True)]
    return np.concatenate(moved).astype(np.int32)
