"""What happens to a photo before somebody searches with it: cut, scaled, compressed, mirrored, darkened, shown on a
screen. Each takes an upright RGB picture and a source of chance, and gives the picture as it would be sent."""

import io
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageEnhance, ImageOps

Copy = Callable[[Pillow.Image, np.random.Generator], Pillow.Image]

_KEPT = 0.8  # of each side of a cropped picture
_LEAST_SIDE = 64  # pixels that a scaled picture keeps
_JPEG_QUALITY = 35
_DARKER, _BRIGHTER = 0.65, 1.4
_BAR = 0.06  # of the screen's height, above the picture
_PAPER, _INK, _LINE = (250, 250, 250), (40, 40, 40), (205, 205, 205)


def cropped(picture: Pillow.Image, chance: np.random.Generator) -> Pillow.Image:
    """Four fifths of each side, from anywhere."""
    width, height = (max(1, round(side * _KEPT)) for side in picture.size)
    left = int(chance.integers(0, picture.width - width + 1))
    top = int(chance.integers(0, picture.height - height + 1))
    return picture.crop((left, top, left + width, top + height))


def resized(picture: Pillow.Image, chance: np.random.Generator) -> Pillow.Image:
    """A quarter of each side, as previews are."""
    scale = min(1.0, max(0.25, _LEAST_SIDE / min(picture.size)))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Pillow.Resampling.LANCZOS)


def compressed(picture: Pillow.Image, chance: np.random.Generator) -> Pillow.Image:
    """As a messenger passes it on: JPEG with blocks that can be seen."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_JPEG_QUALITY)
    return Pillow.open(file, formats=("JPEG",)).convert("RGB")


def flipped(picture: Pillow.Image, chance: np.random.Generator) -> Pillow.Image:
    """Left and right changed, as cameras for selfies do."""
    return ImageOps.mirror(picture)


def lit(picture: Pillow.Image, chance: np.random.Generator) -> Pillow.Image:
    """Darker or brighter."""
    return ImageEnhance.Brightness(picture).enhance(_BRIGHTER if chance.integers(2) else _DARKER)


def screenshot(picture: Pillow.Image, chance: np.random.Generator) -> Pillow.Image:
    """On the screen of a phone, with a bar above it and lines of words below."""
    margin = max(2, picture.width // 16)
    width = picture.width + 2 * margin
    height = max(picture.height + 4 * margin, round(width * 1.6))
    screen = Pillow.new("RGB", (width, height), _PAPER)
    bar = max(2, round(height * _BAR))
    pen = ImageDraw.Draw(screen)
    pen.rectangle((0, 0, width, bar), fill=_INK)
    top = bar + margin
    screen.paste(picture, (margin, min(top, height - picture.height)))
    for number in range(3):
        line = top + picture.height + margin * (1 + 2 * number)
        right = max(margin, width - margin * (1 + 2 * number))
        pen.rectangle((margin, line, right, line + margin // 2), fill=_LINE)
    return screen


COPIES: Mapping[str, Copy] = {
    "crop": cropped,
    "resize": resized,
    "jpeg": compressed,
    "flip": flipped,
    "brightness": lit,
    "screenshot": screenshot,
}
