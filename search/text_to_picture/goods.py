"""What shops call their goods, in English and in Chinese: a table of words for one and the same thing.

A text model compares short words badly: to it "长袖" is as near to many words as to "long sleeve". Where a shop calls a
category by another word for the thing, the table says so.
"""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from search.text import analyse

_TABLE = Path(__file__).parent / "goods.csv"


def same_as(phrase: str) -> tuple[str, ...]:
    """Other names of what an analysed phrase is called, analysed; of things that it is the usual name of come first."""
    return _others().get(phrase, ())


@cache
def _others() -> Mapping[str, tuple[str, ...]]:
    usual: dict[str, list[str]] = {}
    seldom: dict[str, list[str]] = {}
    with _TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            first = [analyse(row[language]) for language in ("english", "chinese")]
            also = [analyse(name) for key in ("english_also", "chinese_also") for name in row[key].split(";")]
            names = list(dict.fromkeys(filter(None, (*first, *also))))
            for name in names:
                (usual if name in first else seldom).setdefault(name, []).extend(names)
    return {
        name: tuple(one for one in dict.fromkeys((*usual.get(name, ()), *seldom.get(name, ()))) if one != name)
        for name in {*usual, *seldom}
    }
