"""Perceptual hashes: 64-bit DCT hashes (Zauner, 2010) of pictures, and rows whose hash is near without reading all.

The hash is cut into four bands of 16 bits. Hashes that differ in at most ``4 n + 3`` bits have a band that differs in
at most ``n``: so it is enough to look for each band with each choice of ``n`` bits flipped (Norouzi et al., 2012).
"""

from collections.abc import Iterator
from functools import cache
from itertools import combinations

from django.db.models import F, Func

BITS = 64
BANDS = 4
MOST_BITS = 11  # that hashes may differ in and still be looked for: two flipped bits in a band
_BAND_BITS = BITS // BANDS
_DIGITS = _BAND_BITS // 4
_MIRROR = 0x5555555555555555


def band(column: str, number: int) -> Func:
    """One band of a column of hashes, written as in its index: databases compare expressions by their text."""
    return Func(F(column), template=f"SUBSTR(%(expressions)s, {1 + number * _DIGITS}, {_DIGITS})")


def distance(one: str, other: str) -> int:
    """In how many bits two hashes (16 hexadecimal digits) differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def mirrored(hash: str) -> str:
    """About the hash of the mirrored picture: mirroring turns the sign of every second frequency across."""
    return f"{int(hash, 16) ^ _MIRROR:016x}"


def probes(hash: str, bits: int) -> Iterator[tuple[int, list[str]]]:
    """For each band's number, the values of it that a hash within so many bits may have.

    :raises ValueError: for more than ``MOST_BITS``
    """
    if bits > MOST_BITS:
        raise ValueError(f"Hashes are looked for within {MOST_BITS} bits.")
    for number in range(BANDS):
        band = int(hash[number * _DIGITS : (number + 1) * _DIGITS], 16)
        yield number, [f"{band ^ mask:0{_DIGITS}x}" for mask in masks(bits // BANDS)]


@cache
def masks(flips: int) -> tuple[int, ...]:
    """All ways of flipping at most so many bits of a band."""
    places = [1 << place for place in range(_BAND_BITS)]
    return tuple(sum(chosen) for count in range(flips + 1) for chosen in combinations(places, count))
