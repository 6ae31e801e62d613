"""The queries that did worst, as pictures: what asked, its first hits, and which of them were wrong."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from gallery.models import Image
from gallery.visibility import Visibility
from search.quality.sentences import CATEGORY, COPIES, JUDGEMENTS, LANGUAGES, PRODUCT, ROBUSTNESS, TASKS, WORDS
from search.query import Query

SHOWN = 6  # of one task


@dataclass(frozen=True)
class Hit:
    image: Image
    right: bool | None  # None where nobody has judged it
    says: str  # what it is in place of what was asked for


@dataclass(frozen=True)
class Asked:
    image: Image | None
    words: str
    says: Sequence[str | Promise]  # what it was, and what came of it
    url: str
    hits: Sequence[Hit]


@dataclass(frozen=True)
class Worst:
    """Of one task. ``label`` names it."""

    task: str
    label: str | Promise
    queries: Sequence[Asked] = field(default_factory=list)


def worst_of(stored: Mapping[str, Sequence[Mapping[str, Any]]], who: Visibility) -> list[Worst]:
    """What was kept of the runs, as far as it is still there and who asks may see it; one statement.

    :param stored: task → the worst queries, as ``Asked.as_json`` has them
    """
    first = {task: list(stored[task])[:SHOWN] for task in TASKS if stored.get(task)}
    rows = Image.objects.visible_to(who).select_related("product__category").order_by()
    images = rows.in_bulk(list(_keys(one for queries in first.values() for one in queries)))
    found = []
    for task, queries in first.items():
        shown = [_query(task, one, images) for one in queries if _is_there(one, images)]
        if shown:
            found.append(Worst(task, TASKS[task], shown))
    return found


def _keys(queries: Iterable[Mapping[str, Any]]) -> set[UUID]:
    keys: set[UUID] = set()
    for one in queries:
        keys |= {UUID(key) for key, _right in one["hits"]}
        if one["image"]:
            keys.add(UUID(one["image"]))
    return keys


def _is_there(one: Mapping[str, Any], images: Mapping[UUID, Image]) -> bool:
    return not one["image"] or UUID(one["image"]) in images


def _query(task: str, one: Mapping[str, Any], images: Mapping[UUID, Image]) -> Asked:
    image = images.get(UUID(one["image"])) if one["image"] else None
    hits = [
        Hit(images[UUID(key)], right, _what(task, images[UUID(key)]))
        for key, right in one["hits"]
        if UUID(key) in images
    ]
    return Asked(image, one["words"], _says(task, one, image), _url(task, one, image), hits)


def _what(task: str, image: Image) -> str:
    if task in (CATEGORY, WORDS):
        return image.product.category.label if image.product.category else _("no category")
    return image.product.label


def _says(task: str, one: Mapping[str, Any], image: Image | None) -> list[str | Promise]:
    if task == CATEGORY and image is not None and image.product.category:
        return [image.product.category.label]
    if task == ROBUSTNESS:
        return [COPIES.get(one["kind"], one["kind"]), _place(one["place"])]
    if task == PRODUCT and image is not None:
        return [image.product.label, _place(one["place"])]
    return [LANGUAGES[one["kind"]]] if task == WORDS and one["kind"] in LANGUAGES else []


def _place(place: int | None) -> str:
    return _("not found") if place is None else _("found at place %(n)d") % {"n": place}


def _url(task: str, one: Mapping[str, Any], image: Image | None) -> str:
    """The same search on the results page."""
    if task == JUDGEMENTS:
        return f"{reverse('search')}?{one['kind']}"
    if image is not None:
        return Query.like(image.pk).url()
    return Query(text=one["words"]).url()
