"""What held-out photos find, with the axes as they were, the learnt ones, and mixtures of both."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from search.classification.samples import drawn
from search.projection import PartMap
from search.tuning.figures import Outcome
from search.tuning.labelled import NONE, TrainingSet

DEPTH = 10
FIRST_ROW = 4
FOLDS = 5
MOST_QUERIES = 2_000
_SURE_QUERIES = 5  # of each category, so that it can be asked for wherever it is left out alone
_AT_ONCE = 256  # photos that ask together: bounds the memory that similarities take
_TINY = 1e-30
Weights = Mapping[str, float]  # part → weight; they sum to 1


def folds_of(samples: TrainingSet, seed: int = 0) -> np.ndarray:
    """``(n,)`` int64: the fold of every labelled photo, ``NONE`` for others.

    Groups are never parted, and each category is dealt out evenly.
    """
    category_of, random = samples.category_of_group, np.random.default_rng(seed)
    fold_of = np.full(len(category_of), NONE, dtype=np.int64)
    for category in range(len(samples.names)):
        members = random.permutation(np.flatnonzero(category_of == category))
        fold_of[members] = (np.arange(len(members)) + category) % FOLDS
    return fold_of[samples.groups]


def category_folds(samples: TrainingSet, seed: int = 0) -> list[np.ndarray]:
    """Categories that are left out together, each in one of the lists; none where too few would be left to learn from.

    At least two are always left.
    """
    count = len(samples.names)
    if count < 3:
        return []
    order = np.random.default_rng(seed).permutation(count)
    return [np.sort(part) for part in np.array_split(order, min(FOLDS, count))]


def drawn_queries(samples: TrainingSet, seed: int = 0) -> np.ndarray:
    """Places of the photos that ask: all that are labelled, or a random sample with some of every category."""
    labelled = np.flatnonzero(samples.labelled)
    if len(labelled) <= MOST_QUERIES:
        return labelled
    return labelled[drawn(samples.categories[labelled].tolist(), seed, MOST_QUERIES, _SURE_QUERIES)]


class Searches:
    """Asks with photos of a training set, each against the photos that may be found.

    :param others: the maps of the parts beside ``deep``
    """

    def __init__(self, samples: TrainingSet, others: Sequence[PartMap]):
        self.samples = samples
        self._others = {part.name: _rows(samples, part) for part in others}

    def outcomes(
        self,
        deep: PartMap,
        weights: Sequence[Weights],
        asking: np.ndarray,
        found: np.ndarray,
        tick: Callable[[], None] = lambda: None,
    ) -> list[Outcome]:
        """What is found at each of these weights.

        :param asking: places of the photos that ask
        :param found: ``(n,)`` bool: photos that may be found; those of the asking photo's own group never are
        """
        parts = {"deep": _rows(self.samples, deep)} | self._others
        places = np.flatnonzero(found)
        kept: list[list[Outcome]] = [[] for _one in weights]
        for rows in _pieces(asking):
            tick()
            similar = {name: part[rows] @ part[places].T for name, part in parts.items()}
            for outcomes, one in zip(kept, weights, strict=True):
                total = sum(weight * similar[name] for name, weight in one.items() if weight and name in similar)
                outcomes.append(self._outcome(rows, places, np.asarray(total)))
        return [Outcome.joined(outcomes) for outcomes in kept]

    def _outcome(self, rows: np.ndarray, places: np.ndarray, similarities: np.ndarray) -> Outcome:
        """Of as many hits as there can be right ones, and ten at most: a category of five has no ten to find."""
        samples = self.samples
        own = samples.groups[rows][:, None] == samples.groups[places][None]
        similarities = np.where(own, -np.inf, similarities)
        right = (samples.categories[rows][:, None] == samples.categories[places][None]) & ~own
        there = np.minimum(right.sum(axis=1), DEPTH)
        depth = min(DEPTH, similarities.shape[1])
        first = np.argsort(-similarities, axis=1, kind="stable")[:, :depth]
        hits = np.take_along_axis(right, first, axis=1).astype(np.float64)
        within = np.arange(depth)[None] < there[:, None]
        return Outcome(
            samples.groups[rows],
            (hits * within).sum(axis=1) / np.maximum(there, 1),
            (hits[:, :FIRST_ROW] * within[:, :FIRST_ROW]).sum(axis=1) / np.maximum(np.minimum(there, FIRST_ROW), 1),
            np.asarray(~hits[:, :FIRST_ROW].any(axis=1), dtype=np.float64),
        )


def in_order(base: PartMap, samples: np.ndarray) -> PartMap:
    """A map with the same cosines, whose axes are those of PCA, the last ones along which the samples differ least.

    :param samples: ``(n, d)`` float32
    """
    if base.matrix is not None:
        return base  # fitted: they are already
    centred = samples.astype(np.float64) - base.centre
    _values, axes = np.linalg.eigh(centred.T @ centred)
    return PartMap(base.name, base.centre, np.ascontiguousarray(axes[:, ::-1], dtype=np.float32))


def blended(base: PartMap, learnt: PartMap, share: float, samples: np.ndarray) -> PartMap:
    """One map whose cosines are, on average, ``share`` those of the learnt axes and otherwise those of the others.

    Its width is the base's: the last of the base's axes give way.

    :param base: ``in_order``
    :param share: above 0 and below 1
    :param samples: ``(n, d)`` float32: embeddings on which the two are brought to one size
    :raises ValueError: for a base without axes, of which none is the last
    """
    if base.matrix is None:
        raise ValueError("The features of an encoder are in no order: see in_order.")
    centred = samples - base.centre
    first, own = _matrix(learnt), base.matrix[:, : base.dimension - learnt.dimension]
    both = (first / _size(centred, first) * np.sqrt(share), own / _size(centred, own) * np.sqrt(1 - share))
    axes = np.concatenate(both, axis=1)
    return PartMap(base.name, base.centre, np.ascontiguousarray(axes, dtype=np.float32))


def _size(rows: np.ndarray, matrix: np.ndarray) -> float:
    """The root of the mean square of the rows' lengths."""
    return max(float(np.sqrt(np.square(rows @ matrix).sum(axis=1).mean())), _TINY)


def _matrix(part: PartMap) -> np.ndarray:
    return np.eye(len(part.centre), dtype=np.float32) if part.matrix is None else part.matrix


def _rows(samples: TrainingSet, part: PartMap) -> np.ndarray:
    """``(n, d)``: the projected part of each photo at length 1; 0, which is like nothing, where it is missing."""
    rows = np.nan_to_num((samples.parts[part.name] - part.centre) @ _matrix(part))
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.where(lengths > 1e-6, rows / np.maximum(lengths, 1e-6), 0.0), dtype=np.float32)


def _pieces(places: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(places), _AT_ONCE):
        yield places[start : start + _AT_ONCE]
