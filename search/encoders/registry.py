"""From ``SEARCH_ENCODERS`` to encoders, and from an identity back to the one that has it."""

import hashlib
import json
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from search.encoders.base import Descriptor, Encoder, EncoderError, Network
from search.encoders.descriptors.color import Color
from search.encoders.descriptors.shape import Shape
from search.encoders.descriptors.texture import Texture

DESCRIPTORS: tuple[Descriptor, ...] = (Color(), Texture(), Shape())
PARTS = ("deep", *(descriptor.name for descriptor in DESCRIPTORS))
# Chosen by measurement on photographs of clothing; see docs/encoders.md.
DEFAULT_WEIGHTS = {"deep": 0.85, "color": 0.05, "texture": 0.0, "shape": 0.1}
_KEYS = {"BACKEND", "OPTIONS", "WEIGHTS"}
_LONGEST_NAME = 60


def encoder_names() -> list[str]:
    return list(settings.SEARCH_ENCODERS)


@cache
def get_encoder(name: str) -> Encoder:
    """The process's one encoder of this name; the network is loaded when it is first used.

    :raises EncoderError: when there is none of this name, or its entry in ``SEARCH_ENCODERS`` cannot be used
    """
    entry = settings.SEARCH_ENCODERS.get(name)
    if entry is None:
        raise EncoderError(f"There is no encoder {name!r}. SEARCH_ENCODERS has: {', '.join(encoder_names())}.")
    try:
        return _made(name, entry)
    except EncoderError as error:
        raise EncoderError(f"SEARCH_ENCODERS, {name!r}: {error}") from error


def encoder_for(identity: str) -> Encoder:
    """The encoder of a generation, by ``"name@version"``; also the one that an earlier release's defaults made.

    :raises LookupError: when that encoder, or that version of it, is no longer there
    """
    name = identity.rpartition("@")[0]
    try:
        encoder = get_encoder(name)
    except EncoderError as error:
        raise LookupError(
            f"The encoder {identity} is not installed. Build a new generation with another encoder. {error}"
        ) from error
    for one in (encoder, *_former_encoders(name)):
        if one.identity == identity:
            return one
    raise LookupError(
        f"The encoder {identity} is not installed: {name} is {encoder.identity} now. Build a new generation: "
        f"manage.py index build --encoder {name}"
    )


@cache
def _former_encoders(name: str) -> tuple[Encoder, ...]:
    """The encoder of this name as earlier releases made it of the same entry. None loads before it is used."""
    entry = settings.SEARCH_ENCODERS[name]
    return tuple(
        _made(name, {**entry, "OPTIONS": {**former, **entry.get("OPTIONS", {})}})
        for former in get_encoder(name).network.former_defaults
    )


def _made(name: str, entry: Mapping[str, Any]) -> Encoder:
    if not isinstance(entry, Mapping) or "BACKEND" not in entry or entry.keys() - _KEYS:
        raise EncoderError("an entry has BACKEND, and may have OPTIONS and WEIGHTS.")
    if not 0 < len(name) <= _LONGEST_NAME or "@" in name:
        raise EncoderError(f"a name has at most {_LONGEST_NAME} characters and no @.")
    backend, options = str(entry["BACKEND"]), entry.get("OPTIONS", {})
    try:
        network = import_string(backend)(**options)
    except ImportError as error:
        raise EncoderError(f"BACKEND cannot be imported: {error}") from error
    except TypeError as error:
        raise EncoderError(f"OPTIONS do not fit: {error}") from error
    if not isinstance(network, Network):
        raise EncoderError("BACKEND is no network: see search.encoders.base.Network.")
    return Encoder(f"{name}@{_version(network, backend, options)}", network, DESCRIPTORS, _weights(entry))


def _version(network: Network, backend: str, options: Mapping[str, Any]) -> str:
    """The network's version, and eight signs that differ wherever the numbers may."""
    resolved = network.resolved_options
    left_out = {option for option, value in resolved.items() if value is None}
    facts = [
        backend,
        sorted((option, value) for option, value in {**options, **resolved}.items() if option not in left_out),
        network.version,
        [(descriptor.name, descriptor.version, descriptor.dimension) for descriptor in DESCRIPTORS],
    ]
    digest = hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()
    return f"{network.version}-{digest[:8]}"


def _weights(entry: Mapping[str, Any]) -> dict[str, float]:
    given = entry.get("WEIGHTS")
    if given is None:
        return dict(DEFAULT_WEIGHTS)
    numeric = isinstance(given, Mapping) and all(
        isinstance(weight, int | float) and math.isfinite(weight) and weight >= 0 for weight in given.values()
    )
    if not numeric or given.keys() - set(PARTS) or sum(given.values()) <= 0:
        raise EncoderError(f"WEIGHTS gives numbers from 0 to parts of {', '.join(PARTS)}, one at least above 0.")
    total = sum(given.values())
    return {part: float(given.get(part, 0)) / total for part in PARTS}


def _forget_encoders(*, setting: str, **kwargs: Any) -> None:
    if setting == "SEARCH_ENCODERS":
        get_encoder.cache_clear()
        _former_encoders.cache_clear()


setting_changed.connect(_forget_encoders)  # sent by tests alone
