"""Networks of open_clip, trained on pictures with their captions: what they say of pictures and of texts compares.

An extra: ``pip install open_clip_torch``.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np

from search.encoders.base import EncoderError
from search.encoders.networks.devices import chosen_device, placed, prepare_torch
from search.encoders.networks.transformed import TransformedNetwork, Transforms
from search.encoders.networks.weights import checked, file_digest, is_file, require_unchanged, seed_of

_MISSING = "open_clip is not installed: pip install open_clip_torch"


class OpenClipNetwork(TransformedNetwork):
    """The image and text towers of an open_clip model.

    :param model: its name there, as ``ViT-B-32``
    :param weights: a name of its pretrained weights, which open_clip downloads when the network is first loaded; or the
        path of a file of them; or ``random:<seed>`` to try the mechanics without any
    """

    version = 1

    def __init__(self, model: str, weights: str) -> None:
        super().__init__()
        self.model, self.weights = model, checked(weights)

    @cached_property
    def resolved_options(self) -> Mapping[str, str]:
        if find_spec("open_clip") is None:  # asked here, so that a system check tells it
            raise EncoderError(_MISSING)
        return {
            "model": self.model,
            "weights": file_digest(self.weights) if is_file(self.weights) else self.weights,
        }

    def answer_of(self, model: Any, batch: Any) -> Any:
        return model.encode_image(batch)

    @property
    def reads_texts(self) -> bool:
        return True

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        model, _transforms = self._ready()
        import open_clip
        import torch

        tokens = open_clip.get_tokenizer(self.model)(list(texts))
        with torch.inference_mode():
            return model.encode_text(tokens.to(chosen_device())).float().cpu().numpy()

    def built(self) -> tuple[Any, Transforms]:
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
        return placed(model), transforms
