"""What the columns are made of: arrays that grow, and small integers that stand for values."""

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

import numpy as np

V = TypeVar("V", bound=Hashable)


class Growing:
    """An array that rows are appended to, its room doubled when it is full."""

    def __init__(self, dtype: np.dtype | type, *shape: int, room: int = 1_024):
        self._room = np.empty((room, *shape), dtype)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def extend(self, rows: np.ndarray) -> None:
        end = self._length + len(rows)
        self.reserve(end)
        self._room[self._length : end] = rows
        self._length = end

    def reserve(self, rows: int) -> None:
        """Make room for so many rows in all."""
        if rows > len(self._room):
            grown = np.empty((max(rows, 2 * len(self._room)), *self._room.shape[1:]), self._room.dtype)
            grown[: self._length] = self._room[: self._length]
            self._room = grown

    @property
    def room(self) -> int:
        """Rows that fit without copying."""
        return len(self._room)

    @property
    def rows(self) -> np.ndarray:
        """What is there now; it stays as it is when more is appended."""
        return self._room[: self._length]


class Codes(Generic[V]):
    """Small integers for values, in the order in which they were met. Only ever grows."""

    def __init__(self, values: Sequence[V] = ()):
        self.values: list[V] = list(values)
        self._codes = {value: code for code, value in enumerate(self.values)}

    def __len__(self) -> int:
        return len(self.values)

    def get(self, value: V) -> int | None:
        return self._codes.get(value)

    def of(self, value: V) -> int:
        code = self._codes.get(value)
        if code is None:
            code = self._codes[value] = len(self.values)
            self.values.append(value)
        return code


def recoded(codes: np.ndarray, old: Codes[V]) -> tuple[np.ndarray, Codes[V]]:
    """Codes and values without the values that no row uses any more; negative codes stay."""
    used, places = np.unique(codes, return_inverse=True)
    negative = int(np.searchsorted(used, 0))
    fresh = np.where(used < 0, used, np.arange(len(used)) - negative)
    return fresh[places].astype(np.int32), Codes([old.values[code] for code in used[negative:].tolist()])
