"""The names of classes and of groups of classes, as the two tables beside this module give them."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.translation import get_language

CLASSES = 1_000  # of ImageNet-1k; a network's answer has one number for each
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Concept:
    """A class of the network, or a group of them; ``code`` never changes and is what is stored and indexed.

    ``is_basic``: a person would say this word of a thing in sight: a cat is a "cat", not an "Egyptian cat" and not an
    "animal" (the basic level of E. Rosch et al., "Basic objects in natural categories", Cognitive Psychology 8, 1976).
    """

    code: str
    english: str
    chinese: str  # simplified
    also: tuple[str, ...]  # other names in both languages
    is_basic: bool = True

    @property
    def name(self) -> str:
        """In the active language; what is neither English nor Chinese gets English."""
        return self.chinese if (get_language() or "").startswith("zh") else self.english

    @property
    def spellings(self) -> tuple[str, ...]:
        return (self.english, self.chinese, *self.also)


@cache
def classes() -> tuple[Concept, ...]:
    """The classes in the order of the network's numbers."""
    return tuple(_concept(row) for row in _rows("classes.csv"))


@cache
def groups() -> Mapping[Concept, frozenset[str]]:
    """Group → the codes of its classes."""
    codes = [each.code for each in classes()]
    found = {}
    for row in _rows("groups.csv"):
        members: set[str] = set()
        for part in row["classes"].split():  # one class, or "first..last" in the network's order
            first, _dots, last = part.partition("..")
            members.update(codes[codes.index(first) : codes.index(last or first) + 1])
        found[_concept(row)] = frozenset(members)
    return found


@cache
def concepts() -> Mapping[str, Concept]:
    """Code → class or group."""
    return {each.code: each for each in (*classes(), *groups())}


@cache
def groups_of(code: str) -> tuple[str, ...]:
    """The codes of the groups that a class belongs to."""
    return tuple(group.code for group, members in groups().items() if code in members)


def word_for(code: str) -> str:
    """What to search for to find more of it, in the active language.

    :raises KeyError: for a code that is in no table
    """
    return concepts()[code].name


def _concept(row: Mapping[str, str]) -> Concept:
    also = (*row["english_also"].split(";"), *row["chinese_also"].split(";"))
    return Concept(
        row["code"], row["english"], row["chinese"], tuple(filter(None, also)), row.get("basic", "yes") == "yes"
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_HERE / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
