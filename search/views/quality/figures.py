"""Figures of several generations beside each other, in words: each of the newest run that measured it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from gallery.models import Category
from search.models import Generation, QualityRun
from search.quality.metrics import Interval
from search.quality.sentences import (
    CATEGORY,
    COPIES,
    HOW,
    LANGUAGES,
    MEASURES,
    ROBUSTNESS,
    TASKS,
    WORDS,
    Measure,
    no_better_than_chance,
    why_not,
)
from search.views.index.words import age

MOST_COLUMNS = 4
MOST_CATEGORIES = 300
_OF_CATEGORY = "precision_at_10"


@dataclass(frozen=True)
class Cell:
    """``better`` and ``worse`` are said where the intervals do not overlap with those of the first column."""

    figure: str = "–"
    between: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class Row:
    label: str | Promise
    cells: Sequence[Cell]
    is_part: bool = False  # of the queries, such as one kind of copy
    url: str = ""


@dataclass(frozen=True)
class Column:
    """A generation, and the newest run of each task."""

    generation: Generation
    runs: Mapping[str, QualityRun] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        return self.generation.state == Generation.State.LIVE

    @property
    def age(self) -> str:
        newest: datetime | None = max((run.started_at for run in self.runs.values()), default=None)
        return age(newest)

    def stored(self, task: str) -> Mapping[str, Any]:
        return self.runs[task].figures[task] if task in self.runs else {}

    def groups(self, task: str) -> Mapping[str, Any]:
        return self.runs[task].groups.get(task, {}) if task in self.runs else {}


@dataclass(frozen=True)
class Table:
    """One task: its figures, or why there are none."""

    task: str
    label: str | Promise
    how: str | Promise
    rows: Sequence[Row]
    notes: Sequence[str]


def columns_of(runs: Iterable[QualityRun], kept: Mapping[int, Generation]) -> list[Column]:
    """The live generation first, then those that were measured last.

    :param runs: the newest first
    """
    newest: dict[int, dict[str, QualityRun]] = {}
    for run in runs:
        if run.generation_id in kept:
            tasks = newest.setdefault(run.generation_id, {})
            for task in run.figures:
                tasks.setdefault(task, run)
    columns = [Column(kept[pk], tasks) for pk, tasks in newest.items()]
    return sorted(columns, key=lambda column: not column.is_live)[:MOST_COLUMNS]


def tables_of(columns: Sequence[Column]) -> list[Table]:
    """The figures that say most, those of copies and languages, and how many queries there were."""
    return [_table(task, columns) for task in TASKS if any(task in column.runs for column in columns)]


def more_tables_of(columns: Sequence[Column]) -> list[Table]:
    """All other figures."""
    rows = {task: _rows(task, columns, is_more=True) for task in TASKS}
    return [Table(task, TASKS[task], "", found, ()) for task, found in rows.items() if found]


def _table(task: str, columns: Sequence[Column]) -> Table:
    rows = _rows(task, columns, is_more=False)
    if rows:
        rows[1:1] = _parts(task, columns)
        counted = [column.stored(task).get("queries") for column in columns]
        rows.append(Row(_("Queries"), [Cell("–" if n is None else _whole(n)) for n in counted]))
    return Table(task, TASKS[task], HOW[task], rows, _notes(task, columns))


def _rows(task: str, columns: Sequence[Column], *, is_more: bool) -> list[Row]:
    return [
        Row(measure.label, cells)
        for name, measure in MEASURES[task].items()
        if measure.is_more == is_more and (cells := _cells([column.stored(task) for column in columns], name, measure))
    ]


def _parts(task: str, columns: Sequence[Column]) -> list[Row]:
    """The first figure of a task for each kind of copy, or each language."""
    name, measure = next(iter(MEASURES[task].items()))
    parts: Mapping[str, str | Promise] = {ROBUSTNESS: COPIES, WORDS: LANGUAGES}.get(task, {})
    rows = [
        (label, _cells([column.groups(task).get(key, {}) for column in columns], name, measure))
        for key, label in parts.items()
    ]
    return [Row(label, cells, is_part=True) for label, cells in rows if cells]


def _cells(stored: Sequence[Mapping[str, Any]], name: str, measure: Measure) -> list[Cell]:
    """One for each column; none at all where no column has the figure."""
    found = [one.get("figures", {}).get(name) for one in stored]
    known = [Interval.from_json(one) if one else None for one in found]
    return [_cell(one, known[0], measure) for one in known] if any(known) else []


def _cell(one: Interval | None, first: Interval | None, measure: Measure) -> Cell:
    if one is None:
        return Cell()
    verdict = ""
    if first is not None and measure.says_quality and one.is_apart_from(first):
        verdict = "better" if (one.mean > first.mean) != measure.less_is_better else "worse"
    between = f"{told(one.low, measure, bare=True)} – {told(one.high, measure, bare=True)}"
    return Cell(told(one.mean, measure), between, verdict)


def told(value: float, measure: Measure, *, bare: bool = False) -> str:
    """A figure as a person reads it: in percent, or from 0 to 1.

    :param bare: without the sign of percent
    """
    # Rounded first: the formats of languages cut digits off.
    if not measure.as_share:
        return number_format(round(value, 3), 3)
    return number_format(round(100 * value, 1), 1) + ("" if bare else " %")


def _notes(task: str, columns: Sequence[Column]) -> list[str]:
    notes = []
    for column in columns:
        stored = column.stored(task)
        said = why_not(stored["why_not"]) if "why_not" in stored else ""
        if not said and task == CATEGORY and stored and no_better_than_chance(stored["figures"], stored["facts"]):
            said = _(
                "Photos of a category are found no more often than at random: these categories say nothing of looks."
            )
        if said and len(columns) > 1:
            said = _("Generation %(number)d: %(why)s") % {"number": column.generation.pk, "why": said}
        notes += [said] if said else []
    return list(dict.fromkeys(notes))


def categories_of(columns: Sequence[Column], tree: Mapping[int, Category]) -> tuple[list[Row], int]:
    """P@10 of each category, those first in which the first column finds least; and how many were left out."""
    groups = [column.groups(CATEGORY) for column in columns]
    known = {key for group in groups for key in group if int(key) in tree}
    measure = MEASURES[CATEGORY][_OF_CATEGORY]

    def place(key: str) -> tuple[float, str]:
        figures = groups[0].get(key, {}).get("figures", {})
        return (figures[_OF_CATEGORY]["mean"] if _OF_CATEGORY in figures else 2.0, str(tree[int(key)].label))

    ranked = sorted(known, key=place)
    rows = []
    for key in ranked[:MOST_CATEGORIES]:
        cells = _cells([group.get(key, {}) for group in groups], _OF_CATEGORY, measure)
        queries = max(group.get(key, {}).get("queries", 0) for group in groups)
        rows.append(Row(tree[int(key)].label, [Cell(_whole(queries)), *cells], url=key))
    return rows, max(0, len(ranked) - MOST_CATEGORIES)


def _whole(number: int) -> str:
    return number_format(number, 0, use_l10n=True, force_grouping=True)
