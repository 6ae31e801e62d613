"""Two generations side by side: measured figures, and what each finds first for the same photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gallery import visibility
from gallery.views.access import staff_only
from search.comparison import RESULTS, compare
from search.models import Generation
from search.views.index.words import age, percent

State = Generation.State


@dataclass(frozen=True)
class Figure:
    """One line of the table of quality: a value of each side in words, and which side is ahead."""

    label: str
    left: str
    right: str
    better: str = ""  # left, right, or nothing where they are alike or one was not measured


@dataclass(frozen=True)
class Measured:
    """When a generation was measured, and how to do it."""

    generation: int
    age: str  # nothing where it has not been measured

    @property
    def command(self) -> str:
        return f"manage.py quality --task category --generation {self.generation}"


@require_safe
@never_cache
@staff_only
def compare_generations(request: HttpRequest) -> HttpResponse:
    """``left`` and ``right`` name generations, ``image`` a photo to ask with, ``seed`` a draw of photos."""
    kept = list(Generation.objects.kept().defer("projection_data", "scale_data").order_by("-pk"))
    left, right, notes = _chosen(kept, request.GET.get("left", ""), request.GET.get("right", ""))
    context: dict[str, Any] = {"kept": kept, "left": left, "right": right, "notes": notes}
    if left and right:
        image, seed = _uuid(request.GET.get("image", "")), _seed(request.GET.get("seed", ""))
        comparison = compare(left, right, visibility.behind_the_counter(request.user), image=image, seed=seed)
        context |= {
            "comparison": comparison,
            "image": image,
            "seed": seed,
            "results": RESULTS,
            "figures": _figures(left.quality, right.quality),
            "measured": [_measured(left), _measured(right)],
            "other_samples": _url(left, right, seed=seed + 1),
            "random_samples": _url(left, right),
            "swapped": _url(right, left, image=image or "", seed=seed),
        }
    return render(request, "search/index/compare.html", context)


def _chosen(
    kept: Sequence[Generation], left: str, right: str
) -> tuple[Generation | None, Generation | None, list[str]]:
    """The two that are asked for; without a word the live one, and the newest of the others."""
    by_number = {str(one.pk): one for one in kept}
    notes = [
        _("There is no generation %(number)s that could be asked; another one is shown.") % {"number": number}
        for number in (left, right)
        if number and number not in by_number
    ]
    live = next((one for one in kept if one.state == State.LIVE), None)
    first = by_number.get(left) or (live if live and live != by_number.get(right) else None)
    others = [one for one in kept if one != first]
    second = by_number.get(right) or (others[0] if others else None)
    if first is None:
        first = next((one for one in kept if one != second), None)
    return first, second, notes


def _figures(left: Mapping[str, Any] | None, right: Mapping[str, Any] | None) -> list[Figure]:
    """What ``manage.py quality`` measured at each generation's own weights; nothing where neither was measured."""
    if not left and not right:
        return []
    sides = [(one or {}).get("default weights", {}) for one in (left, right)]
    figures = []
    for name, label, less_is_better in (
        ("precision_at_10", _("Same category among the first ten"), False),
        ("first_row_right", _("Same category among the first four"), False),
        ("first_row_none", _("Searches with none of it among the first four"), True),
    ):
        one, other = (side.get(name) for side in sides)
        better = ""
        if one is not None and other is not None and percent(one) != percent(other):
            better = "left" if (one < other) == less_is_better else "right"
        figures.append(Figure(label, percent(one), percent(other), better))
    queries = [str(side.get("queries", "")) or "–" for side in sides]
    return [*figures, Figure(_("Photos that were asked with"), *queries)]


def _measured(generation: Generation) -> Measured:
    at = (generation.quality or {}).get("measured_at")
    return Measured(generation.pk, age(parse_datetime(at)) if at else "")


def _url(left: Generation, right: Generation, **parameters: object) -> str:
    given = {name: value for name, value in parameters.items() if value != ""}
    return f"{reverse('index-compare')}?{urlencode({'left': left.pk, 'right': right.pk} | given)}"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _seed(text: str) -> int:
    """What NumPy takes as a seed; anything else is the first draw."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 9 else 0
