"""The shape part: where in the picture edges run in which direction.

A histogram of oriented gradients (Dalal and Triggs, "Histograms of oriented gradients for human detection", 2005), by
scikit-image: 3 x 3 cells of 8 directions over the picture padded to a square, normalised as one block. It knows the
layout of an outline, not its meaning.
"""

import numpy as np
from PIL import Image
from skimage.feature import hog

from search.encoders.base import Descriptor
from search.encoders.framing import padded_square

_CELLS = 3
_DIRECTIONS = 8
_SIDE = 96  # pixels
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601
_LEAST_CONTRAST = 2.0  # standard deviation of luma (0-255) below which there is no outline


class Shape(Descriptor):
    """``(72,)``: rows of cells, in each cell 8 directions from 0 to 180 degrees."""

    name = "shape"
    version = 1
    dimension = _CELLS * _CELLS * _DIRECTIONS

    def describe(self, picture: Image.Image) -> np.ndarray | None:
        luma = padded_square(picture, _SIDE) @ _LUMA
        if np.std(luma) < _LEAST_CONTRAST:
            return None
        gradients = hog(
            luma,
            orientations=_DIRECTIONS,
            pixels_per_cell=(_SIDE // _CELLS, _SIDE // _CELLS),
            cells_per_block=(_CELLS, _CELLS),
            block_norm="L2-Hys",
        )
        length = float(np.linalg.norm(gradients))
        return (gradients / length).astype(np.float32) if length > 0 else None
