"""A text encoder for tests: texts are near as far as they share triples of letters. It needs no model and is quick."""

import hashlib
from collections.abc import Sequence

import numpy as np

from search.text_to_picture.encoder import TextEncoder

_DIMENSION = 256


class LetterTriples(TextEncoder):
    """``(256,)`` counts of hashed triples, of unit length. ``asked`` holds every text that was embedded."""

    identity = "letter-triples@1"

    def __init__(self) -> None:
        self.asked: list[str] = []

    @property
    def is_installed(self) -> bool:
        return True

    def load(self) -> None:
        """Nothing is needed."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        return np.stack([_row(text) for text in texts])


class NotInstalled(LetterTriples):
    @property
    def is_installed(self) -> bool:
        return False


def _row(text: str) -> np.ndarray:
    row = np.full(_DIMENSION, 0.01, dtype=np.float32)
    padded = f" {text.lower()} "
    for start in range(len(padded) - 2):
        digest = hashlib.sha256(padded[start : start + 3].encode()).digest()
        row[digest[0]] += 1.0
    return row / np.linalg.norm(row)
