"""What a task of the bench comes to: figures, figures of groups of queries, the worst queries; or why it cannot be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from search.quality.metrics import Interval

WORST = 12  # queries that are kept of a task, to be looked at
FIRST_ROW = 4  # hits that a person sees without scrolling, and that are kept with them


class NotMeasured(ValueError):
    """There is too little to measure with. Code and numbers are stored; ``sentences.why_not`` says it in words."""

    def __init__(self, code: str, **numbers: int):
        super().__init__(code)
        self.code = code
        self.numbers = numbers

    def __str__(self) -> str:
        from search.quality.sentences import why_not  # which reads this class

        return why_not(self.as_json())

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, **self.numbers}


@dataclass(frozen=True)
class Asked:
    """One query as it is kept: the photo or the words that asked, and the first hits, each right, wrong, or None where
    nobody knows."""

    hits: Sequence[tuple[UUID, bool | None]]
    image: UUID | None = None
    words: str = ""
    kind: str = ""  # of copy or of language, where the task has several; of a judged query its canonical string
    place: int | None = None  # of the first right hit, where the task looks for one

    def as_json(self) -> dict[str, Any]:
        return {
            "image": str(self.image) if self.image else None,
            "words": self.words,
            "kind": self.kind,
            "place": self.place,
            "hits": [[str(key), right] for key, right in self.hits[:FIRST_ROW]],
        }


@dataclass(frozen=True)
class Result:
    """Figures of one task over ``queries`` queries. ``facts`` are counts and shares that have no interval."""

    queries: int
    figures: Mapping[str, Interval]
    facts: Mapping[str, float] = field(default_factory=dict)
    # Key of a group (id of a category, kind of copy, code of a language) → its queries and figures.
    groups: Mapping[str, "Result"] = field(default_factory=dict)
    worst: Sequence[Asked] = ()

    def as_json(self) -> dict[str, Any]:
        """The figures alone; groups and the worst queries are stored beside them, as they are larger."""
        return {
            "queries": self.queries,
            "figures": {name: one.as_json() for name, one in self.figures.items()},
            "facts": dict(self.facts),
        }


def worst_of(asked: Sequence[Asked], badness: Sequence[tuple[float, ...]]) -> list[Asked]:
    """Those that did worst: the lowest first, equals in the order in which they were drawn."""
    order = sorted(range(len(asked)), key=lambda place: (*badness[place], place))
    return [asked[place] for place in order[:WORST]]
