"""The shape part: where in the picture edges run in which direction.

A histogram of oriented gradients (Dalal and Triggs, "Histograms of oriented gradients for human detection", 2005):
3 x 3 cells of 8 directions over the picture padded to a square, normalised as one block. It knows the layout of an
outline, not its meaning.
"""

import numpy as np

from search.encoders.base import Descriptor
from search.encoders.descriptors.thumbnails import COARSE_SIDE, Thumbnails

_CELLS = 3
_DIRECTIONS = 8
_LEAST_CONTRAST = 2.0  # standard deviation of luma (0-255) below which there is no outline
_MOST_OF_ONE = 0.2  # of the block's length, so that one strong edge does not outshout the rest (L2-Hys)
_CELL_OF = np.arange(COARSE_SIDE) * _CELLS // COARSE_SIDE
_FIRST_BIN = (_CELL_OF[:, None] * _CELLS + _CELL_OF) * _DIRECTIONS  # of each pixel's cell


class Shape(Descriptor):
    """``(72,)``: rows of cells, in each cell 8 directions from 0 to 180 degrees."""

    name = "shape"
    version = 2
    dimension = _CELLS * _CELLS * _DIRECTIONS

    def describe(self, thumbnails: Thumbnails) -> np.ndarray | None:
        square = _padded(thumbnails.coarse_luma)
        if np.std(square) < _LEAST_CONTRAST:
            return None
        across, down = np.zeros_like(square), np.zeros_like(square)
        across[:, 1:-1] = square[:, 2:] - square[:, :-2]
        down[1:-1] = square[2:] - square[:-2]
        turns = np.arctan2(down, across) / np.float32(np.pi) + 1  # half turns, from 0 to 2
        direction = (turns * _DIRECTIONS).astype(np.intp) % _DIRECTIONS
        block = np.bincount((_FIRST_BIN + direction).ravel(), np.hypot(across, down).ravel(), minlength=self.dimension)
        length = np.linalg.norm(block)
        if length == 0:
            return None
        block = np.minimum(block / length, _MOST_OF_ONE)
        return (block / np.linalg.norm(block)).astype(np.float32)


def _padded(luma: np.ndarray) -> np.ndarray:
    """Centred on white: ``(COARSE_SIDE, COARSE_SIDE)`` float32."""
    height, width = luma.shape
    top, left = (COARSE_SIDE - height) // 2, (COARSE_SIDE - width) // 2
    square = np.full((COARSE_SIDE, COARSE_SIDE), 255, dtype=np.float32)
    square[top : top + height, left : left + width] = luma
    return square
