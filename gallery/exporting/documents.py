"""What others add to the exported documents of images: whoever keeps vectors adds them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from gallery.models import Image

Extras = Mapping[UUID, Mapping[str, Any]]  # by the image's key; what JSON can hold
_ADDERS: list[Callable[[Sequence[Image]], Extras]] = []


def adds_to_documents(function: Callable[[Sequence[Image]], Extras]) -> Callable[[Sequence[Image]], Extras]:
    """Register what adds fields to documents, some hundred images at a time. Called in an application's ``ready``."""
    if function not in _ADDERS:
        _ADDERS.append(function)
    return function


def extras_of(images: Sequence[Image]) -> dict[UUID, dict[str, Any]]:
    """All that is added, by the image's key."""
    extras: dict[UUID, dict[str, Any]] = {}
    for add in _ADDERS:
        for key, fields in add(images).items():
            extras.setdefault(key, {}).update(fields)
    return extras
