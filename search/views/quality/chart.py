"""One figure over time as an SVG: a line for each generation, with its intervals. A table says the same beside it.

Everything is attributes and classes, for the Content-Security-Policy allows no style. There is a wide drawing and a
narrow one, as letters in an SVG shrink with it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format

from search.models import QualityRun
from search.quality.metrics import Interval
from search.quality.sentences import Measure
from search.views.quality.figures import told

MOST_SERIES = 4
MOST_POINTS = 60  # of one line
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)
_MOST_TICKS = 6
# A sign for each line, drawn around 0, 0: lines are told apart without colours, too.
_SIGNS = (
    "M -4 0 A 4 4 0 1 0 4 0 A 4 4 0 1 0 -4 0 Z",
    "M -3.5 -3.5 H 3.5 V 3.5 H -3.5 Z",
    "M 0 -5 L 4.5 3.5 H -4.5 Z",
    "M 0 -5 L 5 0 L 0 5 L -5 0 Z",
)
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 16, 12, 28


@dataclass(frozen=True)
class Point:
    """One run. Places are texts, so that no language writes them with a comma."""

    at: datetime
    figure: Interval
    run: int
    told: str
    between: str


@dataclass(frozen=True)
class Series:
    generation: int
    number: int  # of its sign and its kind of line, from 1
    points: Sequence[Point]  # the oldest first

    @property
    def sign(self) -> str:
        return _SIGNS[self.number - 1]


@dataclass(frozen=True)
class Tick:
    place: str
    label: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Mark:
    x: str
    y: str
    low: str
    high: str


@dataclass(frozen=True)
class Line:
    series: Series
    path: str
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Chart:
    width: int
    height: int
    lines: Sequence[Line]
    levels: Sequence[Tick]
    moments: Sequence[Tick]

    @property
    def left(self) -> str:
        return str(_LEFT)

    @property
    def right(self) -> str:
        return str(self.width - _RIGHT)

    @property
    def base(self) -> str:
        return str(self.height - 8)

    @property
    def view_box(self) -> str:
        return f"0 0 {self.width} {self.height}"


def series_of(runs: Sequence[QualityRun], task: str, name: str, measure: Measure) -> list[Series]:
    """The figure of every run that has it, by generation; the generations that were measured last come first.

    :param runs: the newest first
    """
    points: dict[int, list[Point]] = {}
    for run in runs:
        if stored := run.figures.get(task, {}).get("figures", {}).get(name):
            figure = Interval.from_json(stored)
            between = f"{told(figure.low, measure, bare=True)} – {told(figure.high, measure, bare=True)}"
            points.setdefault(run.generation_id, []).append(
                Point(run.started_at, figure, run.pk, told(figure.mean, measure), between)
            )
    newest = list(points.items())[:MOST_SERIES]
    return [Series(pk, number, found[:MOST_POINTS][::-1]) for number, (pk, found) in enumerate(newest, start=1)]


def chart_of(series: Sequence[Series], measure: Measure, width: int, height: int) -> Chart:
    points = [point for one in series for point in one.points]
    first, last = min(point.at for point in points), max(point.at for point in points)
    step, low, high = _range(min(point.figure.low for point in points), max(point.figure.high for point in points))

    def x(at: datetime) -> str:
        share = (at - first) / (last - first) if last > first else 0.5
        return _text(_LEFT + 8 + share * (width - _LEFT - _RIGHT - 16))

    def y(value: float) -> str:
        return _text(_TOP + (high - value) / (high - low) * (height - _TOP - _BOTTOM))

    lines = []
    for one in series:
        marks = [
            Mark(x(point.at), y(point.figure.mean), y(point.figure.low), y(point.figure.high)) for point in one.points
        ]
        lines.append(Line(one, " ".join(f"{mark.x},{mark.y}" for mark in marks), marks))
    levels = [low + step * number for number in range(round((high - low) / step) + 1)]
    return Chart(
        width,
        height,
        lines,
        [Tick(y(level), _level(level, step, measure)) for level in levels],
        _moments(first, last, x),
    )


def _range(least: float, most: float) -> tuple[float, float, float]:
    """The distance of the lines across, and the values at the lower and upper edge: whole multiples of it."""
    for step in _STEPS:
        low, high = math.floor(least / step + 1e-9), math.ceil(most / step - 1e-9)
        if high == low:
            low, high = (low - 1, high) if low > 0 else (low, high + 1)
        if high - low < _MOST_TICKS:
            break
    return step, low * step, high * step


def _level(value: float, step: float, measure: Measure) -> str:
    return f"{round(100 * value)} %" if measure.as_share else f"{value:.2f}"


def _moments(first: datetime, last: datetime, x: Callable[[datetime], str]) -> list[Tick]:
    """When the first and the last run were: days, or hours where that is one day."""
    if first == last:
        return [Tick(x(first), _day(first))]
    told = _time if last - first < timedelta(days=1) else _day
    return [Tick(x(first), told(first), "start"), Tick(x(last), told(last), "end")]


def _day(at: datetime) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATE_FORMAT")


def _time(at: datetime) -> str:
    return date_format(timezone.localtime(at), "TIME_FORMAT")


def _text(value: float) -> str:
    return f"{value:.1f}"
