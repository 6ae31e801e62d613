"""The interface to a text encoder, and the process's one of it. Optional: without it, words are searched as text."""

import abc
from collections.abc import Sequence
from functools import cache

import numpy as np
from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string


class TextEncoder(abc.ABC):
    """Says how near texts are in meaning. A constructor loads nothing."""

    identity: str  # the model and whatever decides its numbers

    @property
    @abc.abstractmethod
    def is_installed(self) -> bool:
        """Whether it can be used here. Loads nothing."""

    @abc.abstractmethod
    def load(self) -> None:
        """Load what ``embed`` needs. Idempotent; threads may call it at once.

        :raises EncoderError: when it cannot be loaded
        """

    @abc.abstractmethod
    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Texts → ``(n, d)`` float32, rows of unit length. Threads may call it at once.

        :raises EncoderError: when what it needs cannot be loaded
        """

    def embed_typed(self, text: str) -> np.ndarray:
        """The ``(d,)`` of what somebody typed and waits for. What is as costly as a picture waits its turn here.

        :raises EncoderBusy: when too many wait for the encoder
        """
        return self.embed([text])[0]


@cache
def _made(path: str) -> TextEncoder:
    """
    :raises ImportError: when there is none of this name
    """
    encoder = import_string(path)()
    if not isinstance(encoder, TextEncoder):
        raise ImportError(f"{path} is no text encoder: see search.text_to_picture.encoder.TextEncoder.")
    return encoder


def get_text_encoder() -> TextEncoder | None:
    """The process's text encoder; None where it is turned off or not installed.

    :raises ImportError: when the setting names none; a system check says so
    """
    if not settings.TEXT_ENCODER:
        return None
    encoder = _made(settings.TEXT_ENCODER)
    return encoder if encoder.is_installed else None


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == "TEXT_ENCODER":
        _made.cache_clear()


setting_changed.connect(_forget)  # sent by tests alone
