"""A network's own text tower in the place of a text encoder: its texts lie in the space of its pictures."""

from collections.abc import Sequence

import numpy as np

from search.encoders.base import Encoder
from search.encoders.slot import turn
from search.text_to_picture.encoder import TextEncoder

PROMPT = "a photo of a {}"  # of A. Radford et al., "Learning Transferable Visual Models…" (2021)


class Tower(TextEncoder):
    """The text tower of an encoder's network."""

    def __init__(self, encoder: Encoder) -> None:
        self._network = encoder.network
        self.identity = encoder.identity

    @property
    def is_installed(self) -> bool:
        return True

    def load(self) -> None:
        self._network.load()

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = self._network.embed_texts([PROMPT.format(text) for text in texts])
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), dtype=np.float32)

    def embed_typed(self, text: str) -> np.ndarray:
        """
        :raises EncoderBusy: when too many wait for the encoder
        :raises EncoderError: when the network cannot be loaded
        """
        with turn():
            return super().embed_typed(text)
