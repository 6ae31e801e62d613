"""Ways to show a photograph to the network: each makes the pixels of one pass."""

from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image, ImageOps

from bench.regions import foreground
from search.encoders.framing import middle_of, padded_square

_MIDDLE = 0.85  # of each side
_STRIDE = 32  # pixels of input for one cell of the last feature map
_FILLS = 0.95  # of the picture: a box that is larger leaves out nothing

Frame = Callable[[Image.Image, int], np.ndarray]  # RGB picture, side → (h, w, 3) uint8


def content(picture: Image.Image) -> Image.Image:
    """What stands out of an even ground, with a tenth of air; the whole where the ground is not even."""
    box = foreground(picture, _FILLS)
    if box is None:
        return picture
    x, y = 0.1 * (box[2] - box[0]), 0.1 * (box[3] - box[1])
    left, top, right, bottom = max(0.0, box[0] - x), max(0.0, box[1] - y), min(1.0, box[2] + x), min(1.0, box[3] + y)
    width, height = picture.size
    return picture.crop((int(left * width), int(top * height), round(right * width), round(bottom * height)))


def on_its_ground(picture: Image.Image, side: int) -> np.ndarray:
    """Padded to a square with the colour of the picture's own frame rather than with white."""
    pixels = np.asarray(picture)
    frame = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    square = Image.new("RGB", (max(picture.size),) * 2, tuple(int(one) for one in np.median(frame, axis=0)))
    square.paste(picture, ((square.width - picture.width) // 2, (square.height - picture.height) // 2))
    return padded_square(square, side)


def in_its_shape(picture: Image.Image, side: int) -> np.ndarray:
    """Without padding, as wide and high as it is, at the area of the square: as many cells, none of them empty."""
    scale = side / np.sqrt(picture.width * picture.height)
    width, height = (max(2, round(length * scale / _STRIDE)) * _STRIDE for length in picture.size)
    return np.array(picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0))


def _whole_at(pixels: int, picture: Image.Image, _side: int) -> np.ndarray:
    return padded_square(picture, pixels)


VIEWS: dict[str, Frame] = {
    "whole": padded_square,
    "mirrored": lambda picture, side: padded_square(ImageOps.mirror(picture), side),
    "middle": lambda picture, side: padded_square(middle_of(picture, _MIDDLE), side),
    "content": lambda picture, side: padded_square(content(picture), side),
    "on its ground": on_its_ground,
    "in its shape": in_its_shape,
    **{f"{side} pixels": partial(_whole_at, side) for side in (260, 320, 384)},
}
