"""What two photos are to each other: the same file, the same photo, the same product in another photo, or nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from gallery.hashes import distance, mirrored
from search.duplicates.pixels import Pixels, compare, whole
from search.models.duplicates import DuplicatePair
from search.similarity import SimilarityScale

Kind = DuplicatePair.Kind
# Bits of the hash within which it is worth to look at the pixels: re-encoding and scaling change 2 at most, mirroring 8
# of the turned hash (bench/duplicates.py).
LOOK_BITS = 9


@dataclass(frozen=True)
class Photo:
    """What is known of a photo without decoding it."""

    key: UUID
    product: UUID
    sha256: str
    perceptual_hash: str


@dataclass(frozen=True)
class Lines:
    """Similarities (the weighted sum of the parts' cosines) from which on a pair is looked at; of one generation."""

    part: float  # one may be a part of the other
    suggested: float  # they may show the same product

    @classmethod
    def of(cls, scale: SimilarityScale, weights: Mapping[str, float]) -> "Lines":
        _weak, very, nearly = scale.random_lines(weights)
        return cls(part=(very + nearly) / 2, suggested=nearly)

    @property
    def lowest(self) -> float:
        return min(self.part, self.suggested)


@dataclass(frozen=True)
class Verdict:
    kind: str
    score: float  # 1 for the same file; structural similarity of the same photo; similarity of the same product
    relation: str = ""  # of search.duplicates.pixels, for the same photo


@dataclass(frozen=True)
class Case:
    """Two photos, how similar an encoder finds them, and how to see them."""

    one: Photo
    other: Photo
    similarity: float | None  # None where it is not known
    pixels: Callable[[Photo], Pixels | None]  # None where the file cannot be read

    @cached_property
    def bits(self) -> int:
        """In how many bits the hashes differ, upright or mirrored."""
        one, other = self.one.perceptual_hash, self.other.perceptual_hash
        return min(distance(one, other), distance(mirrored(one), other))


def judge(case: Case, lines: Lines) -> Verdict | None:
    """What the two are to each other, by the cheapest means that can tell."""
    if case.one.sha256 == case.other.sha256:
        return Verdict(Kind.EXACT, 1.0)
    alike = -1.0 if case.similarity is None else case.similarity
    if case.bits <= LOOK_BITS or alike >= lines.part:
        one, other = case.pixels(case.one), case.pixels(case.other)
        if one is not None and other is not None:
            found = compare(one, other) if alike >= lines.part else whole(one, other)
            if found is not None and found.is_same_photo:
                return Verdict(Kind.SAME_PHOTO, min(1.0, found.structure), found.relation)
    if alike >= lines.suggested and case.one.product != case.other.product:
        return Verdict(Kind.SAME_PRODUCT, min(1.0, alike))
    return None
