"""The structure of picture files, read without decoding: how many frames, and where the picture ends.

It is read before the decoder works, whose time is not bounded by a file's size: a progressive JPEG may ask for
thousands of passes over all pixels, a GIF or TIFF for a walk over millions of frames.
"""

import re
import struct
from dataclasses import dataclass

# Real progressive JPEGs have about ten scans; each one is a pass over all pixels.
_MOST_SCANS = 64
# Pillow joins the pieces of GIF comments one by one, in quadratic time.
_MOST_COMMENT_BYTES = 1 << 16
# In entropy-coded data 0xFF is followed by 0x00 or a restart marker; anything else is the next segment.
_NEXT_SEGMENT = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")


class Unreasonable(ValueError):
    """A structure that no camera or program writes, and that would keep a decoder busy for hours."""


@dataclass(frozen=True)
class Structure:
    """``frames`` is None where the decoder's own count is cheap; ``end`` (bytes) where the format does not mark it."""

    frames: int | None = None
    end: int | None = None


def structure(data: bytes, most_frames: int) -> Structure:
    """Survey a file. Damage is left to the decoder, which names it better.

    :param most_frames: counting stops one above this
    :raises Unreasonable: see the class
    """
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if data.startswith(b"GIF8"):
            return _gif(data, most_frames)
        if data.startswith((b"II", b"MM")):
            return _tiff(data, most_frames)
        if data.startswith(b"\x89PNG"):
            return _png(data)
        if data.startswith(b"RIFF"):
            return Structure(end=8 + int.from_bytes(data[4:8], "little"))
    except (IndexError, struct.error):
        return Structure()
    return Structure()


def _jpeg(data: bytes) -> Structure:
    position, scans = 2, 0
    while found := _NEXT_SEGMENT.search(data, position):
        position, marker = found.end(), data[found.end() - 1]
        if marker == 0xD9:
            return Structure(end=position)
        if marker == 0xDA:
            scans += 1
            if scans > _MOST_SCANS:
                raise Unreasonable(f"more than {_MOST_SCANS} scans")
        if marker not in (0x01, 0xD8):
            position += int.from_bytes(data[position : position + 2], "big")
    return Structure()


def _gif(data: bytes, most_frames: int) -> Structure:
    position = 13 + _palette_bytes(data[10])
    frames = comment_bytes = 0
    while frames <= most_frames:
        kind = data[position]
        if kind == 0x3B:
            return Structure(frames, position + 1)
        if kind == 0x21:
            after = _after_blocks(data, position + 2)
            if data[position + 1] == 0xFE:
                comment_bytes += after - position
                if comment_bytes > _MOST_COMMENT_BYTES:
                    raise Unreasonable(f"more than {_MOST_COMMENT_BYTES} bytes of comments")
            position = after
        elif kind == 0x2C:
            frames += 1
            try:
                position = _after_blocks(data, position + 11 + _palette_bytes(data[position + 9]))
            except IndexError:
                break
        else:
            position += 1
        if position >= len(data):
            break
    return Structure(max(frames, 1))


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(data: bytes, position: int) -> int:
    while length := data[position]:
        position += length + 1
    return position + 1


def _tiff(data: bytes, most_frames: int) -> Structure:
    order = "<" if data.startswith(b"II") else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43  # BigTIFF: 64-bit offsets
    count_type, entry, offset_type, first = ("Q", 20, "Q", 8) if big else ("H", 12, "I", 4)
    (position,) = struct.unpack_from(order + offset_type, data, first)
    seen: set[int] = set()
    while position and position not in seen and len(seen) <= most_frames:
        seen.add(position)
        (entries,) = struct.unpack_from(order + count_type, data, position)
        following = position + struct.calcsize(order + count_type) + entries * entry
        if following + struct.calcsize(order + offset_type) > len(data):
            break
        (position,) = struct.unpack_from(order + offset_type, data, following)
    return Structure(max(len(seen), 1))


def _png(data: bytes) -> Structure:
    position = 8
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        position += length + 12
        if kind == b"IEND":
            return Structure(end=position)
    return Structure()
