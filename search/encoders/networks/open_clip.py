"""Networks of open_clip, trained on pictures with their captions: what they say of pictures and of texts compares.

An extra: ``pip install open_clip_torch``.
"""

import threading
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from typing import Any

import numpy as np
from PIL import Image

from search.encoders.base import EncoderError, Network
from search.encoders.networks.devices import at_once, chosen_device, placed, prepare_torch
from search.encoders.networks.weights import file_digest

_RANDOM = "random:"


class OpenClipNetwork(Network):
    """The image and text towers of an open_clip model.

    :param model: its name there, as ``ViT-B-32``
    :param weights: a name of its pretrained weights, which open_clip downloads when the network is first loaded; or the
        path of a file of them; or ``random:<seed>`` to try the mechanics without any
    """

    version = 1

    def __init__(self, model: str, weights: str) -> None:
        self.model, self.weights = model, weights
        self._loading = threading.Lock()
        self._loaded: tuple[Any, Any, Any] | None = None  # the model, its transforms, its tokenizer
        self._dimension = 0

    @property
    def fingerprint(self) -> str:
        if "/" in self.weights or "." in self.weights:
            return file_digest(self.weights)
        try:
            return package_version("open_clip_torch")
        except PackageNotFoundError as error:
            raise EncoderError("open_clip is not installed: pip install open_clip_torch") from error

    @property
    def dimension(self) -> int:
        if not self._dimension:
            self._dimension = self.embed([Image.new("RGB", (64, 64))]).shape[1]
        return self._dimension

    def load(self) -> None:
        with self._loading:
            if self._loaded is None:
                self._loaded = self._built()

    def embed(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        self.load()
        import torch

        model, transforms, _tokenizer = self._loaded  # type: ignore[misc]
        device, rows = chosen_device(), []
        dtype = next(model.parameters()).dtype
        with torch.inference_mode():
            for start in range(0, len(pictures), at_once(device)):
                few = [transforms(picture) for picture in pictures[start : start + at_once(device)]]
                rows.append(model.encode_image(torch.stack(few).to(device, dtype)).float().cpu().numpy())
        return np.concatenate(rows)

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Texts → ``(n, dimension)`` float32, in the same space as pictures, of any length.

        :raises EncoderError: when it cannot be loaded
        """
        self.load()
        import torch

        model, _transforms, tokenizer = self._loaded  # type: ignore[misc]
        with torch.inference_mode():
            return model.encode_text(tokenizer(list(texts)).to(chosen_device())).float().cpu().numpy()

    def _built(self) -> tuple[Any, Any, Any]:
        try:
            import open_clip
        except ImportError as error:
            raise EncoderError("open_clip is not installed: pip install open_clip_torch") from error
        import torch

        prepare_torch()
        if self.model not in open_clip.list_models():
            raise EncoderError(f"open_clip has no model {self.model!r}; see open_clip.list_models().")
        random = self.weights.startswith(_RANDOM)
        generator_state = torch.random.get_rng_state()
        if random:
            torch.manual_seed(int(self.weights.removeprefix(_RANDOM)))
        try:
            model, _training, transforms = open_clip.create_model_and_transforms(
                self.model, pretrained=None if random else self.weights
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise EncoderError(f"the weights {self.weights} of {self.model} cannot be loaded: {error}") from error
        finally:
            torch.random.set_rng_state(generator_state)
        return placed(model), transforms, open_clip.get_tokenizer(self.model)
