"""The texture part: which small patterns of light and dark the subject's surface is made of.

Local binary patterns, rotation-invariant and uniform (Ojala, Pietikäinen and Mäenpää, "Multiresolution gray-scale and
rotation invariant texture classification with local binary patterns", 2002), by scikit-image, at two scales: 8
neighbours at 1 pixel of the fine thumbnail and 16 at 2 pixels of the coarse one. Square roots of the two histograms are
stored, so that the cosine of two parts is the mean of their Bhattacharyya coefficients.
"""

import numpy as np
from skimage.feature import local_binary_pattern

from search.encoders.base import Descriptor
from search.encoders.descriptors.thumbnails import Thumbnails

_FINE, _COARSE = (8, 1), (16, 2)  # neighbours and radius in pixels
_LEAST_SIDE = 12  # pixels of the fine thumbnail
_LEAST_CONTRAST = 2.5  # standard deviation of luma (0-255) below which nothing is seen but noise


class Texture(Descriptor):
    """``(28,)``: 10 patterns at the fine scale, 18 at the coarse one."""

    name = "texture"
    version = 2
    dimension = sum(neighbours + 2 for neighbours, _radius in (_FINE, _COARSE))

    def describe(self, thumbnails: Thumbnails) -> np.ndarray | None:
        fine = thumbnails.fine_luma
        if min(fine.shape) < _LEAST_SIDE or np.std(fine, dtype=np.float32) < _LEAST_CONTRAST:
            return None
        histograms = [
            _histogram(fine, thumbnails.fine_subject, *_FINE),
            _histogram(thumbnails.coarse_luma, thumbnails.coarse_subject, *_COARSE),
        ]
        return np.sqrt(np.concatenate(histograms) / len(histograms)).astype(np.float32)


def _histogram(luma: np.ndarray, weights: np.ndarray, neighbours: int, radius: int) -> np.ndarray:
    """Share of each pattern, ``(neighbours + 2,)`` float64, over the pixels that have all their neighbours."""
    inside = (slice(radius, -radius), slice(radius, -radius))
    patterns = local_binary_pattern(luma, neighbours, radius, method="uniform")[inside].astype(np.intp)
    counted = np.bincount(patterns.ravel(), weights[inside].ravel(), minlength=neighbours + 2)
    return counted / counted.sum()
