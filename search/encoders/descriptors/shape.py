"""The shape part: where in the picture edges run in which direction.

A histogram of oriented gradients (Dalal and Triggs, "Histograms of oriented gradients for human detection", 2005), by
scikit-image: 3 x 3 cells of 8 directions over the picture padded to a square, normalised as one block. It knows the
layout of an outline, not its meaning.
"""

import numpy as np
from skimage.feature import hog

from search.encoders.base import Descriptor
from search.encoders.descriptors.thumbnails import COARSE_SIDE, Thumbnails

_CELLS = 3
_DIRECTIONS = 8
_LEAST_CONTRAST = 2.0  # standard deviation of luma (0-255) below which there is no outline


class Shape(Descriptor):
    """``(72,)``: rows of cells, in each cell 8 directions from 0 to 180 degrees."""

    name = "shape"
    version = 2
    dimension = _CELLS * _CELLS * _DIRECTIONS

    def describe(self, thumbnails: Thumbnails) -> np.ndarray | None:
        square = _padded(thumbnails.coarse_luma)
        if np.std(square) < _LEAST_CONTRAST:
            return None
        gradients = hog(
            square,
            orientations=_DIRECTIONS,
            pixels_per_cell=(COARSE_SIDE // _CELLS, COARSE_SIDE // _CELLS),
            cells_per_block=(_CELLS, _CELLS),
            block_norm="L2-Hys",
        )
        length = float(np.linalg.norm(gradients))
        return (gradients / length).astype(np.float32) if length > 0 else None


def _padded(luma: np.ndarray) -> np.ndarray:
    """Centred on white: ``(COARSE_SIDE, COARSE_SIDE)`` float32."""
    height, width = luma.shape
    top, left = (COARSE_SIDE - height) // 2, (COARSE_SIDE - width) // 2
    square = np.full((COARSE_SIDE, COARSE_SIDE), 255, dtype=np.float32)
    square[top : top + height, left : left + width] = luma
    return square
