"""What networks share that come with transforms of their own for single pictures."""

import abc
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from search.encoders.base import Network
from search.encoders.framing import middle_of_thin
from search.encoders.networks.devices import at_once, chosen_device

Transforms = Callable[[Image.Image], Any]  # an RGB picture → a (3, h, w) tensor


class TransformedNetwork(Network):
    """Loaded once, run on a few pictures at a time; how long its answers are is learnt by running it once."""

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._loaded: tuple[Any, Transforms] | None = None
        self._dimension = 0

    @property
    def dimension(self) -> int:
        if not self._dimension:
            self._dimension = self.embed([Image.new("RGB", (64, 64))]).shape[1]
        return self._dimension

    def load(self) -> None:
        self._ready()

    def embed(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        return self.embed_and_classify(pictures)[0]

    def embed_and_classify(self, pictures: Sequence[Image.Image]) -> tuple[np.ndarray, np.ndarray | None]:
        model, transforms = self._ready()
        import torch

        device, rows, classes = chosen_device(), [], []
        dtype = next(model.parameters()).dtype
        with torch.inference_mode():
            for start in range(0, len(pictures), at_once(device)):
                few = [transforms(middle_of_thin(picture)) for picture in pictures[start : start + at_once(device)]]
                answer = self.answer_of(model, torch.stack(few).to(device, dtype)).flatten(1)
                rows.append(answer.float().cpu().numpy())
                if (logits := self.logits_of(answer)) is not None:
                    classes.append(logits.float().softmax(1).cpu().numpy())
        return np.concatenate(rows), np.concatenate(classes) if classes else None

    def _ready(self) -> tuple[Any, Transforms]:
        with self._loading:
            if self._loaded is None:
                self._loaded = self.built()
            return self._loaded

    @abc.abstractmethod
    def built(self) -> tuple[Any, Transforms]:
        """The model in its place, and its transforms.

        :raises EncoderError: when it cannot be loaded
        """

    def answer_of(self, model: Any, batch: Any) -> Any:
        """What the model says of a ``(n, 3, h, w)`` tensor: ``(n, …)``."""
        return model(batch)

    def logits_of(self, answer: Any) -> Any:
        """``(n, 1000)`` logits of ImageNet-1k from ``(n, dimension)`` answers; None where the network knows none."""
        return None
