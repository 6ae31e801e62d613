"""What the descriptors look at: small copies of a picture, made once for all of them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from PIL import Image, ImageCms

FINE_SIDE = 72  # pixels; finer weaves are lost in the photographs that people send
COARSE_SIDE = FINE_SIDE // 2  # colours and outlines need no more
_REDUCING_GAP = 2.0  # whole pixels are averaged first, to this many times the size: most of a large picture's time
_GROUND_DISTANCE = 12.0  # Delta E (CIE 1976) within which a pixel counts as ground
_GROUND_WEIGHT = 0.05

_TO_LAB = ImageCms.buildTransformFromOpenProfiles(
    ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
)


@dataclass(frozen=True)
class Thumbnails:
    """One RGB picture with a longer side of ``FINE_SIDE`` pixels, and of half that."""

    fine: Image.Image
    coarse: Image.Image

    @classmethod
    def of(cls, picture: Image.Image) -> Self:
        """Of an RGB picture of any size; a smaller one is enlarged, so that a pattern is as coarse in both."""
        scale = FINE_SIDE / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        # A box keeps the contrast of fine weaves, which softer filters take away.
        how = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
        fine = picture.resize(size, how, reducing_gap=_REDUCING_GAP)
        return cls(fine, fine.reduce(2))

    @cached_property
    def fine_luma(self) -> np.ndarray:
        """``(h, w)`` uint8, ITU-R BT.601."""
        return np.asarray(self.fine.convert("L"))

    @cached_property
    def coarse_luma(self) -> np.ndarray:
        """``(h, w)`` uint8, ITU-R BT.601."""
        return np.asarray(self.coarse.convert("L"))

    @cached_property
    def coarse_lab(self) -> np.ndarray:
        """``(h, w, 3)`` float32: L* (0-100), a* and b*."""
        stored = np.asarray(ImageCms.applyTransform(self.coarse, _TO_LAB))
        lab = np.empty(stored.shape, dtype=np.float32)
        np.multiply(stored[..., 0], np.float32(100 / 255), out=lab[..., 0])
        lab[..., 1:] = stored[..., 1:].view(np.int8)  # Pillow keeps signed a* and b* in unsigned bytes
        return lab

    @cached_property
    def coarse_subject(self) -> np.ndarray:
        """How much each pixel counts, ``(h, w)`` float32: little where it has a colour of an even border.

        A product photograph's even ground is not the product.
        """
        lab = self.coarse_lab
        border = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
        ground = np.median(border, axis=0)
        if np.mean(_is_near(border, ground)) < 0.5:
            return np.ones(lab.shape[:2], dtype=np.float32)
        return np.where(_is_near(lab, ground), np.float32(_GROUND_WEIGHT), np.float32(1))

    @cached_property
    def fine_subject(self) -> np.ndarray:
        """The same for the finer picture."""
        height, width = self.fine_luma.shape
        return self.coarse_subject.repeat(2, axis=0)[:height].repeat(2, axis=1)[:, :width]


def _is_near(lab: np.ndarray, ground: np.ndarray) -> np.ndarray:
    away = lab - ground
    return np.einsum("...i,...i->...", away, away) < _GROUND_DISTANCE**2
