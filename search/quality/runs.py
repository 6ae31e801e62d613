"""A run of the bench: tasks are measured one after the other, and their figures stored beside those of other days."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from django.utils import timezone

from gallery.models import User
from search.models import Generation, QualityRun
from search.quality import judged, robustness, same_category, same_product, typed_words
from search.quality.ranking import SECONDS, Asking
from search.quality.results import NotMeasured, Result
from search.quality.same_category import CategoryQuality
from search.quality.sentences import CATEGORY, JUDGEMENTS, PRODUCT, ROBUSTNESS, TASKS, WORDS

_MEASURES: Mapping[str, Callable[[Asking], Result]] = {
    CATEGORY: same_category.measure,
    PRODUCT: same_product.measure,
    ROBUSTNESS: robustness.measure,
    WORDS: typed_words.measure,
    JUDGEMENTS: judged.measure,
}
# What ``manage.py quality`` and the comparison of generations call the two ways of weighing the parts.
CONTENT, DEFAULT = "content alone", "default weights"


def measure(
    generation: Generation,
    tasks: Iterable[str] = tuple(TASKS),
    *,
    seed: int = 0,
    seconds: float = SECONDS,
    by: User | None = None,
    tell: Callable[[str, int, int], None] = lambda task, done, total: None,
    finished: Callable[[Mapping[str, Any]], None] = lambda done: None,
    before: Mapping[str, Any] | None = None,
) -> QualityRun:
    """Measure these tasks and store the run, and the figures of categories with the generation, too.

    A task that there is too little for is stored with the reason. No transaction is open while anything is asked.

    :param seconds: that each task may ask; what it has asked until then is told
    :param tell: is told the task, how many queries have asked, and of how many (categories ask each query twice)
    :param finished: is given what is known so far after each task, to go on from as ``before``
    :raises EngineError: when the engine does not answer; nothing is stored
    :raises EncoderBusy: when others keep the encoder; nothing is stored
    """
    known: dict[str, Any] = {"figures": {}, "groups": {}, "worst": {}, "seconds": 0.0} | dict(before or {})
    known.setdefault("started_at", timezone.now().isoformat())
    for task in tasks:
        if task in known["figures"]:
            continue
        began = time.monotonic()
        asking = Asking(generation, seed, seconds, tell=partial(tell, task))
        _measure(task, asking, known)
        known["seconds"] += time.monotonic() - began
        finished(known)
    return _store(generation, known, seed, by)


def _measure(task: str, asking: Asking, known: dict[str, Any]) -> None:
    try:
        if task == CATEGORY:
            result, known["category_quality"] = _by_weights(asking)
        else:
            result = _MEASURES[task](asking)
    except NotMeasured as error:
        known["figures"][task] = {"why_not": error.as_json()}
        return
    known["figures"][task] = result.as_json()
    known["groups"][task] = {key: one.as_json() for key, one in result.groups.items()}
    known["worst"][task] = [one.as_json() for one in result.worst]


def _by_weights(asking: Asking) -> tuple[Result, dict[str, Any]]:
    """Categories at the generation's own weights, and the figures beside those by what pictures show alone.

    Each of the two has half of the time.
    """
    generation, tell = asking.generation, asking.tell
    content = {name: float(name == "deep") for name in generation.projection.names}
    half = replace(asking, seconds=asking.seconds / 2, tell=lambda done, total: tell(done, 2 * total))
    by_default = _MEASURES[CATEGORY](half)
    alone = same_category.measure(
        replace(half, weights=content, tell=lambda done, total: tell(total + done, 2 * total))
    )
    return by_default, {
        CONTENT: CategoryQuality.of(alone, content).as_json(),
        DEFAULT: CategoryQuality.of(by_default, generation.weights).as_json(),
    }


def _store(generation: Generation, known: Mapping[str, Any], seed: int, by: User | None) -> QualityRun:
    run = QualityRun.objects.create(
        generation=generation,
        weights=generation.weights,
        seed=seed,
        seconds=round(known["seconds"], 3),
        started_at=datetime.fromisoformat(known["started_at"]),
        figures=known["figures"],
        groups=known["groups"],
        worst=known["worst"],
        by=by,
    )
    if of_categories := known.get("category_quality"):
        kept = {"measured_at": timezone.now().isoformat(timespec="seconds")} | of_categories
        Generation.objects.filter(pk=generation.pk).update(quality=kept)
    return run
