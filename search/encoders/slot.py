"""One encoder slot a process, with a short queue: a crowd waits its turn or is told when to come back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from django.conf import settings
from PIL import Image

from search.encoders.base import Described, Encoder

_slot = threading.Lock()
_waiting = threading.BoundedSemaphore(1 + max(1, settings.ENCODER_QUEUE))


class EncoderBusy(Exception):
    """Too many pictures, or words for a text tower, are waiting to be encoded in this process."""

    def __init__(self, retry_after: int):
        super().__init__(f"The encoder is busy. Try again in {retry_after} seconds.")
        self.retry_after = retry_after  # seconds


@contextmanager
def turn() -> Iterator[None]:
    """This process's turn at a network.

    :raises EncoderBusy: when the queue is full, or the turn does not come within ``ENCODER_WAIT_SECONDS``
    """
    retry_after = max(1, round(settings.ENCODER_WAIT_SECONDS))
    if not _waiting.acquire(blocking=False):
        raise EncoderBusy(retry_after)
    try:
        if not _slot.acquire(timeout=settings.ENCODER_WAIT_SECONDS):
            raise EncoderBusy(retry_after)
        try:
            yield
        finally:
            _slot.release()
    finally:
        _waiting.release()


def encode_one(encoder: Encoder, picture: Image.Image) -> dict[str, np.ndarray]:
    """Encode one picture when the slot is free.

    :raises EncoderBusy: when the queue is full, or the turn does not come within ``ENCODER_WAIT_SECONDS``
    """
    with turn():
        return encoder.encode([picture])[0]


def describe_one(encoder: Encoder, picture: Image.Image) -> Described:
    """The same with the classes that the network names, in the same pass.

    :raises EncoderBusy: when the queue is full, or the turn does not come within ``ENCODER_WAIT_SECONDS``
    """
    with turn():
        return encoder.describe([picture])[0]
