"""The one function that opens untrusted files. It returns facts, or raises an error that a person can act on."""

import hashlib
import io
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

import imagehash
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from gallery.containers import structure
from gallery.filenames import base_name, clean_name, with_ending
from gallery.models.images import Swatch
from gallery.pictures import DECODERS, has_other_colors, load_upright, on_white
from gallery.sharpness import sharpness
from gallery.swatches import dominant_swatches

# Pillow's names; an MPO is a JPEG with further pictures behind it.
_FORMATS = {
    "JPEG": "jpeg", "MPO": "jpeg", "PNG": "png", "WEBP": "webp", "AVIF": "avif", "GIF": "gif", "TIFF": "tiff",
    "HEIF": "heic",
}  # fmt: skip
_CHUNK = 1 << 20
_ORIENTATION = 0x0112  # the EXIF tag
_BITS_PER_SAMPLE = 258  # the TIFF tag
# Facts are read from a picture of at least this size; decoding a large JPEG whole would only cost time.
_FACT_PIXELS = 256


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
    sharpness: float  # see gallery.sharpness
    colors: list[Swatch]  # of the subject, the largest first; never empty
    notes: list[str] = field(default_factory=list)  # codes; see ``note_sentences``

    @property
    def swatch(self) -> Swatch:
        return self.colors[0]


def note_sentences(codes: Iterable[str]) -> list[str]:
    """What was normalised, in words."""
    sentences = {
        "profile": _("Its colours were converted from its own colour profile."),
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
    picture = _opened(data, shown, heic)
    if picture.width * picture.height > settings.MAX_IMAGE_PIXELS:
        raise _too_many_pixels(shown)
    format, deep, profile = _FORMATS[picture.format or ""], _is_deep(picture, data), picture.info.get("icc_profile")
    notes = ["cmyk"] if picture.mode == "CMYK" else []
    notes += ["sixteen-bit"] if deep else []
    notes += ["profile"] if has_other_colors(profile) else []
    found = _decoded(picture, data, shown)
    if found.frames > 1 and picture.format != "MPO":
        notes.append("pages" if format == "tiff" else "animated")
    if found.trailing_data:
        notes.append("trailing-data")
    proper = with_ending(cleaned, format)
    if cleaned != unicodedata.normalize("NFC", base_name(name)):
        notes.append("name-cleaned")
    if cleaned and proper != cleaned:
        notes.append("renamed")
    sideways = found.orientation >= 5
    solid = on_white(found.upright)
    return Facts(
        name=proper,
        format=format,
        bytes=len(data),
        width=found.height if sideways else found.width,
        height=found.width if sideways else found.height,
        frames=found.frames,
        orientation=found.orientation,
        has_alpha=found.upright.mode == "RGBA",
        sha256=sha256,
        perceptual_hash=str(imagehash.phash(solid)),
        sharpness=sharpness(solid),
        colors=dominant_swatches(found.upright),
        notes=notes,
    )


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


def _opened(data: bytes, shown: str, heic: bool) -> Image.Image:
    """The file recognised by its content, nothing decoded yet."""
    try:
        return Image.open(io.BytesIO(data), formats=[name for name in DECODERS if heic or name != "HEIF"])
    except UnidentifiedImageError as error:
        raise _unknown(data, shown, heic) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(shown) from error
    except Exception as error:  # decoders raise anything for damaged files: struct.error, RuntimeError, SyntaxError
        raise _damaged(shown) from error


@dataclass(frozen=True)
class _Decoded:
    upright: Image.Image  # RGB or RGBA, reduced
    width: int
    height: int
    frames: int
    orientation: int
    trailing_data: bool


def _decoded(picture: Image.Image, data: bytes, shown: str) -> _Decoded:
    """Decode the first frame. Its whole stream is read at a reduced size too, so truncation and damage show here."""
    width, height = picture.size
    try:
        file = structure(data, settings.MAX_IMAGE_FRAMES)
        frames = file.frames if file.frames is not None else getattr(picture, "n_frames", 1)
        if frames <= settings.MAX_IMAGE_FRAMES:
            picture.seek(0)
            orientation = picture.getexif().get(_ORIENTATION, 1)
            upright = load_upright(picture, at_least=_FACT_PIXELS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise _too_many_pixels(shown) from error
    except Exception as error:  # as above
        raise _damaged(shown) from error
    if frames > settings.MAX_IMAGE_FRAMES:
        raise Refused(
            _("%(name)s has more than %(limit)d frames. Send a single picture.")
            % {"name": shown, "limit": settings.MAX_IMAGE_FRAMES},
            "too-many-frames",
            413,
        )
    if orientation not in range(1, 9):
        orientation = 1
    trailing = file.end is not None and len(data[file.end :].strip(b"\0\r\n")) > 0
    # The second picture of an MPO follows the first one's end, and belongs to it.
    return _Decoded(upright, width, height, frames, orientation, trailing and picture.format != "MPO")


def _is_deep(picture: Image.Image, data: bytes) -> bool:
    """Whether its samples have more than eight bits; Pillow says so only of grey pictures."""
    if picture.format == "PNG":
        return data[24] == 16  # the bit depth in the header
    if picture.format == "TIFF":
        bits = picture.tag_v2.get(_BITS_PER_SAMPLE, (8,))  # type: ignore[attr-defined]
        return any(isinstance(depth, int) and depth > 8 for depth in (bits if isinstance(bits, tuple) else (bits,)))
    return False


def _unknown(data: bytes, shown: str, heic: bool) -> Refused:
    if b"<svg" in data[:4096].lower():
        return Refused(_("%(name)s is a drawing (SVG). Export it as PNG and send that.") % {"name": shown}, "svg")
    if not heic and data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"hevc"):
        return Refused(_("%(name)s is a HEIC photo. Export it as JPEG and send that.") % {"name": shown}, "heic")
    return Refused(
        _("%(name)s is not a picture that can be read. Send a JPEG, PNG, WebP, AVIF, GIF or TIFF file.")
        % {"name": shown},
        "not-a-picture",
    )


def _damaged(shown: str) -> Refused:
    return Refused(
        _("%(name)s is damaged or incomplete. Open it, save it again and send the new file.") % {"name": shown},
        "damaged",
    )


def _too_many_pixels(shown: str) -> Refused:
    return Refused(
        _("%(name)s has more than %(limit)s megapixels. Save it smaller and try again.")
        % {"name": shown, "limit": number_format(settings.MAX_IMAGE_PIXELS / 1_000_000, 1).rstrip("0").rstrip(".,")},
        "too-many-pixels",
        413,
    )
