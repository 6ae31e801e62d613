"""Any classification network of torchvision, by its name there: ResNet, VGG, Inception, EfficientNet, ConvNeXt, ViT…"""

from collections.abc import Callable, Mapping
from functools import cached_property
from importlib.metadata import version as package_version
from typing import Any, Literal
from urllib.error import URLError

import numpy as np

from search.encoders.base import EncoderError
from search.encoders.networks.devices import placed, prepare_torch
from search.encoders.networks.transformed import TransformedNetwork, Transforms
from search.encoders.networks.weights import checked, file_digest, is_file, load_state, require_unchanged, seed_of
from search.recognition import CLASSES

HUB = "DEFAULT"
# These build themselves with random numbers drawn one by one, which takes a minute, unless told not to; and with
# weights of torchvision's own they change the pictures' scale.
_INCEPTIONS = {"inception_v3", "googlenet"}


class TorchvisionNetwork(TransformedNetwork):
    """A network of ``torchvision.models``, with torchvision's own transforms.

    It names classes if its last layer comes with its weights and tells as many classes apart as ImageNet-1k has.

    :param model: its name there, as ``resnet50``
    :param weights: a name of its weights, as ``IMAGENET1K_V1``, which torchvision downloads when the network is first
        loaded; ``DEFAULT`` are those that the installed torchvision holds best, so that an upgrade changes the
        encoder's identity; or the path of a state dict; or ``random:<seed>`` to try the mechanics without any
    :param output: ``pooled`` for what the last layer is given, ``logits`` for what it says
    """

    version = 1

    def __init__(self, model: str, weights: str = HUB, output: Literal["pooled", "logits"] = "pooled") -> None:
        super().__init__()
        if output not in ("pooled", "logits"):
            raise EncoderError(f"output is {output!r}; it is pooled or logits.")
        self.model, self.weights, self.output = model, checked(weights), output
        self._classify: Callable[[Any], Any] | None = None  # answers → logits; None before loading, and without classes

    @cached_property
    def resolved_options(self) -> Mapping[str, str]:
        weights = self.weights
        if is_file(weights):
            weights = file_digest(weights)
        elif weights == HUB:
            weights = f"{HUB} of {package_version('torchvision')}"
        return {"model": self.model, "weights": weights, "output": self.output}

    def logits_of(self, answer: Any) -> Any:
        return None if self._classify is None else self._classify(answer)

    def class_vectors(self) -> np.ndarray | None:
        self.load()
        if self._classify is None:
            return None
        weight = getattr(self._classify, "weight", None)
        # Without a last layer of its own, ``deep`` is the logits themselves: a class is an axis.
        return np.eye(CLASSES, dtype=np.float32) if weight is None else weight.detach().float().cpu().numpy()

    def built(self) -> tuple[Any, Transforms]:
        import torch
        from torch.nn import Identity
        from torchvision import models

        prepare_torch()
        if self.model not in models.list_models(module=models):
            raise EncoderError(f"torchvision has no classification network {self.model!r}; see torchvision.models.")
        published = models.get_model_weights(self.model)
        shape = {"transform_input": True, "init_weights": False} if self.model in _INCEPTIONS else {}
        seed = seed_of(self.weights)
        if seed is not None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                module = models.get_model(self.model, weights=None, **shape)
            transforms, knows_classes = published.DEFAULT.transforms(), False
        elif is_file(self.weights):
            module = models.get_model(self.model, weights=None, **shape)
            optional = _last_layer(module, self.model) if self.output == "pooled" else ""
            knows_classes = load_state(module, self.weights, optional)
            require_unchanged(self.weights, self.resolved_options["weights"])
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
            transforms, knows_classes = chosen.transforms(), len(chosen.meta.get("categories", ())) == CLASSES
        last = _taken_off(module, _last_layer(module, self.model)) if self.output == "pooled" else Identity()
        self._classify = placed(last) if knows_classes else None
        return placed(module), transforms


def _last_layer(module: Any, name: str) -> str:
    """The path of the layer that tells classes apart; what it is given is the pooled output.

    :raises EncoderError: for networks that tell them apart by a convolution
    """
    from torch.nn import Linear

    layers = [path for path, layer in module.named_modules() if isinstance(layer, Linear)]
    if not layers:
        raise EncoderError(f"{name} does not end in a linear layer, so it has no pooled output: use output logits.")
    return layers[-1]


def _taken_off(module: Any, path: str) -> Any:
    """The layer, in whose place the module lets through what the layer was given."""
    from torch.nn import Identity

    layer = module.get_submodule(path)
    parent, _dot, last = path.rpartition(".")
    setattr(module.get_submodule(parent), last, Identity())
    return layer
