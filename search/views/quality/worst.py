"""The queries that did worst, as pictures: what asked, its first hits, and which of them were wrong."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from gallery.models import Image
from gallery.visibility import Visibility
from search.ask import Found
from search.models import QualityRun
from search.names import Names
from search.quality.sentences import CATEGORY, COPIES, JUDGEMENTS, LANGUAGES, PRODUCT, ROBUSTNESS, TASKS, WORDS
from search.query import Query
from search.rail import chips_of
from search.views.index.words import age

SHOWN = 6  # of one task


@dataclass(frozen=True)
class Hit:
    image: Image
    right: bool | None  # None where nobody has judged it, and where it is not so any more
    says: str  # what it is in place of what was asked for


@dataclass(frozen=True)
class Example:
    """A picture that asked."""

    image: Image
    is_less: bool = False  # results should not look like it


@dataclass(frozen=True)
class Asked:
    examples: Sequence[Example]
    words: str  # what was typed, and chosen as filters
    says: Sequence[str | Promise]  # what it was, and what came of it
    url: str
    hits: Sequence[Hit]

    @property
    def label(self) -> str:
        return self.words or ", ".join(example.image.alt for example in self.examples)


@dataclass(frozen=True)
class Worst:
    """Of one task. ``label`` names it."""

    task: str
    label: str | Promise
    measured_at: datetime
    queries: Sequence[Asked] = field(default_factory=list)

    @property
    def age(self) -> str:
        return age(self.measured_at)


@dataclass(frozen=True)
class _Kept:
    """One query as ``search.quality.results.Asked.as_json`` has it."""

    task: str
    stored: Mapping[str, Any]

    @cached_property
    def query(self) -> Query:
        """The same search on the results page."""
        if self.task == JUDGEMENTS:
            return Query.from_querydict(QueryDict(self.stored["kind"]))[0]
        image = self.stored["image"]
        return Query.like(UUID(image)) if image else Query(text=self.stored["words"])

    @property
    def hits(self) -> list[tuple[UUID, bool | None]]:
        return [(UUID(key), right) for key, right in self.stored["hits"]]


def worst_of(runs: Mapping[str, QualityRun], who: Visibility) -> list[Worst]:
    """What was kept of the runs, as far as it is still there and who asks may see it; four statements at most.

    :param runs: task → its newest run
    """
    kept = {
        task: [_Kept(task, one) for one in runs[task].worst.get(task, [])[:SHOWN]] for task in TASKS if task in runs
    }
    everything = [one for queries in kept.values() for one in queries]
    rows = Image.objects.visible_to(who).select_related("product__category").order_by()
    images = rows.in_bulk(list(_keys(everything)))
    names = Names()
    names.learn(
        brands=[value for one in everything for value in one.query.brand],
        tags=[value for one in everything for value in one.query.tags],
    )
    found = []
    for task, queries in kept.items():
        shown = [_asked(one, images, names) for one in queries if _is_there(one, images)]
        if shown:
            found.append(Worst(task, TASKS[task], runs[task].started_at, shown))
    return found


def _keys(kept: Iterable[_Kept]) -> set[UUID]:
    keys: set[UUID] = set()
    for one in kept:
        keys |= {key for key, _right in one.hits} | {example.key for example in one.query.examples}
    return keys


def _is_there(kept: _Kept, images: Mapping[UUID, Image]) -> bool:
    return all(example.key in images for example in kept.query.examples)


def _asked(kept: _Kept, images: Mapping[UUID, Image], names: Names) -> Asked:
    examples = [Example(images[example.key], example.less) for example in kept.query.examples]
    image = examples[0].image if examples else None
    hits = [
        Hit(images[key], _still(kept, right, image, images[key]), _what(kept.task, images[key]))
        for key, right in kept.hits
        if key in images
    ]
    words = " · ".join(chip.label for chip in chips_of(Found(kept.query, (), None, names)))
    return Asked(examples, words, _says(kept, image), kept.query.url(), hits)


def _still(kept: _Kept, right: bool | None, image: Image | None, hit: Image) -> bool | None:
    """A hit's mark is of the run's day, what it is called is of today: the mark goes where the two say otherwise."""
    if right is None:
        return None
    if kept.task == WORDS:
        category = hit.product.category
        is_named = category is not None and kept.stored["words"] in (category.name, *category.names.values())
        return None if is_named and not right else right
    if image is None or kept.task not in (CATEGORY, PRODUCT):
        return right
    field = "category_id" if kept.task == CATEGORY else "pk"
    return right if (getattr(hit.product, field) == getattr(image.product, field)) == right else None


def _what(task: str, image: Image) -> str:
    if task in (CATEGORY, WORDS):
        return image.product.category.label if image.product.category else _("no category")
    return image.product.label


def _says(kept: _Kept, image: Image | None) -> list[str | Promise]:
    kind, place = kept.stored["kind"], kept.stored["place"]
    if kept.task == CATEGORY and image is not None and image.product.category:
        return [image.product.category.label]
    if kept.task == ROBUSTNESS:
        return [COPIES.get(kind, kind), _place(place)]
    if kept.task == PRODUCT and image is not None:
        return [image.product.label, _place(place)]
    return [LANGUAGES[kind]] if kept.task == WORDS and kind in LANGUAGES else []


def _place(place: int | None) -> str:
    return _("not found") if place is None else _("found at place %(n)d") % {"n": place}
