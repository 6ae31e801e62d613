"""Retrieval by number: a vector of one's own in place of a picture, in the space of the live generation's index."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from search.models import Generation
from search.projection import Projection, unit
from search.query import BadParameter

FIELD = "vector"


def parts_of(given: Any, generation: Generation) -> dict[str, np.ndarray]:
    """Part name → ``(d,)`` float32 of unit length, of what a request gave as ``vector``.

    :param given: the parts side by side as one list, with or without the last number of an indexed vector; or part
        name → list
    :raises BadParameter: naming the right lengths
    """
    parts = _named(given, generation) if isinstance(given, Mapping) else _side_by_side(given, generation)
    if not parts:
        raise BadParameter(FIELD, _("“vector” is 0 in every part, so it points nowhere."))
    return parts


def _named(given: Mapping[Any, Any], generation: Generation) -> dict[str, np.ndarray]:
    projection = generation.projection
    raw = {str(name): _numbers(numbers) for name, numbers in given.items()}
    for name, numbers in raw.items():
        if name not in projection.slices or len(numbers) != _length(projection, name):
            raise BadParameter(FIELD, _wrong_parts(name, len(numbers), generation))
    return {name: part for name, numbers in raw.items() if (part := unit(numbers)) is not None}


def _side_by_side(given: Any, generation: Generation) -> dict[str, np.ndarray]:
    projection = generation.projection
    numbers = _numbers(given)
    if len(numbers) not in (projection.dimension, projection.dimension - 1):
        raise BadParameter(
            FIELD,
            _("“vector” has %(given)d numbers; generation %(generation)d takes %(right)d: %(parts)s.")
            % {
                "given": len(numbers),
                "generation": generation.pk,
                "right": projection.dimension - 1,
                "parts": _lengths(projection),
            },
        )
    return projection.parts_of(numbers)


def _numbers(given: Any) -> np.ndarray:
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise BadParameter(FIELD, _("“vector” is a list of numbers, or an object of lists named by part."))
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in given):
        raise BadParameter(FIELD, _("“vector” holds something that is no number."))
    numbers = np.array(given, dtype=np.float64)
    # Far more than any length of a vector, and squares of larger numbers would not fit.
    if not np.isfinite(numbers).all() or (len(numbers) and np.abs(numbers).max() > 1e12):
        raise BadParameter(FIELD, _("“vector” holds a number that is not finite, or far too large."))
    return numbers.astype(np.float32)


def _length(projection: Projection, name: str) -> int:
    where = projection.slices[name]
    return where.stop - where.start


def _lengths(projection: Projection) -> str:
    return ", ".join(f"{name} {_length(projection, name)}" for name in projection.names)


def _wrong_parts(name: str, given: int, generation: Generation) -> str:
    return _("“vector” gives part “%(part)s” %(given)d numbers; generation %(generation)d takes %(parts)s.") % {
        "part": name[:50],
        "given": given,
        "generation": generation.pk,
        "parts": _lengths(generation.projection),
    }
