"""Files made from originals for pages: scaled, without metadata, made when first asked for or ahead of time."""

import io
from collections.abc import Iterable

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import IntegrityError, transaction
from PIL import Image as Pillow

from gallery.models import Image, Rendition
from gallery.pictures import on_white, open_with_alpha
from gallery.storage import fresh_name

CARD_WIDTH = 320  # what a results page asks for first
_TALLEST = 16_383  # pixels; WebP has no more
_AVIF_SPEED = 7  # of 10: slower ones gain a few percent for several times the seconds

Format = Rendition.Format
ENDINGS = {
    Format.WEBP: "webp",
    Format.JPEG: "jpg",
    Format.AVIF: "avif",
    Format.PNG: "png",
    Format.LOSSLESS: "webp",
}


def rendition(image: Image, format: str, width: int) -> Rendition:
    """The stored rendition of the image's present file, as pages show it, made now if there is none.

    :raises FileNotFoundError: when the original is missing, or the image was deleted or replaced meanwhile
    """
    quality = settings.RENDITION_QUALITY[format]
    found = present(image, format, width, quality)
    if found is not None:
        return found
    return store(image, format, width, quality, encoded(scaled(image, width), format, quality))


def present(image: Image, format: str, width: int, quality: int) -> Rendition | None:
    """What is stored of the image's present file."""
    return Rendition.objects.filter(
        image=image, format=format, width=width, quality=quality, source_sha256=image.sha256
    ).first()


def store(image: Image, format: str, width: int, quality: int, content: bytes, ssim: float | None = None) -> Rendition:
    """Keep an encoded file. Two requests may make the same one at once: one row wins, the other's file is deleted.

    :raises FileNotFoundError: when the image was deleted or replaced meanwhile
    """
    storage = storages["renditions"]
    name = storage.save(fresh_name(ENDINGS[Format(format)]), ContentFile(content))
    try:
        with transaction.atomic():
            same = Rendition.objects.filter(image=image, format=format, width=width, quality=quality)
            for outdated in same.exclude(source_sha256=image.sha256):
                outdated.delete()
            return Rendition.objects.create(
                image=image,
                format=format,
                width=width,
                quality=quality,
                source_sha256=image.sha256,
                bytes=len(content),
                ssim=ssim,
                file=name,
            )
    except IntegrityError as error:
        storage.delete(name)
        winner = present(image, format, width, quality)
        if winner is None:
            raise FileNotFoundError(f"image {image.pk} was deleted or replaced") from error
        return winner
    except BaseException:
        storage.delete(name)
        raise


def scaled(image: Image, width: int) -> Pillow.Image:
    """The original scaled to a width, never up: upright, in sRGB, RGBA where it has transparency.

    :raises FileNotFoundError: when the original is missing
    """
    # A handle of its own: threads may share the image, and with it the one handle that Django keeps there.
    with image.original.storage.open(str(image.original.name), "rb") as file:
        picture = open_with_alpha(file, at_least=2 * width)
    picture.thumbnail((width, _TALLEST), Pillow.Resampling.LANCZOS, reducing_gap=3.0)
    return picture


def encoded(picture: Pillow.Image, format: str, quality: int) -> bytes:
    """The file of a scaled picture. JPEG has white in place of transparency; the others keep it."""
    content = io.BytesIO()
    match format:
        case Format.JPEG:
            on_white(picture).save(content, "JPEG", quality=quality, optimize=True, progressive=True)
        case Format.WEBP:
            picture.save(content, "WEBP", quality=quality, method=4)
        case Format.AVIF:
            picture.save(content, "AVIF", quality=quality, speed=_AVIF_SPEED)
        case Format.PNG:
            picture.save(content, "PNG", optimize=True)
        case Format.LOSSLESS:
            picture.save(content, "WEBP", lossless=True, quality=80, method=4)
        case _:
            raise ValueError(f"There is no format {format}.")
    return content.getvalue()


def make_missing_renditions(images: Iterable[Image], width: int = CARD_WIDTH) -> int:
    """Make the WebP of one width ahead of time where it is missing.

    :return: how many were made
    """
    images = list(images)
    have = dict(
        Rendition.objects.for_pages(Format.WEBP, width).filter(image__in=images).values_list("image", "source_sha256")
    )
    missing = [image for image in images if have.get(image.pk) != image.sha256]
    for image in missing:
        rendition(image, Rendition.Format.WEBP, width)
    return len(missing)
