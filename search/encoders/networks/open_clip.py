"""Networks of open_clip, trained on pictures with their captions: what they say of pictures and of texts compares.

An extra: ``pip install open_clip_torch``.
"""

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np
from PIL import Image

from search.encoders.base import EncoderError, Network
from search.encoders.framing import middle_of_thin
from search.encoders.networks.devices import at_once, chosen_device, placed, prepare_torch
from search.encoders.networks.weights import checked, file_digest, is_file, require_unchanged, seed_of

_MISSING = "open_clip is not installed: pip install open_clip_torch"


class OpenClipNetwork(Network):
    """The image and text towers of an open_clip model.

    :param model: its name there, as ``ViT-B-32``
    :param weights: a name of its pretrained weights, which open_clip downloads when the network is first loaded; or the
        path of a file of them; or ``random:<seed>`` to try the mechanics without any
    """

    version = 1

    def __init__(self, model: str, weights: str) -> None:
        self.model, self.weights = model, checked(weights)
        self._loading = threading.Lock()
        self._loaded: tuple[Any, Any, Any] | None = None  # the model, its transforms, its tokenizer
        self._dimension = 0

    @cached_property
    def resolved_options(self) -> Mapping[str, str]:
        if find_spec("open_clip") is None:  # asked here, so that a system check tells it
            raise EncoderError(_MISSING)
        return {
            "model": self.model,
            "weights": file_digest(self.weights) if is_file(self.weights) else self.weights,
        }

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
                few = [transforms(middle_of_thin(picture)) for picture in pictures[start : start + at_once(device)]]
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
            raise EncoderError(_MISSING) from error
        import torch

        prepare_torch()
        if self.model not in open_clip.list_models():
            raise EncoderError(f"open_clip has no model {self.model!r}; see open_clip.list_models().")
        seed = seed_of(self.weights)
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed or 0)
                model, _training, transforms = open_clip.create_model_and_transforms(
                    self.model, pretrained=self.weights if seed is None else None
                )
        except (OSError, RuntimeError, ValueError) as error:
            raise EncoderError(f"the weights {self.weights} of {self.model} cannot be loaded: {error}") from error
        if is_file(self.weights):
            require_unchanged(self.weights, self.resolved_options["weights"])
        return placed(model), transforms, open_clip.get_tokenizer(self.model)
