"""Decoding: from a file that was verified to upright RGB pixels, whatever the file was."""

import io
from functools import lru_cache
from typing import IO

import numpy as np
import pi_heif
from PIL import Image, ImageCms, ImageOps

pi_heif.register_heif_opener()

# The decoders that verified files may reach. Pillow has forty more, which untrusted bytes never see.
DECODERS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "HEIF")
_SRGB = ImageCms.createProfile("sRGB")
_WHITE = (255, 255, 255, 255)
# Modes whose pixels may be averaged (Pillow weighs colours by alpha itself).
_AVERAGED = ("L", "LA", "RGB", "RGBA", "CMYK")


def open_upright(file: IO[bytes], at_least: int | None = None) -> Image.Image:
    """The first frame: upright, in sRGB, on white.

    :param at_least: pixels that the shorter side has to keep; larger pictures are then decoded at a reduced size
    :return: an RGB picture whose pixels are loaded
    :raises OSError: when the file cannot be decoded
    """
    return on_white(open_with_alpha(file, at_least))


def open_with_alpha(file: IO[bytes], at_least: int | None = None) -> Image.Image:
    """As ``open_upright``, but RGBA where the file has transparency."""
    with Image.open(file, formats=DECODERS) as picture:
        return load_upright(picture, at_least)


def load_upright(picture: Image.Image, at_least: int | None = None) -> Image.Image:
    """The first frame of an opened picture, upright and in sRGB: RGB, or RGBA where it has transparency."""
    if at_least is not None and picture.format == "JPEG":
        scale = max(1.0, min(picture.size) / at_least)
        picture.draft(None, (int(picture.width / scale), int(picture.height / scale)))
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    profile = upright.info.get("icc_profile")
    upright = _eight_bit(upright)
    if at_least is not None and upright.mode in _AVERAGED and min(upright.size) >= 2 * at_least:
        upright = upright.reduce(min(upright.size) // at_least)
    result = _to_srgb(upright, profile)
    result.info = {}  # comments and profiles would be written into renditions
    return result


def on_white(picture: Image.Image) -> Image.Image:
    """An RGBA picture composed on white; an RGB one as it is."""
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGBA", picture.size, _WHITE)
    ground.alpha_composite(picture)
    return ground.convert("RGB")


def has_other_colors(profile: bytes | None) -> bool:
    """Whether a colour profile is readable and says something else than sRGB or plain grey."""
    if not profile:
        return False
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
        return opened.xcolor_space.strip() == "RGB" and "sRGB" not in (opened.profile_description or "")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return False


def _eight_bit(picture: Image.Image) -> Image.Image:
    """16-bit, 32-bit and float pixels scaled to eight bits; Pillow itself would clip them."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    with np.errstate(all="ignore"):  # float files may hold anything
        pixels = np.clip(np.nan_to_num(np.asarray(picture, dtype=np.float64)), -1e30, 1e30)
    low, high = min(0.0, float(pixels.min())), _full_scale(picture.mode, float(pixels.max()))
    scaled = (pixels - low) * (255.0 / max(high - low, 1e-9))
    return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))


def _full_scale(mode: str, highest: float) -> float:
    """The value that stands for white: the range of the type, or of the type that the values were widened from."""
    if mode.startswith("I;16"):
        return 65535.0
    ranges = (255.0, 65535.0) if mode.startswith("I") else (1.0, 255.0, 65535.0)
    return next((end for end in ranges if highest <= end), highest)


def _has_alpha(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    transparent = _has_alpha(picture)
    converted = _by_profile(picture, profile) if profile else None
    if converted is None and picture.mode == "LAB":
        converted = _by_profile(picture, _lab_profile())
    if not transparent:
        return converted or picture.convert("RGB")
    if converted is None:
        return picture.convert("RGBA")
    converted.putalpha(picture.convert("RGBA").getchannel("A"))
    return converted


def _by_profile(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """The picture in sRGB by its own colour profile, or None where that profile is broken or does not fit."""
    colors = picture
    if picture.mode in ("P", "PA", "RGBA", "RGBX"):
        colors = picture.convert("RGBA").convert("RGB")
    elif picture.mode in ("1", "LA"):
        colors = picture.convert("L")
    try:
        return ImageCms.applyTransform(colors, _transform(profile, colors.mode))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None  # a wrong profile is no reason to refuse a picture: its numbers are taken as sRGB


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    """From a profile to sRGB. Photographs of one camera or program share their profile; making this takes longest."""
    return ImageCms.buildTransform(ImageCms.ImageCmsProfile(io.BytesIO(profile)), _SRGB, mode, "RGB")


@lru_cache(maxsize=1)
def _lab_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
