"""Boxes in shares of a picture's sides: how much two have in common, and which of many are worth offering."""

from collections.abc import Iterable
from dataclasses import dataclass

from search.crops import LEAST, WHOLE, Crop

_SAME = 0.4  # intersection over union from which two boxes mean one object
_INSIDE = 0.5  # share of the smaller box from which it lies inside of the larger
_MUCH_SMALLER = 0.35  # of the other's area
_NEARLY_AS_LIKELY = 0.6  # of the other's score
_MADE_UP = 0.3  # share of a box that smaller ones cover, from which it is their ground and no object


@dataclass(frozen=True)
class Box:
    """From the upper left corner to the lower right, each from 0 to 1. A higher score is likelier an object."""

    left: float
    top: float
    right: float
    bottom: float
    score: float = 0.0

    @property
    def area(self) -> float:
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def shared(self, other: "Box") -> float:
        """The area that both cover."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, across) * max(0.0, down)

    def overlap(self, other: "Box") -> float:
        """Intersection over union."""
        shared = self.shared(other)
        return shared / (self.area + other.area - shared) if shared else 0.0

    def lies_in(self, other: "Box") -> float:
        """How much of the smaller of the two lies inside of the larger."""
        return self.shared(other) / max(min(self.area, other.area), 1e-9)

    def crop(self) -> Crop:
        """The same in whole thousandths, rounded outwards; at least as large as a crop may be."""
        left, right = _span(self.left, self.right)
        top, bottom = _span(self.top, self.bottom)
        return Crop(left, top, right - left, bottom - top)


def _span(start: float, end: float) -> tuple[int, int]:
    low = min(max(0, int(start * WHOLE)), WHOLE - LEAST)
    return low, min(WHOLE, max(low + LEAST, -int(-end * WHOLE // 1)))


def likeliest(boxes: Iterable[Box], most: int, fills: float) -> list[Box]:
    """At most ``most`` of the boxes, the likeliest first: non-maximum suppression, but a part of a thing may stand too.

    :param fills: share of the picture from which a box says nothing that the whole picture does not
    """
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: -box.score):
        if all(_may_stand_beside(box, other) for other in kept):
            kept.append(box)
    return [box for box in kept if box.area < fills and not _is_ground(box, kept)][:most]


def _may_stand_beside(box: Box, likelier: Box) -> bool:
    if box.overlap(likelier) >= _SAME:
        return False
    if box.lies_in(likelier) < _INSIDE:
        return True
    if likelier.area < _MUCH_SMALLER * box.area:
        return True
    return box.area < _MUCH_SMALLER * likelier.area and box.score > _NEARLY_AS_LIKELY * likelier.score


def _is_ground(box: Box, boxes: list[Box]) -> bool:
    """Whether several others lie in it and make up much of it: a sheet of paper, a tray, a shelf."""
    inside = [other for other in boxes if other.area < box.area and other.lies_in(box) > 0.8]
    return len(inside) > 1 and sum(other.area for other in inside) > _MADE_UP * box.area
