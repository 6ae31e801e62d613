"""Figures of what was held out, before and after tuning, with what chance alone could make of their difference."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from search.quality.metrics import bootstrap


@dataclass(frozen=True)
class Outcome:
    """What each of ``q`` held-out photos found: all ``(q,)`` float64, and the group that each belongs to."""

    groups: np.ndarray  # int64
    precision: np.ndarray  # share of its category among its first ten
    first_row: np.ndarray  # among its first four
    none: np.ndarray  # 1 where none of the first four has it

    def among(self, rows: np.ndarray) -> "Outcome":
        return Outcome(self.groups[rows], self.precision[rows], self.first_row[rows], self.none[rows])

    @classmethod
    def joined(cls, outcomes: Sequence["Outcome"]) -> "Outcome":
        names = ("groups", "precision", "first_row", "none")
        return cls(*(np.concatenate([getattr(one, name) for one in outcomes]) for name in names))


@dataclass(frozen=True)
class Side:
    """Means over the held-out photos."""

    precision_at_10: float
    first_row_right: float
    first_row_none: float

    @classmethod
    def of(cls, outcome: Outcome) -> "Side":
        return cls(*(float(values.mean()) for values in (outcome.precision, outcome.first_row, outcome.none)))


@dataclass(frozen=True)
class Compared:
    """The same held-out photos asked in both ways. ``low`` and ``high`` bound the gain in precision, ``none_low`` and
    ``none_high`` that in first rows without any right one, of which more is worse."""

    photos: int
    products: int
    untuned: Side
    tuned: Side
    gain: float
    low: float
    high: float
    none_gain: float
    none_low: float
    none_high: float

    @property
    def is_better(self) -> bool:
        """Whether the gain is more than chance makes."""
        return self.low > 0

    @property
    def is_worse(self) -> bool:
        return self.high < 0

    @property
    def finds_none_more_often(self) -> bool:
        """Whether more first rows hold none of the category, by more than chance makes."""
        return self.none_low > 0

    @classmethod
    def of(cls, untuned: Outcome, tuned: Outcome, seed: int = 0) -> "Compared":
        gains, none = tuned.precision - untuned.precision, tuned.none - untuned.none
        low, high = bootstrap(gains, untuned.groups, seed)
        none_low, none_high = bootstrap(none, untuned.groups, seed)
        return cls(
            len(gains),
            len(np.unique(untuned.groups)),
            Side.of(untuned),
            Side.of(tuned),
            float(gains.mean()),
            low,
            high,
            float(none.mean()),
            none_low,
            none_high,
        )


@dataclass(frozen=True)
class CategoryGain:
    """One category: its held-out photos, and the share of it among the first ten."""

    name: str
    photos: int
    untuned: float
    tuned: float


@dataclass(frozen=True)
class Figures:
    """All that is told of one tuning."""

    seen: Compared  # products held out of categories that the rest of was learnt from
    unseen: Compared | None  # categories that nothing was learnt from; None where there are too few to leave one out
    share: float  # of the learnt axes in a likeness of contents; the rest is as it was
    weights: dict[str, float]  # of the parts, as they were chosen
    learnt_from: dict[str, int]  # kind of label → its values
    left_out: tuple[str, ...]  # kinds of labels that looks say nothing of
    categories: tuple[CategoryGain, ...]  # the largest loss first
    photos: int
    epochs: int
    seconds: float

    def falls_short_of(self, earlier: "Figures") -> bool:
        """Whether what was held out gains less than it gained earlier, by more than chance made then: of products, or
        of categories that nothing was learnt from. Either gain is one over an untuned projection of its time."""
        pairs = [(self.seen, earlier.seen), (self.unseen, earlier.unseen)]
        return any(mine.gain < theirs.low for mine, theirs in pairs if mine and theirs)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Figures":
        values = dict(stored)
        values["seen"] = _compared(values["seen"])
        values["unseen"] = _compared(values["unseen"]) if values["unseen"] else None
        values["categories"] = tuple(CategoryGain(**one) for one in values["categories"])
        values["left_out"] = tuple(values["left_out"])
        return cls(**values)


def _compared(stored: Mapping[str, Any]) -> Compared:
    return Compared(**{**stored, "untuned": Side(**stored["untuned"]), "tuned": Side(**stored["tuned"])})
