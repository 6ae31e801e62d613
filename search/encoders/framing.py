"""How a picture is framed for a network."""

import numpy as np
from PIL import Image


def padded_square(picture: Image.Image, side: int) -> np.ndarray:
    """The whole picture, scaled to fit and centred on white: ``(side, side, 3)`` uint8."""
    scale = side / max(picture.size)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    square = np.full((side, side, 3), 255, dtype=np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = np.asarray(
        picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    )
    return square
