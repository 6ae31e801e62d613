"""The colour part: how much of a picture's subject has which colour, in the perceptual CIELAB space.

A soft histogram of 4 x 4 x 4 cells of lightness, a* and b*; square roots are stored, so that the cosine of two parts
is the Bhattacharyya coefficient of the histograms. Pixels like the border are counted little: the ground of a product
photograph is not the product.
"""

import numpy as np
from PIL import Image, ImageCms

COLOR_DIMENSION = 64
_CELLS = 4
_SIDE = 64  # pixels; colours need no detail
_CHROMA_SPAN = 60.0  # a* and b* beyond +-60 are rare and fall in the outermost cell
_GROUND_DISTANCE = 12.0  # Delta E (CIE 1976) within which a pixel counts as ground
_GROUND_WEIGHT = 0.05

_TO_LAB = ImageCms.buildTransformFromOpenProfiles(
    ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
)


def lab_pixels(picture: Image.Image, side: int = _SIDE) -> np.ndarray:
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


def color_histogram(picture: Image.Image) -> np.ndarray | None:
    """The colour part of an RGB picture: ``(64,)`` float32 of unit length."""
    lab = lab_pixels(picture)
    weights = subject_weights(lab).ravel()
    position = np.stack(
        [
            lab[..., 0] / 100 * (_CELLS - 1),
            (lab[..., 1] / _CHROMA_SPAN + 1) / 2 * (_CELLS - 1),
            (lab[..., 2] / _CHROMA_SPAN + 1) / 2 * (_CELLS - 1),
        ]
    ).reshape(3, -1)
    position = np.clip(position, 0, _CELLS - 1 - 1e-4)
    low = position.astype(int)
    share = position - low
    histogram = np.zeros(COLOR_DIMENSION, dtype=np.float64)
    for corner in np.ndindex(2, 2, 2):  # trilinear: each pixel is divided among the eight cells around it
        cell = low + np.array(corner)[:, None]
        part = np.prod([share[i] if corner[i] else 1 - share[i] for i in range(3)], axis=0)
        index = (cell[0] * _CELLS + cell[1]) * _CELLS + cell[2]
        histogram += np.bincount(index, weights * part, minlength=COLOR_DIMENSION)
    total = histogram.sum()
    return np.sqrt(histogram / total).astype(np.float32) if total > 0 else None
