"""Boxes from the bundled network and the colours of the ground; nothing was trained for it.

The last feature map of EfficientNet-Lite answers strongly where there is a thing, whatever its class: on composed
scenes its mean magnitude ranks what lies inside of the true boxes above the ground in 97 of 100 pairs, on textured
grounds too. It has one cell for 32 pixels, too coarse for a box. So it says which pixels are surely ground, their
colours say which pixels differ from it, and both together give the map whose connected parts are the boxes.
"""

from functools import cache
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.color import rgb2lab

from search.encoders.networks.devices import chosen_device
from search.encoders.networks.efficientnet_lite import EfficientNetLite
from search.regions.boxes import Box, likeliest

_STRIDE = 32  # pixels of input for one cell of the last feature map
_INPUT_SIDE = 384  # pixels of the longer side; two objects are told apart from about 64 pixels on
_MAP_SIDE = 128  # pixels of the map that boxes are read from
_LIGHTNESS = 0.6  # counts for less than colour: a shadow belongs to the ground
_NEARNESS = 12.0  # Delta E for the length of the picture: ground is compared with ground nearby
_SAMPLES = 249  # pixels that stand for the ground, in three groups
_SAME, _OTHER = 4.0, 24.0  # Delta E up to which a pixel is ground, and from which it is not
_SHARPNESS = 0.4  # how much the network's coarse map counts beside the colours
_LEVELS = (0.15, 0.3, 0.45, 0.6, 0.75)  # the map is cut at each, and its parts at all of them compete
_LEAST_AREA, _LEAST_SIDE = 0.004, 0.04  # of the picture
_LEAST_CONTRAST = 0.1
_RING = 0.15  # width of the surroundings that a box is compared with, of its longer side
_AIR = 0.02  # of a box's sides, added on each side: outlines are pale, and the map is coarse
_SIZE_COUNTS = 0.2  # exponent of the area: of two boxes with one contrast the larger is likelier


class _FeatureMap(EfficientNetLite):
    """The network up to its last feature map, kept as a map."""

    def magnitude(self, picture: Image.Image) -> np.ndarray:
        """How strongly each cell answers: ``(h, w)`` float32, not scaled."""
        self.load()
        import torch

        scale = _INPUT_SIDE / max(picture.size)
        width, height = (max(2, round(length * scale / _STRIDE)) * _STRIDE for length in picture.size)
        resized = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
        weights = next(self._model.parameters())
        with torch.inference_mode():
            pixels = torch.from_numpy(np.array(resized)).permute(2, 0, 1)[None].to(chosen_device()).float()
            features = pixels.sub_(127).div_(128).to(weights.dtype)  # as in training
            features = self._model._swish(self._model._bn0(self._model._conv_stem(features)))
            for block in self._model._blocks:
                features = block(features)
            return features[0].abs().mean(dim=0).float().cpu().numpy()


@cache
def _network() -> _FeatureMap:
    return _FeatureMap(variant=0)  # the smallest finds as much as the others, in half the time


class Activation:
    """Suggests boxes for any picture; deterministic."""

    method = "activation-1"

    def load(self) -> None:
        _network().load()

    def boxes(self, picture: Image.Image, most: int, fills: float) -> list[Box]:
        """At most ``most`` boxes of an RGB picture that are smaller than ``fills``, the likeliest first."""
        lab = _lab(picture)
        energy = _stretched(_network().magnitude(picture), lab.shape[:2])
        low = float(np.quantile(energy, 0.1))
        likely = np.clip((energy - low) / max(float(energy.max()) - low, 1e-6), 0, 1) ** _SHARPNESS
        pixels = _described(lab)
        found: list[Box] = []
        for ground in _grounds(energy):
            found += _candidates(_unlike(pixels, pixels[ground]) * likely)
        return likeliest(found, most, fills)


def _lab(picture: Image.Image) -> np.ndarray:
    """The picture at ``_MAP_SIDE``: ``(h, w, 3)`` float32 of CIE L*, a* and b*."""
    small = picture.copy()
    small.thumbnail((_MAP_SIDE, _MAP_SIDE), Image.Resampling.BOX, reducing_gap=1.5)
    return rgb2lab(np.asarray(small)).astype(np.float32)


def _stretched(coarse: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    stretched = Image.fromarray(coarse).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(stretched, dtype=np.float32)


def _described(lab: np.ndarray) -> np.ndarray:
    """``(h, w, 5)`` float32 in Delta E: colour without grain, and place."""
    height, width = lab.shape[:2]
    smooth = ndimage.uniform_filter(lab, (3, 3, 1)) * np.array([_LIGHTNESS, 1, 1], dtype=np.float32)
    down, across = np.mgrid[0:height, 0:width].astype(np.float32) * (_NEARNESS / max(height, width))
    return np.dstack([smooth, across, down])


def _grounds(energy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two guesses at what is surely ground, ``(h, w)`` bool.

    The first trusts the frame of the picture, which finds one large object; the second trusts the network alone, which
    finds small objects on a sheet of paper that does not reach the frame.
    """
    height, width = energy.shape
    down, across = np.ogrid[0:height, 0:width]
    to_edge = np.minimum(np.minimum(down, height - 1 - down), np.minimum(across, width - 1 - across))
    frame = to_edge < max(2.0, 0.05 * min(height, width))
    quiet_frame = frame & (energy <= np.quantile(energy[frame], 0.8))
    return quiet_frame | (energy <= np.quantile(energy, 0.2)), energy <= np.quantile(energy, 0.4)


def _unlike(pixels: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """How unlike the ground each pixel is, ``(h, w)`` from 0 to 1.

    The distance is that to the nearest sample, in the middle one of three groups: one stray sample on an object
    does not make all of it ground.

    :param ground: ``(n, 5)``, pixels that are ground
    """
    rows = pixels.reshape(-1, pixels.shape[-1])
    samples = np.random.default_rng(0).permutation(ground)[:_SAMPLES]
    samples = samples[: max(1, len(samples) // 3) * 3] if len(samples) >= 3 else np.repeat(samples, 3, axis=0)
    squared = rows @ (-2 * samples.T) + (samples**2).sum(axis=1)
    nearest = np.sort(squared.reshape(len(rows), 3, -1).min(axis=2), axis=1)[:, 1] + (rows**2).sum(axis=1)
    distance = np.sqrt(np.maximum(nearest, 0)).reshape(pixels.shape[:2])
    return np.clip((distance - _SAME) / (_OTHER - _SAME), 0, 1)


def _candidates(map_: np.ndarray) -> list[Box]:
    """The connected parts of the map at every level, scored by how much they stand out of what surrounds them."""
    sums = np.pad(map_.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    found = []
    for level in _LEVELS:
        labelled, _count = ndimage.label(ndimage.binary_closing(map_ > level))
        for rows, columns in ndimage.find_objects(labelled):
            box = _scored(sums, rows.start, columns.start, rows.stop, columns.stop)
            if box is not None:
                found.append(box)
    return found


def _scored(sums: Any, top: int, left: int, bottom: int, right: int) -> Box | None:
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    tall, wide = bottom - top, right - left
    area = tall * wide / (height * width)
    if area < _LEAST_AREA or min(tall, wide) < _LEAST_SIDE * max(height, width):
        return None
    ring = max(2, round(_RING * max(tall, wide)))
    outer = (max(0, top - ring), max(0, left - ring), min(height, bottom + ring), min(width, right + ring))
    inside, around = _sum(sums, top, left, bottom, right), _sum(sums, *outer)
    cells_around = (outer[2] - outer[0]) * (outer[3] - outer[1]) - tall * wide
    contrast = inside / (tall * wide) - (around - inside) / max(cells_around, 1)
    score = contrast * area**_SIZE_COUNTS
    if score <= _LEAST_CONTRAST:
        return None
    across, down = _AIR * wide / width, _AIR * tall / height
    return Box(
        max(0.0, left / width - across),
        max(0.0, top / height - down),
        min(1.0, right / width + across),
        min(1.0, bottom / height + down),
        score,
    )


def _sum(sums: Any, top: int, left: int, bottom: int, right: int) -> float:
    """Of the map inside of a box, from its summed-area table."""
    return float(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])
