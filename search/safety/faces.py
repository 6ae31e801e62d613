"""Faces are found, never recognised: whose they are is nothing that a shop has to know.

A cascade of local binary patterns (Liao et al., 2007) that comes with scikit-image, for faces seen from the front.
"""

import threading
from typing import Any

import numpy as np
from PIL import Image

METHOD = "lbp-frontal"
_SIDE = 256  # pixels of the longer side
_LEAST, _MOST = 24, 200  # pixels of a face there; the cascade knows 24
_SCALE_STEP = 1.15
_loading = threading.Lock()
_cascade: Any = None

Box = tuple[float, float, float, float]


def faces_in(picture: Image.Image) -> list[Box]:
    """Left, top, width and height as shares of the picture, the largest face first.

    :param picture: RGB, of any size
    """
    small = picture.convert("L")
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    if min(small.size) < _LEAST:
        return []
    found = _loaded().detect_multi_scale(
        img=np.asarray(small),
        scale_factor=_SCALE_STEP,
        step_ratio=1.3,
        min_size=(_LEAST, _LEAST),
        max_size=(_MOST, _MOST),
    )
    boxes = [
        (one["c"] / small.width, one["r"] / small.height, one["width"] / small.width, one["height"] / small.height)
        for one in found
    ]
    return sorted(boxes, key=lambda box: -box[2] * box[3])


def _loaded() -> Any:
    global _cascade
    with _loading:
        if _cascade is None:
            from skimage.data import lbp_frontal_face_cascade_filename
            from skimage.feature import Cascade

            _cascade = Cascade(lbp_frontal_face_cascade_filename())
        return _cascade
