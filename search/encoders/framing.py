"""How a picture is framed for a network."""

import numpy as np
from PIL import Image

_THINNEST = 4  # times as long as wide


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


def middle_of(picture: Image.Image, share: float) -> Image.Image:
    """This share of the width and of the height, from the middle."""
    if share >= 1:
        return picture
    width, height = (max(1, round(share * side)) for side in picture.size)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def middle_of_thin(picture: Image.Image) -> Image.Image:
    """The picture; of one more than four times as long as wide, the middle.

    Transforms that bring the shorter side to a length and then cut out the middle square never look further; the whole
    of a picture of 12,000 x 1 pixels would take gigabytes before they cut it.
    """
    width, height = (min(length, _THINNEST * min(picture.size)) for length in picture.size)
    if (width, height) == picture.size:
        return picture
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))
