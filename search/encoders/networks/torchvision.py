"""Any classification network of torchvision, by its name there: ResNet, VGG, Inception, EfficientNet, ConvNeXt, ViT…"""

import threading
from collections.abc import Sequence
from importlib.metadata import version as package_version
from typing import Any, Literal
from urllib.error import URLError

import numpy as np
from PIL import Image

from search.encoders.base import EncoderError, Network
from search.encoders.networks.devices import at_once, chosen_device, placed, prepare_torch
from search.encoders.networks.weights import file_digest, load_state

HUB = "DEFAULT"
_RANDOM = "random:"
# These build themselves with random numbers drawn one by one, which takes a minute, unless told not to; and with
# weights of torchvision's own they change the pictures' scale.
_INCEPTIONS = {"inception_v3", "googlenet"}


class TorchvisionNetwork(Network):
    """A network of ``torchvision.models``, with torchvision's own transforms.

    :param model: its name there, as ``resnet50``
    :param weights: ``DEFAULT`` or another name of its weights, which torchvision downloads when the network is first
        loaded; or the path of a state dict; or ``random:<seed>`` to try the mechanics without any
    :param output: ``pooled`` for what the last layer is given, ``logits`` for what it says
    """

    version = 1

    def __init__(self, model: str, weights: str = HUB, output: Literal["pooled", "logits"] = "pooled") -> None:
        if output not in ("pooled", "logits"):
            raise EncoderError(f"output is {output!r}; it is pooled or logits.")
        if weights.startswith(_RANDOM) and not weights.removeprefix(_RANDOM).isdigit():
            raise EncoderError(f"weights is {weights!r}; random weights have a seed, as random:1.")
        self.model, self.weights, self.output = model, weights, output
        self._loading = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None  # the module, and torchvision's transforms for it
        self._dimension = 0

    @property
    def _is_file(self) -> bool:
        return "/" in self.weights or "\\" in self.weights or "." in self.weights

    @property
    def fingerprint(self) -> str:
        # Names of weights, and what they stand for, come with the package.
        return file_digest(self.weights) if self._is_file else package_version("torchvision")

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

        module, transforms = self._loaded  # type: ignore[misc]
        device, rows = chosen_device(), []
        dtype = next(module.parameters()).dtype
        with torch.inference_mode():
            for start in range(0, len(pictures), at_once(device)):
                few = [transforms(picture) for picture in pictures[start : start + at_once(device)]]
                rows.append(module(torch.stack(few).to(device, dtype)).flatten(1).float().cpu().numpy())
        return np.concatenate(rows)

    def _built(self) -> tuple[Any, Any]:
        import torch
        from torchvision import models

        prepare_torch()
        if self.model not in models.list_models(module=models):
            raise EncoderError(f"torchvision has no classification network {self.model!r}; see torchvision.models.")
        published = models.get_model_weights(self.model)
        shape = {"transform_input": True, "init_weights": False} if self.model in _INCEPTIONS else {}
        if self.weights.startswith(_RANDOM):
            generator_state = torch.random.get_rng_state()
            torch.manual_seed(int(self.weights.removeprefix(_RANDOM)))
            module = models.get_model(self.model, weights=None, **shape)
            torch.random.set_rng_state(generator_state)
            transforms = published.DEFAULT.transforms()
        elif self._is_file:
            module = models.get_model(self.model, weights=None, **shape)
            load_state(module, self.weights)
            transforms = published.DEFAULT.transforms()
        else:
            if self.weights not in (HUB, *published.__members__):
                raise EncoderError(
                    f"{self.model} has no weights {self.weights!r}. There are: {', '.join(published.__members__)}; or "
                    "give the path of a state dict."
                )
            chosen = published[self.weights]
            try:
                module = models.get_model(self.model, weights=chosen)
            except (URLError, OSError, RuntimeError) as error:
                raise EncoderError(
                    f"the weights of {self.model} cannot be downloaded ({error}). Fetch {chosen.url} elsewhere, and "
                    "give the file's path as weights."
                ) from error
            transforms = chosen.transforms()
        if self.output == "pooled":
            _remove_last_layer(module, self.model)
        return placed(module), transforms


def _remove_last_layer(module: Any, name: str) -> None:
    """Let the network answer with what its last layer would be given."""
    from torch.nn import Identity, Linear

    layers = [path for path, layer in module.named_modules() if isinstance(layer, Linear)]
    if not layers:
        raise EncoderError(f"{name} does not end in a linear layer, so it has no pooled output: use output logits.")
    parent, _dot, last = layers[-1].rpartition(".")
    setattr(module.get_submodule(parent), last, Identity())
