"""Random samples of what is too much to hold, drawn from a cursor by the hashes of keys; and random orders."""

import hashlib
import heapq
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar
from uuid import UUID

import numpy as np

Key = TypeVar("Key", UUID, str)
Item = TypeVar("Item")


def drawn(keys: Iterable[Key], size: int, seed: int = 0) -> list[Key]:
    """A random sample, in random order: the keys whose hashes under the seed are the smallest.

    One photo more in the catalogue changes the sample by one photo at most, so that figures of different days are
    figures of nearly the same queries (priority sampling with equal weights: E. Cohen and H. Kaplan, "Summarizing data
    using bottom-k sketches", PODC 2007). Keys may come from a cursor: no more than ``size`` are held.
    """
    salt = seed.to_bytes(8, "little")
    return heapq.nsmallest(size, keys, key=lambda key: _hash(key, salt))


def drawn_of_each(labelled: Iterable[tuple[Key, Hashable]], size: int, sure: int, seed: int = 0) -> list[Key]:
    """The same of keys with labels, the first ``sure`` of each label before all others: rare ones must not get lost.

    No more than ``size`` keys are held, and ``sure`` of each label.
    """
    salt = seed.to_bytes(8, "little")
    of_all: list[tuple[int, Key]] = []
    of_label: dict[Hashable, list[tuple[int, Key]]] = {}
    for key, label in labelled:
        entry = -int.from_bytes(_hash(key, salt)), key  # the first of a heap is the one to give up
        _keep(of_all, entry, size)
        _keep(of_label.setdefault(label, []), entry, sure)
    first: list[tuple[int, Key]] = sorted((entry for heap in of_label.values() for entry in heap), reverse=True)
    others: list[tuple[int, Key]] = sorted(set(of_all).difference(first), reverse=True)
    return [entry[1] for entry in (first + others)[:size]]


def shuffled(items: Sequence[Item], seed: int = 0) -> list[Item]:
    """All of them, in an order that the seed alone decides."""
    return [items[place] for place in np.random.default_rng(seed).permutation(len(items))]


def _keep(heap: list[tuple[int, Key]], entry: tuple[int, Key], most: int) -> None:
    if len(heap) < most:
        heapq.heappush(heap, entry)
    else:
        heapq.heappushpop(heap, entry)


def _hash(key: UUID | str, salt: bytes) -> bytes:
    content = key.bytes if isinstance(key, UUID) else key.encode()
    return hashlib.blake2b(content, digest_size=16, key=salt).digest()
