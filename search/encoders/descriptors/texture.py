"""The texture part: which small patterns of light and dark the subject's surface is made of.

Local binary patterns, rotation-invariant and uniform (Ojala, Pietikäinen and Mäenpää, "Multiresolution gray-scale and
rotation invariant texture classification with local binary patterns", 2002), at two scales: the 8 neighbours of a pixel
and 16 on a circle of 3 pixels. Neighbours are whole pixels, nothing is interpolated: the same use for a tenth of the
time. Square roots of the two histograms are stored, so that the cosine of two parts is the mean of their Bhattacharyya
coefficients.
"""

from collections.abc import Sequence

import numpy as np

from search.encoders.base import Descriptor
from search.encoders.descriptors.thumbnails import Thumbnails

Offsets = Sequence[tuple[int, int]]  # rows down and columns right, in the order of the circle

_NEAR: Offsets = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
_FAR: Offsets = (
    *((-3, 0), (-3, 1), (-2, 2), (-1, 3), (0, 3), (1, 3), (2, 2), (3, 1)),
    *((3, 0), (3, -1), (2, -2), (1, -3), (0, -3), (-1, -3), (-2, -2), (-3, -1)),
)
_LEAST_CONTRAST = 2.5  # standard deviation of luma (0-255) below which nothing is seen but noise
_LEAST_SIDE = 8  # pixels


class _Scale:
    """The patterns of the neighbours at some distance."""

    def __init__(self, offsets: Offsets):
        self.offsets = offsets
        self.reach = max(max(map(abs, offset)) for offset in offsets)
        neighbours = len(offsets)
        self.patterns = neighbours + 2  # how many neighbours are brighter where those lie side by side, and all others
        self._code_type = np.min_scalar_type(2**neighbours - 1)
        codes = np.arange(2**neighbours)
        brighter = codes[:, None] >> np.arange(neighbours) & 1
        changes = (brighter != np.roll(brighter, 1, axis=1)).sum(axis=1)
        self._pattern_of = np.where(changes <= 2, brighter.sum(axis=1), neighbours + 1).astype(np.uint8)

    def histogram(self, luma: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Share of each pattern, ``(patterns,)``, over the pixels that have all their neighbours."""
        height, width = (side - 2 * self.reach for side in luma.shape)

        def shifted(of: np.ndarray, down: int, right: int) -> np.ndarray:
            return of[self.reach + down :, self.reach + right :][:height, :width]

        centre = shifted(luma, 0, 0)
        codes = np.zeros(centre.shape, dtype=self._code_type)
        for bit, offset in enumerate(self.offsets):
            codes |= np.multiply(shifted(luma, *offset) >= centre, 1 << bit, dtype=self._code_type)
        counted = np.bincount(self._pattern_of[codes].ravel(), shifted(weights, 0, 0).ravel(), minlength=self.patterns)
        return counted / counted.sum()


SCALES = (_Scale(_NEAR), _Scale(_FAR))


class Texture(Descriptor):
    """``(28,)``: 10 patterns at the fine scale, 18 at the coarse one."""

    name = "texture"
    version = 2
    dimension = sum(scale.patterns for scale in SCALES)

    def describe(self, thumbnails: Thumbnails) -> np.ndarray | None:
        luma = thumbnails.fine_luma
        if min(luma.shape) < _LEAST_SIDE or np.std(luma, dtype=np.float32) < _LEAST_CONTRAST:
            return None
        histograms = [scale.histogram(luma, thumbnails.fine_subject) for scale in SCALES]
        return np.sqrt(np.concatenate(histograms) / len(SCALES)).astype(np.float32)
