"""Trained classifiers as bytes and back: plain arrays, never pickled objects."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

import numpy as np

from search.classification.forest import Forest
from search.classification.linear import Linear
from search.models import Classifier

Learnt = Linear | Forest
LEARNERS: dict[str, type[Linear] | type[Forest]] = {Classifier.Kind.LINEAR: Linear, Classifier.Kind.FOREST: Forest}


def to_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def from_bytes(kind: str, data: bytes) -> Learnt:
    """:raises ValueError: for what is no classifier of this kind"""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return LEARNERS[kind].from_arrays(dict(arrays))
    except (KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"This is no {kind} classifier: {error}") from error


def learnt(classifier: Classifier) -> Learnt:
    """What a row holds; a process reads it once, until it is trained again.

    :raises Classifier.DoesNotExist: when it was trained again or deleted since the row was read: its categories and
        its temperature are not of these numbers then
    """
    return _learnt(classifier.pk, classifier.kind, classifier.trained_at)


@lru_cache(maxsize=4)
def _learnt(pk: int, kind: str, trained_at: datetime) -> Learnt:
    stored = Classifier.objects.values_list("data", flat=True).get(pk=pk, trained_at=trained_at)
    return from_bytes(kind, bytes(stored))
