"""Decoding: from a file that was verified to upright RGB pixels, whatever the file was."""

import io
from typing import BinaryIO

import numpy as np
import pi_heif
from PIL import Image, ImageCms, ImageOps

pi_heif.register_heif_opener()

_SRGB = ImageCms.createProfile("sRGB")
_WHITE = (255, 255, 255, 255)


def open_upright(file: BinaryIO, at_least: int | None = None) -> Image.Image:
    """The first frame: upright, in sRGB, on white.

    :param at_least: pixels that the shorter side has to keep; large JPEGs are then decoded at a reduced size
    :return: an RGB picture whose pixels are loaded
    :raises OSError: when the file cannot be decoded
    """
    with Image.open(file) as picture:
        return on_white(load_upright(picture, at_least))


def load_upright(picture: Image.Image, at_least: int | None = None) -> Image.Image:
    """The first frame of an opened picture, upright and in sRGB: RGB, or RGBA where it has transparency."""
    if at_least is not None and picture.format == "JPEG":
        scale = max(1.0, min(picture.size) / at_least)
        picture.draft(None, (int(picture.width / scale), int(picture.height / scale)))
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    return _to_srgb(_eight_bit(upright), upright.info.get("icc_profile"))


def on_white(picture: Image.Image) -> Image.Image:
    """An RGBA picture composed on white; an RGB one as it is."""
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGBA", picture.size, _WHITE)
    ground.alpha_composite(picture)
    return ground.convert("RGB")


def _eight_bit(picture: Image.Image) -> Image.Image:
    """16-bit, 32-bit and float pixels scaled to eight bits; Pillow itself would clip them."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    pixels = np.nan_to_num(np.asarray(picture, dtype=np.float64))
    low, high = min(0.0, float(pixels.min())), float(pixels.max())
    # Whole numbers use the range of their type; floats, as in scientific TIFF, the range that is there.
    if picture.mode.startswith("I") and 255 < high <= 65535 and low >= 0:
        high = 65535.0
    elif high <= 255 and low >= 0 and picture.mode.startswith("I"):
        high = 255.0
    elif picture.mode == "F" and high <= 1 and low >= 0:
        high = 1.0
    scaled = (pixels - low) * (255.0 / max(high - low, 1e-9))
    return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))


def _has_alpha(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    alpha = picture.convert("RGBA").getchannel("A") if _has_alpha(picture) else None
    converted = _by_profile(picture, profile) if profile else None
    if converted is None:
        if picture.mode == "LAB":
            converted = _by_profile(picture, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())
        converted = converted or (picture.convert("RGBA") if alpha else picture).convert("RGB")
    if alpha is None:
        return converted
    result = converted.convert("RGBA")
    result.putalpha(alpha)
    return result


def _by_profile(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """The picture in sRGB by its own colour profile, or None where that profile is broken or does not fit."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        colors = picture.convert("RGB") if picture.mode in ("P", "PA", "RGBA", "RGBX", "1") else picture
        if colors.mode in ("LA", "La"):
            colors = colors.convert("L")
        return ImageCms.profileToProfile(colors, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None  # a wrong profile is no reason to refuse a picture: its numbers are taken as sRGB
