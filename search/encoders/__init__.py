"""Encoders by the names of ``SEARCH_ENCODERS``; a network is loaded when it is first used, and once a process."""

from search.encoders.base import Encoder, EncoderError
from search.encoders.registry import encoder_for, encoder_names, get_encoder

__all__ = ["Encoder", "EncoderError", "encoder_for", "encoder_names", "get_encoder"]
