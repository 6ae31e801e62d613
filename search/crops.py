"""A part of a picture that somebody searches with: a box in thousandths of the upright picture."""

import re
from dataclasses import dataclass

from PIL import Image as Pillow

WHOLE = 1000
LEAST = 20  # thousandths; a thinner box shows nothing that could be compared
_TEXT = re.compile(r"(-?\d{1,5}),(-?\d{1,5}),(\d{1,5}),(\d{1,5})\Z", re.ASCII)


@dataclass(frozen=True, order=True)
class Crop:
    """``left`` and ``top`` of the box, its ``width`` and ``height``: whole thousandths of the picture's sides.

    :raises ValueError: for a box that is not inside of the picture or thinner than ``LEAST``
    """

    left: int
    top: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if min(self.width, self.height) < LEAST:
            raise ValueError(f"the box is thinner than {LEAST} thousandths of the picture")
        if min(self.left, self.top) < 0 or max(self.left + self.width, self.top + self.height) > WHOLE:
            raise ValueError("the box reaches outside of the picture")

    @classmethod
    def parse(cls, text: str) -> "Crop":
        """Read ``left,top,width,height``. What reaches outside of the picture is cut off at its edge.

        :raises ValueError: for anything else, and where too little is left inside
        """
        match = _TEXT.match(text)
        if match is None:
            raise ValueError("a box is written as left,top,width,height in whole thousandths")
        left, top, width, height = map(int, match.groups())
        right, bottom = min(WHOLE, left + width), min(WHOLE, top + height)
        left, top = max(0, left), max(0, top)
        return cls(left, top, max(0, right - left), max(0, bottom - top))

    def __str__(self) -> str:
        return f"{self.left},{self.top},{self.width},{self.height}"

    @property
    def is_whole(self) -> bool:
        return self.width == WHOLE and self.height == WHOLE

    def of(self, picture: Pillow.Image) -> Pillow.Image:
        """The part of an upright picture, at least one pixel on each side."""
        right, bottom = self.left + self.width, self.top + self.height
        left, top = self.left * picture.width // WHOLE, self.top * picture.height // WHOLE
        right, bottom = -(-right * picture.width // WHOLE), -(-bottom * picture.height // WHOLE)
        return picture.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
