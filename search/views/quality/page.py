"""The page: generations beside each other, categories, the worst queries, figures over time, and a start button."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from gallery import jobs, visibility
from gallery.models import Category, Job
from gallery.views.access import person, staff_only
from search.models import Generation, QualityRun
from search.names import ids
from search.quality.job import JOB
from search.quality.sentences import MEASURES, TASKS
from search.views.quality.chart import Series, chart_of, series_of
from search.views.quality.figures import Column, categories_of, columns_of, more_tables_of, tables_of
from search.views.quality.worst import worst_of

_MOST_RUNS = 300  # the newest, that are looked through
_WIDE, _NARROW = (880, 260), (358, 240)
_FIGURE = "category.precision_at_10"


@require_safe
@never_cache
@staff_only
def quality(request: HttpRequest) -> HttpResponse:
    """``figure`` names what is shown over time, ``generation`` whose worst queries are shown."""
    kept = {one.pk: one for one in Generation.objects.kept().defer("projection_data", "scale_data")}
    runs = list(QualityRun.objects.defer("groups", "worst")[:_MOST_RUNS])
    columns = _with_details(columns_of(runs, kept))
    categories, left_out = categories_of(columns, Category.objects.tree().by_id) if columns else ([], 0)
    seen = _seen(columns, request.GET.get("generation", ""))
    measuring = _measuring()
    context: dict[str, Any] = {
        "columns": columns,
        "tables": tables_of(columns),
        "more_tables": more_tables_of(columns),
        "categories": categories,
        "left_out": left_out,
        "seen": seen,
        "worst": worst_of(seen.runs, visibility.public) if seen else [],
        "askable": [one for one in kept.values() if not one.preparing],
        "measuring": measuring,
        "failed": "" if measuring else Job.objects.failure(JOB, runs[0].started_at if runs else None),
        **_over_time(runs, request.GET.get("figure", "")),
    }
    return render(request, "search/quality/page.html", context)


@require_safe
@never_cache
@staff_only
def progress(request: HttpRequest) -> HttpResponse:
    """How far measuring is; once it has ended, the whole page is out of date."""
    measuring = _measuring()
    if measuring is None:
        return HttpResponseClientRefresh()
    return render(request, "search/quality/_measuring.html", {"measuring": measuring})


@require_POST
@staff_only
def start(request: HttpRequest) -> HttpResponse:
    """Measure ``generation``, or the live one."""
    asked = ids([request.POST.get("generation", "")])
    askable = Generation.objects.kept().filter(preparing=False)
    generation = askable.filter(pk__in=asked).first() if asked else Generation.objects.live()
    if generation is None:
        messages.error(request, _("There is no such generation that could be asked. Choose another one."))
    elif jobs.start_alone(JOB, person(request), generation=generation.pk) is None:
        messages.info(request, _("Search quality is being measured already."))
    return redirect("quality")


def _with_details(columns: Sequence[Column]) -> list[Column]:
    """The columns with groups and worst queries of their runs, which are large, in one statement."""
    whole = QualityRun.objects.in_bulk({run.pk for column in columns for run in column.runs.values()})
    return [
        Column(column.generation, {task: whole[run.pk] for task, run in column.runs.items() if run.pk in whole})
        for column in columns
    ]


def _seen(columns: Sequence[Column], number: str) -> Column | None:
    chosen = (column for column in columns if str(column.generation.pk) == number)
    return next(chosen, columns[0] if columns else None)


def _over_time(runs: Sequence[QualityRun], asked: str) -> dict[str, Any]:
    """The chart, its table, and what else could be shown: what some run has measured."""
    known = {f"{task}.{name}" for run in runs for task, one in run.figures.items() for name in one.get("figures", {})}
    if not known:
        return {}
    chosen = asked if asked in known else _FIGURE if _FIGURE in known else min(known)
    task, _dot, name = chosen.partition(".")
    measure = MEASURES[task][name]
    series = series_of(runs, task, name, measure)
    return {
        "figure": chosen,
        "figure_label": measure.label,
        "choices": [
            (
                TASKS[task],
                [(f"{task}.{name}", one.label) for name, one in MEASURES[task].items() if f"{task}.{name}" in known],
            )
            for task in TASKS
            if any(one.startswith(f"{task}.") for one in known)
        ],
        "series": series,
        "points": _newest_first(series),
        "charts": [
            ("is-wide", chart_of(series, measure, *_WIDE)),
            ("is-narrow", chart_of(series, measure, *_NARROW)),
        ],
    }


def _newest_first(series: Sequence[Series]) -> list[tuple[Series, Any]]:
    points = [(one, point) for one in series for point in one.points]
    return sorted(points, key=lambda pair: pair[1].at, reverse=True)


def _measuring() -> Job | None:
    return Job.objects.unfinished().filter(kind=JOB).first()
