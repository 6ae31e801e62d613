"""What asks: a random sample that stays nearly the same while the catalogue grows, its order, and a bound in time."""

import hashlib
import heapq
import time
from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

import numpy as np

T = TypeVar("T")


def drawn(keys: Iterable[UUID], size: int, seed: int = 0) -> list[UUID]:
    """A random sample, in random order: the keys whose hashes under the seed are the smallest.

    One photo more in the catalogue changes the sample by one photo at most, so that figures of different days are
    figures of nearly the same queries (priority sampling with equal weights: E. Cohen and H. Kaplan, "Summarizing data
    using bottom-k sketches", PODC 2007). Keys may come from a cursor: no more than ``size`` are held.
    """
    salt = seed.to_bytes(8, "little")
    return heapq.nsmallest(size, keys, key=lambda key: _hash(key, salt))


def _hash(key: UUID, salt: bytes) -> bytes:
    return hashlib.blake2b(key.bytes, digest_size=16, key=salt).digest()


def shuffled(items: Sequence[T], seed: int = 0) -> list[T]:
    """All of them, in an order that the seed alone decides."""
    return [items[place] for place in np.random.default_rng(seed).permutation(len(items))]


class Deadline:
    """How long a task may ask. Queries come in random order, so what was asked until then is a random sample, too."""

    def __init__(self, seconds: float):
        self._end = time.monotonic() + seconds

    @property
    def has_passed(self) -> bool:
        return time.monotonic() >= self._end
