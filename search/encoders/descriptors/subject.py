"""Where a picture's subject is: a product photograph's even ground is not the product."""

import numpy as np
from PIL import Image, ImageCms

_GROUND_DISTANCE = 12.0  # Delta E (CIE 1976) within which a pixel counts as ground
_GROUND_WEIGHT = 0.05

_TO_LAB = ImageCms.buildTransformFromOpenProfiles(
    ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
)


def lab_pixels(picture: Image.Image, side: int) -> np.ndarray:
    """The picture scaled to at most ``side`` pixels: ``(h, w, 3)`` float32 of L* (0-100), a* and b*."""
    small = picture.copy()
    small.thumbnail((side, side), Image.Resampling.BOX, reducing_gap=1.5)
    lab = np.asarray(ImageCms.applyTransform(small, _TO_LAB)).astype(np.float32)
    lightness = lab[..., :1] * (100 / 255)
    # Pillow keeps a* and b* as signed bytes in unsigned ones.
    chroma = np.asarray(lab[..., 1:], dtype=np.uint8).view(np.int8).astype(np.float32)
    return np.concatenate([lightness, chroma], axis=-1)


def subject_weights(lab: np.ndarray) -> np.ndarray:
    """How much each pixel counts, ``(h, w)`` float32: little where it has a colour of an even border."""
    border = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
    ground = np.median(border, axis=0)
    if np.mean(np.linalg.norm(border - ground, axis=1) < _GROUND_DISTANCE) < 0.5:
        return np.ones(lab.shape[:2], dtype=np.float32)
    away = np.linalg.norm(lab - ground, axis=2) >= _GROUND_DISTANCE
    return np.where(away, 1.0, _GROUND_WEIGHT).astype(np.float32)
