"""Encoders by name. An encoder turns pictures into named parts; torch is imported when one is first built."""

from functools import cache

from django.utils.module_loading import import_string

from search.encoders.base import Encoder, EncoderError

__all__ = ["ENCODERS", "Encoder", "EncoderError", "encoder_for", "get_encoder"]

ENCODERS = {
    "efficientnet-lite0": "search.encoders.efficientnet.EfficientNetLite0",
    "efficientnet-lite2": "search.encoders.efficientnet.EfficientNetLite2",
}


@cache
def get_encoder(name: str) -> Encoder:
    """The process's one encoder of this name; the model itself is loaded when it first encodes.

    :raises EncoderError: when there is none of this name
    """
    if name not in ENCODERS:
        raise EncoderError(f"There is no encoder {name!r}. There are: {', '.join(ENCODERS)}.")
    return import_string(ENCODERS[name])()


def encoder_for(identity: str) -> Encoder:
    """The encoder of a generation, by ``"name@version"``.

    :raises LookupError: when that encoder, or that version of it, is no longer there
    """
    name = identity.rpartition("@")[0]
    if name not in ENCODERS or get_encoder(name).identity != identity:
        raise LookupError(f"The encoder {identity} is not installed. Build a new generation with another encoder.")
    return get_encoder(name)
