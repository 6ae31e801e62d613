"""Boxes from an object detector of torchvision, for whoever has its weights: ``REGION_DETECTOR=model:path``."""

import threading
from typing import Any

import numpy as np
from PIL import Image

from search.encoders.base import EncoderError
from search.encoders.networks.devices import chosen_device, prepare_torch
from search.encoders.networks.weights import file_digest, load_state
from search.regions.boxes import Box, likeliest

_LEAST_CONFIDENCE = 0.3
_LONGEST_SIDE = 800  # pixels; the models scale further down by themselves


class Detector:
    """A model of ``torchvision.models.detection`` with the weights of a file.

    :param model: its name there, as ``fasterrcnn_mobilenet_v3_large_320_fpn``
    :param path: a state dict, with as many classes as torchvision's own (91, of COCO)
    :raises EncoderError: when the file cannot be read
    """

    def __init__(self, model: str, path: str) -> None:
        self.model, self.path = model, path
        # Boxes of other weights are other boxes: what was stored under another name is sought anew.
        self.method = f"{model[:29]}-{file_digest(path)[:10]}"
        self._loading = threading.Lock()
        self._network: Any = None

    def load(self) -> None:
        """
        :raises EncoderError: when torchvision has no such detector, or the file is of another
        """
        with self._loading:
            if self._network is None:
                self._network = self._built()

    def _built(self) -> Any:
        import torch
        from torchvision import models

        prepare_torch()
        if self.model not in models.list_models(module=models.detection):
            known = ", ".join(models.list_models(module=models.detection))
            raise EncoderError(f"torchvision has no detector {self.model!r}. It has: {known}.")
        network = models.get_model(self.model, weights=None, weights_backbone=None)
        load_state(network, self.path)
        return network.eval().requires_grad_(False).to(torch.device(chosen_device()))

    def boxes(self, picture: Image.Image, most: int, fills: float) -> list[Box]:
        """At most ``most`` boxes of an RGB picture that are smaller than ``fills``, the likeliest first."""
        self.load()
        import torch

        small = picture.copy()
        small.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
        pixels = torch.from_numpy(np.array(small)).permute(2, 0, 1).float().div_(255).to(chosen_device())
        with torch.inference_mode():
            found = self._network([pixels])[0]
        sides = np.array([small.width, small.height] * 2, dtype=np.float32)
        corners = np.clip(found["boxes"].cpu().numpy() / sides, 0, 1)
        scores = found["scores"].cpu().numpy()
        boxes = [
            Box(float(corner[0]), float(corner[1]), float(corner[2]), float(corner[3]), float(score))
            for corner, score in zip(corners, scores, strict=True)
            if score >= _LEAST_CONFIDENCE and (corner[2:] > corner[:2]).all()
        ]
        return likeliest(boxes, most, fills)
