"""Whether two pictures are the same photo, by their pixels: whole, mirrored, or one of them a part of the other.

Hashes and embeddings only say which pairs are worth this look: garments of one cut in two colours have the same hash,
and a network calls two photos of one dress alike.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter
from skimage.feature import match_template
from skimage.metrics import structural_similarity

SIDE = 128  # pixels of the longer side that is looked at
_COARSE = 40  # while the place of a part is sought
_SAME_SHAPE = 0.04  # by how much the ratios of the sides of one photo may differ: scaling rounds them
_SHARES = np.arange(0.5, 1.001, 0.0625)  # of the other picture that a part may be, along its longer fit
_FINE = np.arange(-0.03, 0.031, 0.015)
_SMALLEST = 10  # pixels of a side that still shows something
_PROMISING = 0.6  # of the correlation at a coarse look, below which no part is sought more closely

Relation = Literal["same", "mirrored", "part", "mirrored-part"]
Pixels = np.ndarray


@dataclass(frozen=True)
class Likeness:
    """How alike two pictures are where they lie over each other."""

    relation: Relation
    structure: float  # mean structural similarity (Wang et al., 2004) of grey values, at most 1
    color: float  # how far colours are apart where they differ most (99th percentile, blurred), of 255

    @property
    def is_same_photo(self) -> bool:
        least, most = LIMITS[self.relation]
        return self.structure >= least and self.color <= most


# Least structural similarity and most difference of colours of the same photo; see docs/duplicates.md.
LIMITS: dict[Relation, tuple[float, float]] = {
    "same": (0.8, 30),
    "mirrored": (0.8, 30),
    "part": (0.6, 40),
    "mirrored-part": (0.6, 40),
}


def pixels_of(picture: Image.Image) -> Pixels:
    """``(h, w, 3)`` float32 from 0 to 255, the longer side ``SIDE`` pixels or as it is if that is less."""
    small = picture.copy()
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32)


def compare(one: Pixels, other: Pixels) -> Likeness | None:
    """The likeness of the way in which they are most alike; None where none is worth a look."""
    found = whole(one, other)
    if found is not None and found.is_same_photo:
        return found
    parts = [likeness for pair in ((one, other), (other, one)) if (likeness := part(*pair)) is not None]
    return max([*parts, *([found] if found else [])], key=lambda likeness: likeness.structure, default=None)


def whole(one: Pixels, other: Pixels) -> Likeness | None:
    """Both in full, upright or mirrored; None where their shapes differ."""
    if abs(np.log(_ratio(one) / _ratio(other))) > _SAME_SHAPE:
        return None
    height, width = np.minimum(one.shape[:2], other.shape[:2])
    one, other = scaled(one, width, height), scaled(other, width, height)
    ways = [likeness("same", one, other), likeness("mirrored", one, other[:, ::-1])]
    return max(ways, key=lambda way: way.structure)


def part(picture: Pixels, piece: Pixels) -> Likeness | None:
    """The second picture as a part of the first, upright or mirrored: first where and how large, roughly, then well.

    :return: None where no place correlates
    """
    ways: list[tuple[Relation, Pixels]] = [("part", piece), ("mirrored-part", piece[:, ::-1])]
    small = _smaller(picture, _COARSE)
    coarse = [(place, share, way) for way in ways for share in _SHARES if (place := _find(small, way[1], share))]
    if not coarse:
        return None
    place, share, (relation, way) = max(coarse, key=lambda one: one[0].correlation)
    if place.correlation < _PROMISING:
        return None
    # One pixel of the coarse look, and what the share may be off by.
    near = _Near(place, margin=1.5 / _COARSE + float(_FINE[-1]))
    fine = [found for step in _FINE if share + step <= 1.001 and (found := _find(picture, way, share + step, near))]
    if not fine:
        return None
    best = max(fine, key=lambda found: found.correlation)
    height, width = best.piece.shape[:2]
    there = picture[best.top : best.top + height, best.left : best.left + width]
    return likeness(relation, there, best.piece)


@dataclass(frozen=True)
class _Place:
    """Where a scaled piece fits best into a picture."""

    correlation: float
    top: int
    left: int
    piece: Pixels
    inside: tuple[int, int]  # height and width of the picture


@dataclass(frozen=True)
class _Near:
    """Only around a place that was found in a smaller picture."""

    place: _Place
    margin: float  # of the picture's sides

    def window(self, height: int, width: int, piece: Pixels) -> tuple[slice, slice]:
        """Rows and columns in which the piece may lie."""
        return (
            self._span(self.place.top / self.place.inside[0], height, piece.shape[0]),
            self._span(self.place.left / self.place.inside[1], width, piece.shape[1]),
        )

    def _span(self, start: float, length: int, piece: int) -> slice:
        first = min(max(0, int((start - self.margin) * length)), length - piece)
        last = max(first, min(length - piece, int(np.ceil((start + self.margin) * length))))
        return slice(first, last + piece)


def _find(picture: Pixels, piece: Pixels, share: float, near: _Near | None = None) -> _Place | None:
    """Where the piece fits best when it takes this share of the picture, in its own shape; None if it is too small."""
    factor = share * min(picture.shape[0] / piece.shape[0], picture.shape[1] / piece.shape[1])
    height, width = (max(1, int(length * factor + 0.5)) for length in piece.shape[:2])
    if min(width, height) < _SMALLEST or height > picture.shape[0] or width > picture.shape[1]:
        return None
    here = scaled(piece, width, height)
    rows, columns = near.window(picture.shape[0], picture.shape[1], here) if near else (slice(None), slice(None))
    scores = match_template(grey(picture[rows, columns]), grey(here))
    top, left = (int(number) for number in np.unravel_index(int(np.argmax(scores)), scores.shape))
    best = float(scores[top, left])
    return _Place(best, top + (rows.start or 0), left + (columns.start or 0), here, picture.shape[:2])


def likeness(relation: Relation, one: Pixels, other: Pixels) -> Likeness:
    """Of two pictures of one size that lie over each other."""
    size = min(7, *one.shape[:2])
    window = size if size % 2 else size - 1
    if window < 3:
        return Likeness(relation, -1.0, 255.0)
    structure = structural_similarity(grey(one), grey(other), win_size=window, data_range=255.0)
    apart = np.abs(_blurred(one) - _blurred(other)).max(axis=2)
    return Likeness(relation, float(structure), float(np.percentile(apart, 99)))


def _ratio(picture: Pixels) -> float:
    return picture.shape[1] / picture.shape[0]


def grey(picture: Pixels) -> np.ndarray:
    return picture @ np.array([0.299, 0.587, 0.114], dtype=np.float32)


def scaled(picture: Pixels, width: int, height: int) -> Pixels:
    if picture.shape[:2] == (height, width):
        return picture
    image = Image.fromarray(np.clip(np.rint(picture), 0, 255).astype(np.uint8))
    method = Image.Resampling.BOX if width < picture.shape[1] else Image.Resampling.BILINEAR
    return np.asarray(image.resize((int(width), int(height)), method), dtype=np.float32)


def _blurred(picture: Pixels) -> Pixels:
    return uniform_filter(picture, size=(5, 5, 1))


def _smaller(picture: Pixels, side: int) -> Pixels:
    share = side / max(picture.shape[:2])
    height, width = (max(3, round(length * share)) for length in picture.shape[:2])
    return scaled(picture, width, height) if share < 1 else picture
