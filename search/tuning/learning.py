"""Learn, measure on what was held out, choose by that, and learn from everything."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from sklearn.cluster import KMeans

from gallery.models import Image
from search.generations.building import planned_width
from search.generations.fitting import fitted
from search.models import Generation, Tuning
from search.projection import PartMap, Projection
from search.quality.metrics import bootstrap
from search.tuning.axes import MOST_STEPS, Axes, learnt_axes
from search.tuning.figures import CategoryGain, Compared, Figures, Outcome
from search.tuning.labelled import Labels, TrainingSet
from search.tuning.measuring import (
    FOLDS,
    Searches,
    Weights,
    blended,
    category_folds,
    drawn_queries,
    folds_of,
    in_order,
)

SHARES = (0.15, 0.3, 0.5, 0.7, 0.85, 0.95)
_PHOTOS_OF_A_KIND = 25  # on average, in clusters of photos that look alike
_MOST_KINDS = 200
_UNKNOWN_KIND = 0.34  # of a cluster's photos may be labelled where it is taken for a kind that has no label
_LEAST_OF_A_KIND = 5
_WATCHED = 6  # one group in so many says when to stop
_NEIGHBOURS = 10


@dataclass(frozen=True)
class Learnt:
    verdict: Tuning.Verdict
    figures: Figures
    projection: Projection
    sample_size: int


def learn(generation: Generation, samples: TrainingSet, tell: Callable[[int, int, str], None]) -> Learnt:
    """
    :raises GenerationError: when too few images are embedded
    """
    return _Learning(generation, samples, tell).learnt()


class _Learning:
    """One tuning; ``tell`` is told steps done, steps in all, and a sentence."""

    def __init__(self, generation: Generation, samples: TrainingSet, tell: Callable[[int, int, str], None]):
        self.samples, self.tell, self.started = samples, tell, time.monotonic()
        lengths = {part.name: len(part.centre) for part in generation.projection.parts}
        tell(0, 0, _("Reading what was embedded"))
        self.base, self.sample_size = fitted(generation.encoder, lengths, planned_width(lengths, Image.objects.count()))
        deep = next(part for part in self.base.parts if part.name == "deep")
        self.deep = in_order(deep, samples.parts["deep"])
        self.searches = Searches(samples, [part for part in self.base.parts if part.name != "deep"])
        self.rows = samples.parts["deep"] - self.deep.centre
        self.most = max(1, self.deep.dimension // 2)
        self.weights = _weights(_usual_weights(generation))
        self.folds, self.asking = folds_of(samples), drawn_queries(samples)
        asked = samples.categories[self.asking]
        self.left_out = [out for out in category_folds(samples) if np.isin(asked, out).any()]
        self.kinds = _clusters(self.deep, samples)
        self.others = [labels for labels in samples.others if self._shows(labels)]
        self.done, self.total = 0, FOLDS + len(self.left_out) + 1
        self.steps: list[int] = []

    def learnt(self) -> Learnt:
        ways = [(share, n) for share in SHARES for n in range(len(self.weights))]
        seen: list[list[Outcome]] = []  # of each fold, the untuned way first, then all others
        for fold in range(FOLDS):
            found = self.samples.labelled & (self.folds != fold)
            asking = self.asking[self.folds[self.asking] == fold]
            seen.append(self._outcomes(self._axes(found, ~found & self.samples.labelled), asking, found))
        unseen: list[list[Outcome]] = []
        for number, out in enumerate(self.left_out):
            away = np.isin(self.samples.categories, out)
            # Some of the known categories lose their labels, too: no catalogue lacks labels of the others alone.
            taught = self.samples.labelled & ~away & (self.folds != number % FOLDS)
            asking = self.asking[away[self.asking]]
            unseen.append(self._outcomes(self._axes(taught, np.zeros_like(taught)), asking, self.samples.labelled))
        unseen_all = _joined(unseen)
        way = _best(_joined(seen), unseen_all)
        # Each fold is judged at what the others would have chosen, so that the choice flatters nobody; at no larger
        # share than is chosen in the end, as that would be a generation that nobody gets.
        most = 1 + (way // len(self.weights) + 1) * len(self.weights)
        others = [_joined(seen[:fold] + seen[fold + 1 :])[:most] for fold in range(FOLDS)]
        chosen = [_best(one, unseen_all[:most]) for one in others]
        before = Outcome.joined([fold[0] for fold in seen])
        after = Outcome.joined([fold[1 + one] for fold, one in zip(seen, chosen, strict=True)])
        share, place = ways[way]
        compared = Compared.of(before, after)
        without_label = Compared.of(unseen_all[0], unseen_all[1 + way]) if unseen else None
        steps = round(float(np.median(self.steps)))
        everything = self._axes(self.samples.labelled, np.zeros(self.samples.n, dtype=bool), steps)
        deep = self._blended(everything, share)
        projection = Projection(tuple(deep if part.name == "deep" else part for part in self.base.parts))
        figures = Figures(
            compared,
            without_label,
            share,
            dict(self.weights[place]),
            {"category": len(self.samples.names)} | {one.kind: one.values.shape[1] for one in self.others},
            tuple(one.kind for one in self.samples.others if one not in self.others),
            self._by_category(before, after),
            self.samples.n,
            steps,
            time.monotonic() - self.started,
        )
        return Learnt(verdict_on(compared, without_label), figures, projection, self.sample_size)

    def _axes(self, taught: np.ndarray, hidden: np.ndarray, steps: int | None = None) -> Axes:
        """Learn from some labelled photos.

        :param taught: ``(n,)`` bool: photos whose labels are known
        :param hidden: ``(n,)`` bool: photos that are not there yet; others without a label are there, as unknown kinds
        :param steps: how long; without it one group in some says when to stop
        """
        self._tell()
        values = self.samples.categories[:, None] == np.arange(len(self.samples.names))
        values = np.concatenate([values & taught[:, None], self._unknown_kinds(taught, hidden)], axis=1)
        rows = np.flatnonzero(values.any(axis=1))
        kinds = [Labels("category", values[rows])]
        kinds += [Labels(one.kind, one.values[rows] & taught[rows, None]) for one in self.others]
        kinds = [kinds[0], *(one for one in kinds[1:] if one.known.any())]
        if steps is None:
            watched = self._watched(rows, values[rows])
            steps = self._taught(rows, kinds, watched, MOST_STEPS).steps
        axes = self._taught(rows, kinds, None, steps)  # as long as was good, and from all that is known
        self.steps.append(axes.steps)
        self.done += 1
        return axes

    def _taught(self, rows: np.ndarray, kinds: list[Labels], watched: np.ndarray | None, steps: int) -> Axes:
        return learnt_axes(self.rows[rows], kinds, self.most, watched=watched, steps=steps, tick=self._tell)

    def _watched(self, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
        """``(rows,)`` bool: one group in some, without those that are all there is of a value."""
        drawn = np.random.default_rng(0).permutation(self.samples.group_count)[self.samples.groups[rows]]
        watched = drawn % _WATCHED == 0
        lonely = ~values[~watched].any(axis=0)
        return np.asarray(watched & ~values[:, lonely].any(axis=1))

    def _unknown_kinds(self, taught: np.ndarray, hidden: np.ndarray) -> np.ndarray:
        """``(n, v)`` bool: photos without a label in clusters where hardly any has one, as if each were a category.

        It keeps what nobody has labelled from being taken for what somebody has.
        """
        columns = []
        for kind in np.unique(self.kinds):
            members = (self.kinds == kind) & ~hidden
            unknown = members & ~taught
            if unknown.sum() >= _LEAST_OF_A_KIND and taught[members].mean() <= _UNKNOWN_KIND:
                columns.append(unknown)
        return np.stack(columns, axis=1) if columns else np.zeros((self.samples.n, 0), dtype=bool)

    def _outcomes(self, axes: Axes, asking: np.ndarray, found: np.ndarray) -> list[Outcome]:
        """The untuned way first, then every share at all weights."""
        tick = self._tell
        outcomes = self.searches.outcomes(self.deep, self.weights[:1], asking, found, tick)
        for share in SHARES:
            outcomes += self.searches.outcomes(self._blended(axes, share), self.weights, asking, found, tick)
        return outcomes

    def _blended(self, axes: Axes, share: float) -> PartMap:
        learnt = PartMap("deep", self.deep.centre, axes.matrix)
        return blended(self.deep, learnt, share, self.samples.parts["deep"])

    def _shows(self, labels: Labels) -> bool:
        """Whether photos that look alike share such labels more often than chance has it."""
        rows = np.flatnonzero(labels.known & np.isin(np.arange(self.samples.n), self.asking))
        if labels.kind == "product" or len(rows) < _NEIGHBOURS:  # what photos of one product share is the product
            return labels.kind == "product"
        unit = self.rows / np.maximum(np.linalg.norm(self.rows, axis=1, keepdims=True), 1e-9)
        there = np.flatnonzero(labels.known)
        similar = unit[rows] @ unit[there].T
        similar[self.samples.groups[rows][:, None] == self.samples.groups[there][None]] = -np.inf
        shared = labels.values[rows].astype(np.float32) @ labels.values[there].T.astype(np.float32) > 0
        near = np.argsort(-similar, axis=1, kind="stable")[:, :_NEIGHBOURS]
        lift = np.take_along_axis(shared, near, axis=1).mean(axis=1) - shared.mean(axis=1)
        return bootstrap(lift, self.samples.groups[rows])[0] > 0

    def _by_category(self, before: Outcome, after: Outcome) -> tuple[CategoryGain, ...]:
        samples = self.samples
        category = samples.category_of_group[before.groups]
        gains = [
            CategoryGain(
                name, int(rows.sum()), float(before.precision[rows].mean()), float(after.precision[rows].mean())
            )
            for n, name in enumerate(samples.names)
            if (rows := category == n).any()
        ]
        return tuple(sorted(gains, key=lambda one: one.tuned - one.untuned))

    def _says(self) -> str:
        if self.done < FOLDS:
            return _("Measuring on products that are held out")
        if self.done < self.total - 1:
            return _("Measuring on categories that are left out")
        return _("Learning from all products")

    def _tell(self) -> None:
        self.tell(self.done, self.total, self._says())


def _usual_weights(generation: Generation) -> Weights:
    """The weights before any tuning: what an earlier one has chosen is no start for the next."""
    if generation.tuning_id is None:
        return generation.weights
    untuned = Generation.objects.filter(encoder=generation.encoder, tuning=None, pk__lt=generation.pk)
    before = untuned.order_by("-pk").values_list("weights", flat=True).first()
    return before or generation.weights


def _weights(usual: Weights) -> list[Weights]:
    """The weights as they are, then with less for shape and texture. Colour stays: people who send red expect red."""
    found = [dict(usual)]
    for kept in (0.5, 0.0):
        one = {name: weight * (1 if name in ("deep", "color") else kept) for name, weight in usual.items()}
        one["deep"] = one.get("deep", 0.0) + 1 - sum(one.values())
        if one not in found:
            found.append(one)
    return list(found)


def _clusters(deep: PartMap, samples: TrainingSet) -> np.ndarray:
    """``(n,)`` int64: the cluster of every photo, made without any label."""
    placed = [deep.apply(row) for row in samples.parts["deep"]]
    rows = np.stack([np.zeros(deep.dimension, np.float32) if row is None else row for row in placed])
    count = int(np.clip(samples.n // _PHOTOS_OF_A_KIND, 1, _MOST_KINDS))
    return np.asarray(KMeans(count, n_init=1, random_state=0).fit_predict(rows), dtype=np.int64)


def _joined(outcomes: Sequence[Sequence[Outcome]]) -> list[Outcome]:
    """For each way, what all folds found."""
    return [Outcome.joined(each) for each in zip(*outcomes, strict=True)]


def _best(seen: Sequence[Outcome], unseen: Sequence[Outcome]) -> int:
    """The way that fills first rows best, among those with which nothing gets worse; more right ones in all break ties.

    A first row without any right one is worth as much as a row of right ones: right ones elsewhere do not make up for
    it. Where every way makes something worse, the one that leaves the fewest first rows without any.

    :param seen: the untuned way first
    :param unseen: likewise; nothing where no category could be left out
    """
    value = np.array([[one.first_row.mean() - one.none.mean(), one.precision.mean()] for one in seen[1:]])
    for way in np.lexsort((-value[:, 1], -value[:, 0])).tolist():
        if not _harms(seen[0], seen[1 + way]) and not (unseen and _harms(unseen[0], unseen[1 + way])):
            return int(way)
    return int(np.argmin([one.none.mean() for one in seen[1:]]))


def _harms(before: Outcome, after: Outcome) -> bool:
    """Whether fewer are right, or more first rows hold none than chance makes."""
    if after.precision.mean() < before.precision.mean():
        return True
    return bootstrap(after.none - before.none, before.groups)[0] > 0


def verdict_on(seen: Compared, unseen: Compared | None) -> Tuning.Verdict:
    if not seen.is_better:
        return Tuning.Verdict.NOT_BETTER
    if seen.finds_none_more_often or (unseen and unseen.finds_none_more_often):
        return Tuning.Verdict.FIRST_ROW_WORSE
    return Tuning.Verdict.UNSEEN_WORSE if unseen and unseen.is_worse else Tuning.Verdict.BETTER
