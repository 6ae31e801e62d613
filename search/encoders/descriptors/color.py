"""The colour part: how much of a picture's subject has which colour, in the perceptual CIELAB space.

A soft histogram of 4 x 4 x 4 cells of lightness, a* and b* (after Swain and Ballard, "Color indexing", 1991); square
roots are stored, so that the cosine of two parts is the Bhattacharyya coefficient of the histograms. Pixels like the
border are counted little.
"""

import numpy as np

from search.encoders.base import Descriptor
from search.encoders.descriptors.thumbnails import Thumbnails

_CELLS = 4
_STEPS = 10  # into which the way from the middle of one cell to the next is divided
_LEVELS = (_CELLS - 1) * _STEPS + 1
_CHROMA_SPAN = 60.0  # a* and b* beyond +-60 are rare and fall in the outermost cell
_LOWEST = np.array([0, -_CHROMA_SPAN, -_CHROMA_SPAN], dtype=np.float32)
_LEVELS_PER_UNIT = (_LEVELS - 1) / np.array([100, 2 * _CHROMA_SPAN, 2 * _CHROMA_SPAN], dtype=np.float32)
# (levels, cells): a level's share in the two cells that it lies between.
_SHARES = np.maximum(0, 1 - np.abs(np.arange(_LEVELS)[:, None] / _STEPS - np.arange(_CELLS)))


class Color(Descriptor):
    """``(64,)``: cells of lightness, a* and b*, the last changing fastest."""

    name = "color"
    version = 2
    dimension = _CELLS**3

    def describe(self, thumbnails: Thumbnails) -> np.ndarray:
        levels = np.rint((thumbnails.coarse_lab - _LOWEST) * _LEVELS_PER_UNIT)
        lightness, a, b = np.clip(levels, 0, _LEVELS - 1).astype(np.intp).reshape(-1, 3).T
        counted = np.bincount(
            (lightness * _LEVELS + a) * _LEVELS + b, thumbnails.coarse_subject.ravel(), minlength=_LEVELS**3
        )
        # Counted finely first, then divided among cells: many pixels, few levels.
        histogram = counted.reshape(_LEVELS, _LEVELS, _LEVELS)
        for _axis in range(3):
            histogram = np.tensordot(histogram, _SHARES, axes=(0, 0))  # the first axis goes, its cells become the last
        return np.sqrt(histogram / histogram.sum()).ravel().astype(np.float32)
