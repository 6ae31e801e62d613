"""The one function that opens untrusted files. It returns facts, or raises an error that a person can act on."""

import hashlib
import io
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

import imagehash
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from gallery.filenames import clean_name, with_ending
from gallery.models.images import Swatch
from gallery.pictures import load_upright, on_white
from gallery.swatches import dominant_swatch

FORMATS = {"JPEG": "jpeg", "MPO": "jpeg", "PNG": "png", "WEBP": "webp", "AVIF": "avif", "GIF": "gif", "TIFF": "tiff"}
_HEIC = {"HEIF": "heic"}
_CHUNK = 1 << 20
_ORIENTATION = 0x0112  # the EXIF tag
# Facts are read from a picture of about this size; decoding a large JPEG whole would only cost time.
_FACT_PIXELS = 256
# What Pillow's decoders raise for damaged files, by experience with mutated ones.
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, RuntimeError, OverflowError)


class Refused(Exception):
    """A file that is not taken, with a sentence that names it and says what to do."""

    def __init__(self, message: str, code: str, status: int = 400):
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status  # HTTP: 400, or 413 where the file is over a limit


@dataclass(frozen=True)
class Facts:
    """What verification found in a file. ``width`` and ``height`` are pixels after orientation."""

    name: str  # cleaned, with an ending that fits the content
    format: str
    bytes: int
    width: int
    height: int
    frames: int
    orientation: int
    has_alpha: bool
    sha256: str
    perceptual_hash: str
    swatch: Swatch
    notes: list[str] = field(default_factory=list)  # codes; see ``note_sentences``


def note_sentences(codes: Iterable[str]) -> list[str]:
    """What was normalised, in words."""
    sentences = {
        "cmyk": _("Its printing colours (CMYK) were converted to screen colours."),
        "sixteen-bit": _("Its 16-bit values were scaled to 8 bits."),
        "animated": _("It is animated; the first frame is used."),
        "pages": _("It has several pages; the first one is used."),
        "renamed": _("Its name was changed to fit its content."),
        "name-cleaned": _("Its name was cleaned."),
        "trailing-data": _("It has other data after the picture, which is never served."),
    }
    return [sentences[code] for code in codes if code in sentences]


def verify(file: BinaryIO, name: str, *, heic: bool = False) -> Facts:
    """Check an untrusted file and take its facts. The file is left at its beginning.

    :param heic: also take HEIC, as phones send it; originals are not kept in it
    :raises Refused: for anything that is not a picture within the limits
    """
    cleaned = clean_name(name)
    shown = cleaned or _("The file")
    data, sha256 = _read(file, shown)
    file.seek(0)
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures; our own limit is checked before anything is decoded.
            warnings.simplefilter("ignore")
            return _facts(data, cleaned, shown, sha256, FORMATS | (_HEIC if heic else {}))
    except (Image.DecompressionBombError, MemoryError) as error:
        raise _too_many_pixels(shown) from error


def _read(file: BinaryIO, shown: str) -> tuple[bytes, str]:
    """The bytes, at most one chunk more than the limit, and their SHA-256."""
    digest, chunks, size = hashlib.sha256(), [], 0
    file.seek(0)
    while chunk := file.read(_CHUNK):
        size += len(chunk)
        if size > settings.MAX_IMAGE_BYTES:
            limit = filesizeformat(settings.MAX_IMAGE_BYTES)
            raise Refused(
                _("%(name)s is larger than %(limit)s. Save it smaller and try again.")
                % {"name": shown, "limit": limit},
                "too-many-bytes",
                413,
            )
        digest.update(chunk)
        chunks.append(chunk)
    if not size:
        raise Refused(_("%(name)s is empty. Choose another file.") % {"name": shown}, "empty")
    return b"".join(chunks), digest.hexdigest()


def _facts(data: bytes, cleaned: str, shown: str, sha256: str, formats: dict[str, str]) -> Facts:
    picture = _opened(data, shown, formats)
    format = formats[picture.format or ""]
    width, height = picture.size
    if width * height > settings.MAX_IMAGE_PIXELS:
        raise _too_many_pixels(shown)
    try:
        frames = getattr(picture, "n_frames", 1)
        if frames > settings.MAX_IMAGE_FRAMES:
            raise Refused(
                _("%(name)s has %(frames)d frames; at most %(limit)d are taken. Send a single picture.")
                % {"name": shown, "frames": frames, "limit": settings.MAX_IMAGE_FRAMES},
                "too-many-frames",
                413,
            )
        picture.seek(0)
        orientation = picture.getexif().get(_ORIENTATION, 1)
        notes = _notes(picture, format, frames, data)
        # Truncation and damage show here, at a reduced size too: the whole stream is read.
        upright = load_upright(picture, at_least=_FACT_PIXELS)
        opaque = on_white(upright)
        perceptual_hash, swatch = str(imagehash.phash(opaque)), dominant_swatch(upright)
    except _DAMAGED as error:
        raise Refused(
            _("%(name)s is damaged or incomplete. Open it, save it again and send the new file.") % {"name": shown},
            "damaged",
        ) from error
    if orientation not in range(1, 9):
        orientation = 1
    proper = with_ending(cleaned, format)
    if proper != cleaned:
        notes.append("renamed" if cleaned else "name-cleaned")
    return Facts(
        name=proper,
        format=format,
        bytes=len(data),
        width=height if orientation >= 5 else width,
        height=width if orientation >= 5 else height,
        frames=frames,
        orientation=orientation,
        has_alpha=upright.mode == "RGBA",
        sha256=sha256,
        perceptual_hash=perceptual_hash,
        swatch=swatch,
        notes=notes,
    )


def _opened(data: bytes, shown: str, formats: dict[str, str]) -> Image.Image:
    """The file recognised by its content, nothing decoded yet."""
    openers = [name for name in formats if name != "MPO"]  # an MPO is recognised by the JPEG opener
    try:
        return Image.open(io.BytesIO(data), formats=openers)
    except UnidentifiedImageError as error:
        if b"<svg" in data[:4096].lower():
            raise Refused(
                _("%(name)s is a drawing (SVG). Export it as PNG and send that.") % {"name": shown}, "svg"
            ) from error
        raise Refused(
            _("%(name)s is not a picture that can be read. Send a JPEG, PNG, WebP, AVIF, GIF or TIFF file.")
            % {"name": shown},
            "not-a-picture",
        ) from error
    except _DAMAGED as error:
        raise Refused(
            _("%(name)s is damaged or incomplete. Open it, save it again and send the new file.") % {"name": shown},
            "damaged",
        ) from error


def _too_many_pixels(shown: str) -> Refused:
    megapixels = settings.MAX_IMAGE_PIXELS // 1_000_000
    return Refused(
        _("%(name)s has more than %(limit)d megapixels. Save it smaller and try again.")
        % {"name": shown, "limit": megapixels},
        "too-many-pixels",
        413,
    )


def _notes(picture: Image.Image, format: str, frames: int, data: bytes) -> list[str]:
    """Codes of what decoding will normalise."""
    notes = []
    if picture.mode in ("CMYK", "YCCK"):
        notes.append("cmyk")
    if picture.mode.startswith(("I", "F")):
        notes.append("sixteen-bit")
    if frames > 1 and picture.format != "MPO":
        notes.append("pages" if format == "tiff" else "animated")
    if _has_trailing_data(format, data):
        notes.append("trailing-data")
    return notes


def _has_trailing_data(format: str, data: bytes) -> bool:
    """Whether something follows the picture's own end, in the formats that mark it."""
    if format == "png":
        end = data.find(b"IEND")
        return end != -1 and len(data) > end + 8
    if format == "gif":
        return not data.rstrip(b"\0").endswith(b";")
    if format == "webp":
        return len(data) > 8 + int.from_bytes(data[4:8], "little") + 1
    if format == "jpeg":
        return not data.rstrip(b"\0").endswith(b"\xff\xd9")
    return False
