"""The texture part: which small patterns of light and dark the subject's surface is made of.

Local binary patterns, rotation-invariant and uniform (Ojala, Pietikäinen and Mäenpää, "Multiresolution gray-scale and
rotation invariant texture classification with local binary patterns", 2002), by scikit-image, at two scales: 8
neighbours at 1 pixel and 16 at 3. Square roots of the two histograms are stored, so that the cosine of two parts is the
mean of their Bhattacharyya coefficients.
"""

import numpy as np
from PIL import Image
from skimage.feature import local_binary_pattern

from search.encoders.base import Descriptor
from search.encoders.descriptors.subject import lab_pixels, subject_weights

_SIDE = 96  # pixels; finer weaves are lost in the photographs that people send
_SCALES = ((8, 1), (16, 3))  # neighbours and radius in pixels
_LEAST_CONTRAST = 1.0  # standard deviation of L* (0-100) below which nothing is seen but noise


class Texture(Descriptor):
    """``(28,)``: 10 patterns at the fine scale, 18 at the coarse one."""

    name = "texture"
    version = 1
    dimension = sum(neighbours + 2 for neighbours, _radius in _SCALES)

    def describe(self, picture: Image.Image) -> np.ndarray | None:
        lab = lab_pixels(picture, _SIDE)
        weights = subject_weights(lab)
        lightness = np.round(lab[..., 0] * 2.55).astype(np.uint8)
        if min(lightness.shape) < 8 or np.std(lab[..., 0]) < _LEAST_CONTRAST:
            return None
        histograms = []
        for neighbours, radius in _SCALES:
            patterns = local_binary_pattern(lightness, neighbours, radius, method="uniform")
            counted = np.bincount(patterns.astype(np.intp).ravel(), weights.ravel(), minlength=neighbours + 2)
            histograms.append(np.sqrt(counted / counted.sum() / len(_SCALES)))
        return np.concatenate(histograms).astype(np.float32)
