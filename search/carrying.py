"""Vectors that leave with an export and come along with an import, so that no model has to run for them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from django.utils.translation import gettext as _

from gallery.importing.vectors import Vector
from gallery.models import Image
from search.encoders import EncoderError, encoder_for
from search.encoders.base import Encoder
from search.models import Embedding, Generation

_LEAST_LENGTH = 1e-6  # of a part; a shorter one has no direction
_NUMBERS_KEPT = 7  # digits behind the point: as exact as float32 of unit length


def fields_of_images(images: Sequence[Image]) -> Mapping[UUID, Mapping[str, Any]]:
    """Encoder and vector of each image for the exported document: as the live generation's encoder gave them.

    ``image_vector`` holds the parts one after the other, ``image_vector_parts`` says from where to where each goes.
    """
    live = Generation.objects.live()
    if live is None:
        return {}
    name, _at, version = live.encoder.rpartition("@")
    stored = Embedding.objects.by_hash(live.encoder, (image.sha256 for image in images))
    fields: dict[UUID, dict[str, Any]] = {}
    for image in images:
        if row := stored.get(image.sha256):
            numbers = np.frombuffer(row.numbers, dtype="<f4")
            fields[image.pk] = {
                "encoder": {"name": name, "version": version},
                "image_vector": [round(float(number), _NUMBERS_KEPT) for number in numbers],
                "image_vector_parts": row.parts,
            }
    return fields


def take_vector(sender: object, vector: Vector, sha256: str, **kwargs: Any) -> str:
    """Receiver of ``vector_offered``: store it as the embedding of that file, unless there is one.

    :return: why it is not taken; the indexing loop embeds the picture then
    """
    try:
        encoder = encoder_for(vector.identity)
        parts = _parts_of(vector, encoder)
    except (LookupError, EncoderError):
        return _("The vector's encoder “%(encoder)s” is unknown here; the picture is embedded.") % {
            "encoder": vector.identity[:100]
        }
    except ValueError as error:
        return _("The vector is not used, the picture is embedded: %(reason)s") % {"reason": error}
    if sha256:
        row = Embedding(sha256=sha256, encoder=encoder.identity)
        row.vectors = parts
        Embedding.objects.bulk_create([row], ignore_conflicts=True)
    return ""


def _parts_of(vector: Vector, encoder: Encoder) -> dict[str, np.ndarray]:
    """Part name → ``(d,)`` float32 of unit length.

    :raises ValueError: saying what is wrong with it
    """
    numbers = _numbers(vector.numbers)
    lengths = dict(encoder.dimensions)
    parts: dict[str, np.ndarray] = {}
    for name, (start, end) in _places(vector.parts, lengths, len(numbers)).items():
        part = numbers[start:end]
        length = float(np.linalg.norm(part))
        if length < _LEAST_LENGTH:
            raise ValueError(_("the part “%(part)s” has no length.") % {"part": name})
        parts[name] = (part / length).astype(np.float32)
    return parts


def _numbers(given: Any) -> np.ndarray:
    if not isinstance(given, list) or not all(type(number) in (int, float) for number in given):
        raise ValueError(_("it is no list of numbers."))
    try:
        numbers = np.array(given, dtype=np.float64)
    except OverflowError:
        numbers = np.array([np.inf])
    if not np.isfinite(numbers).all() or (np.abs(numbers) > 1e12).any():
        raise ValueError(_("it has numbers that are none."))
    return numbers


def _places(given: Any, lengths: Mapping[str, int], total: int) -> dict[str, tuple[int, int]]:
    """Where each part lies: as the row says, or all of them in their order."""
    if given is None:
        if total != sum(lengths.values()):
            raise ValueError(
                _("it has %(count)d numbers, and the encoder gives %(expected)d.")
                % {"count": total, "expected": sum(lengths.values())}
            )
        ends = np.cumsum(list(lengths.values())).tolist()
        return {name: (end - lengths[name], end) for name, end in zip(lengths, ends, strict=True)}
    places: dict[str, tuple[int, int]] = {}
    for name, place in given.items() if isinstance(given, Mapping) else ():
        if name not in lengths or not isinstance(place, list) or [type(edge) for edge in place] != [int, int]:
            raise ValueError(_("its parts are not those of the encoder."))
        start, end = place
        if not 0 <= start <= end <= total or end - start != lengths[name]:
            raise ValueError(
                _("the part “%(part)s” has %(count)d numbers, and the encoder gives %(expected)d.")
                % {"part": name, "count": min(end, total) - start, "expected": lengths[name]}
            )
        places[name] = (start, end)
    if "deep" not in places:
        raise ValueError(_("the part “deep” is missing."))
    return places
