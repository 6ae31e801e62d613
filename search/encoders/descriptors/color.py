"""The colour part: how much of a picture's subject has which colour, in the perceptual CIELAB space.

A soft histogram of 4 x 4 x 4 cells of lightness, a* and b* (after Swain and Ballard, "Color indexing", 1991); square
roots are stored, so that the cosine of two parts is the Bhattacharyya coefficient of the histograms. Pixels like the
border are counted little.
"""

import numpy as np
from PIL import Image

from search.encoders.base import Descriptor
from search.encoders.descriptors.subject import lab_pixels, subject_weights

_CELLS = 4
_SIDE = 64  # pixels; colours need no detail
_CHROMA_SPAN = 60.0  # a* and b* beyond +-60 are rare and fall in the outermost cell


class Color(Descriptor):
    """``(64,)``: cells of lightness, a* and b*, the last changing fastest."""

    name = "color"
    version = 1
    dimension = _CELLS**3

    def describe(self, picture: Image.Image) -> np.ndarray | None:
        lab = lab_pixels(picture, _SIDE)
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
        histogram = np.zeros(self.dimension, dtype=np.float64)
        for corner in np.ndindex(2, 2, 2):  # trilinear: each pixel is divided among the eight cells around it
            cell = low + np.array(corner)[:, None]
            part = np.prod([share[i] if corner[i] else 1 - share[i] for i in range(3)], axis=0)
            index = (cell[0] * _CELLS + cell[1]) * _CELLS + cell[2]
            histogram += np.bincount(index, weights * part, minlength=self.dimension)
        total = histogram.sum()
        return np.sqrt(histogram / total).astype(np.float32) if total > 0 else None
