"""Train and measure all classifiers of a generation: a job, so that a person can leave it and come back."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery import jobs
from gallery.models import Category, Product
from search.chunks import chunks
from search.classification import doubts, measuring, neighbours, tagging
from search.classification.samples import Samples, TooFewLabels, gather, snapshot
from search.classification.storing import LEARNERS, to_bytes
from search.classification.words import too_few
from search.models import Classifier, Generation, LabelDoubt

JOB = "train-classifier"
KINDS = (Classifier.Kind.NEIGHBOURS, *LEARNERS)
MOST_DOUBTS = 1_000  # of one classifier


@dataclass
class Steps:
    """Counts what is done and tells of it. ``tick`` only says that the work goes on."""

    tell: Callable[[int, int, str], None]
    total: int
    done: int = 0
    says: str = ""

    def tick(self) -> None:
        self.tell(self.done, self.total, self.says)

    def advance(self, says: str) -> None:
        self.done, self.says = min(self.done + 1, self.total), says
        self.tick()


def train(
    generation: Generation,
    tell: Callable[[int, int, str], None] = lambda done, total, says: None,
    finished: Callable[[str], None] = lambda kind: None,
    skip: Collection[str] = (),
) -> list[Classifier]:
    """Measure every kind on products that it was not trained on, train it on all, and store it.

    :param tell: is told steps done, steps in all, and a sentence
    :param finished: is told each kind once it is stored
    :param skip: kinds that an earlier run has stored
    :raises TooFewLabels: when there is nothing to learn from; what was stored before stays
    """
    labels = snapshot()
    Classifier.objects.filter(generation__state=Generation.State.DROPPED).delete()
    steps = Steps(tell, total=1 + len(KINDS) * (measuring.FOLDS + 1), says=_("Reading what was embedded"))
    samples = gather(generation, steps.tick)
    folds = measuring.folds_of(samples)
    stored = []
    for kind in KINDS:
        if kind in skip:
            steps.done += measuring.FOLDS + 1
            continue
        stored.append(_trained(generation, kind, samples, folds, labels, steps))
        finished(kind)
    return stored


def _trained(
    generation: Generation, kind: str, samples: Samples, folds: np.ndarray, labels: Mapping[str, int], steps: Steps
) -> Classifier:
    name = Classifier.Kind(kind).label
    says = _("Measuring: %(classifier)s") % {"classifier": name}
    data, tags = b"", {}
    if kind == Classifier.Kind.NEIGHBOURS:
        steps.advance(says)
        near = neighbours.held_out_neighbours(samples, folds, steps.tick)
        scores = neighbours.scores_of(samples, near)
        tags = tagging.thresholds(samples, near)
        steps.done += measuring.FOLDS
    else:
        scores = held_out_scores(kind, samples, folds, lambda: steps.advance(says), steps.tick)
        steps.advance(_("Training: %(classifier)s") % {"classifier": name})
        whole = LEARNERS[kind].fit(samples.vectors, samples.labels, len(samples.classes), steps.tick)
        data = to_bytes(whole.arrays())
    temperature = measuring.fitted_temperature(scores, samples.labels)
    shares = measuring.shares(scores, temperature)
    values = {
        "classes": list(samples.classes),
        "data": data,
        "temperature": temperature,
        "tags": tags,
        "figures": measuring.figures_of(samples, shares, int(folds.max()) + 1).as_json(),
        "labels": labels,
        "trained_at": timezone.now(),
    }
    return _store(generation, kind, values, samples, doubts.doubts_of(samples, shares)[:MOST_DOUBTS])


def held_out_scores(
    kind: str, samples: Samples, folds: np.ndarray, begun: Callable[[], None], tick: Callable[[], None]
) -> np.ndarray:
    """``(n, classes)``: each photo's scores by a classifier that was trained on the other folds, without its picture.

    Where these leave fewer than two categories there is nothing to learn: all scores are the same.
    """
    scores = np.zeros((len(folds), len(samples.classes)), dtype=np.float32)
    for fold in np.unique(folds):
        begun()
        held_out = folds == fold
        others = ~np.isin(samples.pictures, samples.pictures[held_out])
        labels = samples.labels[others]
        if len(np.unique(labels)) > 1:
            model = LEARNERS[kind].fit(samples.vectors[others], labels, len(samples.classes), tick)
            scores[held_out] = model.scores(samples.vectors[held_out])
    return scores


@transaction.atomic
def _store(
    generation: Generation, kind: str, values: dict[str, Any], samples: Samples, found: list[doubts.Doubt]
) -> Classifier:
    classifier, _created = Classifier.objects.update_or_create(generation=generation, kind=kind, defaults=values)
    classifier.doubts.all().delete()
    doubted = [samples.products[one.product] for one in found]
    still_there = {key for part in chunks(doubted) for key in _keys(Product.objects.filter(pk__in=part))}
    categories = set(_keys(Category.objects.filter(pk__in=samples.classes)))
    LabelDoubt.objects.bulk_create(
        LabelDoubt(
            classifier=classifier,
            product_id=samples.products[one.product],
            category_id=samples.classes[one.label],
            suggested_id=samples.classes[one.suggested],
            own=one.own,
            best=one.best,
            doubt=one.doubt,
        )
        for one in found
        if samples.products[one.product] in still_there
        and {samples.classes[one.label], samples.classes[one.suggested]} <= categories
    )
    return classifier


def _keys(rows: QuerySet[Any]) -> list[Any]:
    return list(rows.order_by().values_list("pk", flat=True))


@jobs.kind(JOB, gettext_lazy("Train classifiers"))
def train_job(run: jobs.Run) -> dict[str, Any]:
    generation = Generation.objects.live()
    if generation is None:
        raise jobs.JobError(_("There is no index yet. Start the indexing loop, and train when photos are in it."))
    # Of another generation nothing is kept: its vectors are other vectors.
    before = run.resume.get("done", []) if run.resume.get("generation") == generation.pk else []
    done = list(before)

    def finished(kind: str) -> None:
        done.append(str(kind))
        run.step(resume={"generation": generation.pk, "done": done})

    try:
        with run.kept_alive():  # one tree of many categories may take longer than a worker may be silent
            train(generation, lambda n, total, says: run.step(n, total=total, says=says), finished, before)
    except TooFewLabels as error:
        raise jobs.JobError(too_few(error)) from error
    run.step(says=_("The classifiers are trained."))
    return {"generation": generation.pk, "classifiers": done}
