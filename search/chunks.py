"""Long lists in pieces that one statement takes: SQLite bounds the number of its parameters."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

CHUNK = 500
Value = TypeVar("Value")


def chunks(values: Sequence[Value], size: int = CHUNK) -> Iterator[list[Value]]:
    return (list(values[start : start + size]) for start in range(0, len(values), size))
