"""The dominant colours of a picture, as some of the 12 colour classes."""

from collections import Counter

import numpy as np
from PIL import Image, ImageCms

from gallery.models.images import Swatch

# CIELAB references, as people name the colours; where one name covers much of the space it has several.
REFERENCES: tuple[tuple[Swatch, tuple[float, float, float]], ...] = (
    (Swatch.BLACK, (14, 0, 0)),
    (Swatch.GREY, (55, 0, 0)),
    (Swatch.WHITE, (96, 0, 1)),
    (Swatch.BEIGE, (82, 3, 18)),
    (Swatch.BROWN, (37, 15, 24)),
    (Swatch.RED, (46, 62, 40)),
    (Swatch.ORANGE, (67, 38, 62)),
    (Swatch.YELLOW, (86, -2, 72)),
    (Swatch.GREEN, (50, -38, 30)),
    (Swatch.GREEN, (86, -80, 78)),
    (Swatch.BLUE, (42, 4, -42)),
    (Swatch.BLUE, (32, 79, -108)),
    (Swatch.BLUE, (14, 46, -63)),
    (Swatch.BLUE, (75, -28, -22)),
    (Swatch.PURPLE, (40, 42, -36)),
    (Swatch.PURPLE, (38, 68, -72)),
    (Swatch.PINK, (72, 40, 2)),
    (Swatch.PINK, (58, 75, -15)),
)
_SIDE = 48  # pixels
_GROUND_DISTANCE = 12.0  # Delta E (CIE 1976)
_LEAST_SHARE = 0.2  # of the subject's pixels that a colour covers which somebody would look for it by
_MOST = 3
_TO_LAB = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")


def dominant_swatches(picture: Image.Image) -> list[Swatch]:
    """The classes that much of the subject belongs to, at least one, the largest first.

    An even border counts as ground and is left out.

    :param picture: RGB, or RGBA whose transparent pixels are left out
    """
    small = picture.copy()
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    stored = np.asarray(ImageCms.applyTransform(small.convert("RGB"), _TO_LAB))
    chroma = np.ascontiguousarray(stored[..., 1:]).view(np.int8)  # Pillow keeps signed a* and b* in unsigned bytes
    lab = np.concatenate([stored[..., :1] * (100 / 255), chroma], axis=2)
    if small.mode == "RGBA":
        subject = np.asarray(small.getchannel("A")) > 127
    else:
        border = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
        ground = np.median(border, axis=0)
        even = np.mean(np.linalg.norm(border - ground, axis=1) < _GROUND_DISTANCE) > 0.5
        subject = np.linalg.norm(lab - ground, axis=2) >= _GROUND_DISTANCE if even else np.ones(lab.shape[:2], bool)
    pixels = lab[subject] if subject.any() else lab.reshape(-1, 3)
    references = _as_named(np.array([lab for _name, lab in REFERENCES], dtype=np.float64))
    nearest = np.linalg.norm(_as_named(pixels)[:, None] - references, axis=2).argmin(axis=1)
    counts = Counter(REFERENCES[n][0] for n in nearest)
    ranked = counts.most_common(_MOST)
    return [name for place, (name, count) in enumerate(ranked) if place == 0 or count >= _LEAST_SHARE * len(pixels)]


def _as_named(lab: np.ndarray) -> np.ndarray:
    """Lab stretched as people name colours: hue before lightness, and faded jeans are blue before they are grey.

    :param lab: (n, 3)
    """
    chroma = np.maximum(np.linalg.norm(lab[:, 1:], axis=1, keepdims=True), 1e-9)
    return np.concatenate([lab[:, :1] * 0.6, lab[:, 1:] * (chroma / 40) ** -0.35], axis=1)
