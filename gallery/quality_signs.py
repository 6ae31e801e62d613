"""What is plainly wrong with a photograph as such, in words: size, sharpness, exposure, a subject that is cut off.

Signs are hints for somebody who looks at the photo anyway. Their thresholds, and how often each is wrong, were measured
on photographs of clothes: see docs/moderation.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from django.core.cache import cache
from django.utils.translation import gettext as _
from PIL import Image as Pillow
from scipy import ndimage

from gallery.models import Image
from gallery.pictures import open_upright

LEAST_SIDE = 400  # pixels of the longer side: below, a page that zooms shows pixels
LEAST_SHARPNESS = 60.0  # of gallery.sharpness
DARK_AT_MOST = 90  # of 255: even the brightest parts are darker
BRIGHT_AT_LEAST = 160  # of 255: even the darkest parts are brighter
EDGES = ("top", "right", "bottom", "left")
_SIDE = 96  # pixels of the longer side that is looked at
_GROUND_DISTANCE = 40.0  # of RGB values, from the ground
_LEAST_CUT = 0.15  # of an edge's pixels that the subject covers
_MOST_STRAY = 0.01  # of the border's pixels that are neither ground nor subject: more is no even ground
_CORNER = 2  # pixels: what reaches a corner is a part of an uneven ground
_KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Measures:
    """``dark`` and ``bright`` are the 95th and 5th percentiles of the grey picture, 0 to 255."""

    dark: float
    bright: float
    cut: tuple[str, ...]  # of EDGES; empty too where there is no even ground to tell a subject from


def measures(picture: Pillow.Image) -> Measures:
    """
    :param picture: RGB, of any size
    """
    small = picture.copy()
    small.thumbnail((_SIDE, _SIDE), Pillow.Resampling.BOX)
    grey = np.asarray(small.convert("L"))
    bright, dark = np.percentile(grey, [5, 95])
    return Measures(float(dark), float(bright), tuple(_cut(np.asarray(small, dtype=np.float32))))


def _cut(pixels: np.ndarray) -> Iterable[str]:
    """Edges that the subject runs over, where the border is even enough to tell a subject from a ground.

    :param pixels: ``(h, w, 3)``
    """
    ground = np.median(np.concatenate(list(_edges(pixels).values())), axis=0)
    other = np.linalg.norm(pixels - ground, axis=-1) >= _GROUND_DISTANCE
    pieces, number = ndimage.label(other)
    if not number:
        return
    subject = pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    edges, stray = _edges(subject), _edges(other & ~subject)
    border = sum(len(edge) for edge in edges.values())
    if sum(int(edge.sum()) for edge in stray.values()) > _MOST_STRAY * border:
        return
    if any(edge[:_CORNER].any() or edge[-_CORNER:].any() for edge in edges.values()):
        return
    yield from (name for name, edge in edges.items() if edge.mean() >= _LEAST_CUT)


def _edges(pixels: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(EDGES, (pixels[0], pixels[:, -1], pixels[-1], pixels[:, 0]), strict=True))


def quality_signs(image: Image) -> list[str]:
    """What is wrong with the image, in words; empty where nothing is. One that cannot be opened is said to be so."""
    signs = []
    longest = max(image.width, image.height)
    if longest < LEAST_SIDE:
        signs.append(_("too small to zoom: %(size)d px") % {"size": longest})
    if image.sharpness is not None and image.sharpness < LEAST_SHARPNESS:
        signs.append(_("blurred"))
    found = _measures_of(image)
    if found is None:
        return [*signs, _("its file cannot be opened")]
    if found.dark <= DARK_AT_MOST:
        signs.append(_("very dark"))
    if found.bright >= BRIGHT_AT_LEAST:
        signs.append(_("washed out"))
    words = {
        "top": _("cut off at the top edge"),
        "right": _("cut off at the right edge"),
        "bottom": _("cut off at the bottom edge"),
        "left": _("cut off at the left edge"),
    }
    return signs + [words[edge] for edge in found.cut]


def _measures_of(image: Image) -> Measures | None:
    """Of the image's file, measured once a day at most."""
    key = f"quality-signs:{image.sha256}"
    found = cache.get(key)
    if found is None:
        try:
            with image.original.storage.open(str(image.original.name), "rb") as file:
                found = measures(open_upright(file, at_least=2 * _SIDE))
        except (OSError, ValueError):
            return None
        cache.set(key, found, _KEPT_SECONDS)
    return found
