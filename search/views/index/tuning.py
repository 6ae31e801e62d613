"""Tuning on the staff page: begin it, how far it is, and what the last one was worth."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from gallery.models import Job
from gallery.views.access import person, staff_only
from search.models import Generation, Tuning
from search.tuning import words
from search.tuning.figures import CategoryGain, Compared, Figures, Side
from search.tuning.training import JOB, start_tuning, unfinished_tuning
from search.views.index.words import age, percent

_CATEGORIES = 12  # that are told of


@dataclass(frozen=True)
class Line:
    """One figure before and after, in words."""

    label: str
    untuned: str
    tuned: str


@dataclass(frozen=True)
class Table:
    """What one kind of held-out photos found."""

    title: str
    photos: int
    lines: list[Line]
    gain: str
    low: str
    high: str


@dataclass(frozen=True)
class Told:
    """The last tuning in words."""

    tuning: Tuning

    @cached_property
    def figures(self) -> Figures:
        return Figures.from_json(self.tuning.figures)

    @property
    def verdict(self) -> str:
        return words.verdict(self.tuning)

    @cached_property
    def follows(self) -> str:
        built = self.tuning.generations.defer("projection_data", "scale_data").order_by("-pk").first()
        return words.follows(built) if built else ""

    @property
    def age(self) -> str:
        return age(self.tuning.created_at)

    @property
    def tables(self) -> list[Table]:
        figures = self.figures
        found = [_table(_("Products that it had not seen"), figures.seen)]
        if figures.unseen:
            found.append(_table(_("Categories that it had not learnt from"), figures.unseen))
        return found

    @property
    def learnt_from(self) -> str:
        return ", ".join(f"{words.kind(kind)} ({values})" for kind, values in self.figures.learnt_from.items())

    @property
    def left_out(self) -> str:
        return ", ".join(words.kind(kind) for kind in self.figures.left_out)

    @property
    def categories(self) -> list[Line]:
        return [_category(one) for one in self.figures.categories[:_CATEGORIES]]


def tuning_panel() -> dict[str, Any]:
    """What the section needs. Some four statements."""
    running, last = unfinished_tuning(), Tuning.objects.first()
    return {
        "running": running,
        "last": Told(last) if last else None,
        "failed": "" if running else Job.objects.failure(JOB, last.created_at if last else None),
    }


@require_safe
@never_cache
@staff_only
def progress(request: HttpRequest) -> HttpResponse:
    """How far it is; once it has ended, the whole page is out of date."""
    running = unfinished_tuning()
    if running is None:
        return HttpResponseClientRefresh()
    return render(request, "search/index/_tuning_job.html", {"job": running})


@require_POST
@staff_only
def start(request: HttpRequest) -> HttpResponse:
    if Generation.objects.live() is None:
        messages.error(request, _("There is no index yet. Start the indexing loop, and tune when photos are in it."))
    elif start_tuning(person(request), promote="promote" in request.POST) is None:
        messages.info(request, _("It is being tuned already."))
    return redirect(f"{reverse('index')}#tuning")


def _table(title: str, compared: Compared) -> Table:
    untuned, tuned = _cells(compared.untuned), _cells(compared.tuned)
    labels = (
        _("Same category among the first ten"),
        _("Same category among the first four"),
        _("Searches with none of it among the first four"),
    )
    lines = [Line(*three) for three in zip(labels, untuned, tuned, strict=True)]
    bounds = (words.points(one) for one in (compared.gain, compared.low, compared.high))
    return Table(title, compared.photos, lines, *bounds)


def _cells(side: Side) -> list[str]:
    return [percent(one) for one in (side.precision_at_10, side.first_row_right, side.first_row_none)]


def _category(gain: CategoryGain) -> Line:
    return Line(gain.name, percent(gain.untuned), percent(gain.tuned))
