"""Files made from originals for pages: scaled, without metadata, made when first asked for or ahead of time."""

import io
from collections.abc import Iterable

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import IntegrityError, transaction
from PIL import Image as Pillow

from gallery.models import Image, Rendition
from gallery.pictures import load_upright, on_white
from gallery.storage import fresh_name

CARD_WIDTH = 320  # what a results page asks for first


def rendition(image: Image, format: str, width: int) -> Rendition:
    """The stored rendition of the image's present file, made now if there is none.

    Two requests may make the same one at once: one row wins, and the other's file is deleted.

    :raises OSError: when the original is missing or cannot be decoded
    """
    found = Rendition.objects.filter(image=image, format=format, width=width).first()
    if found is not None and found.source_sha256 == image.sha256:
        return found
    content = render(image, format, width)
    storage = storages["renditions"]
    name = storage.save(fresh_name("jpg" if format == Rendition.Format.JPEG else format), ContentFile(content))
    try:
        with transaction.atomic():
            if found is not None:  # of a file that was replaced
                found.delete()
            return Rendition.objects.create(
                image=image, format=format, width=width, source_sha256=image.sha256, bytes=len(content), file=name
            )
    except IntegrityError:
        storage.delete(name)
        return Rendition.objects.get(image=image, format=format, width=width)
    except BaseException:
        storage.delete(name)
        raise


def render(image: Image, format: str, width: int) -> bytes:
    """The original scaled to a width, never up. WebP keeps transparency; JPEG has white instead.

    :raises OSError: when the original is missing or cannot be decoded
    """
    with image.original.open("rb") as file, Pillow.open(file) as opened:
        picture = load_upright(opened, at_least=2 * width)
    if picture.width > width:
        height = max(1, round(picture.height * width / picture.width))
        picture = picture.resize((width, height), Pillow.Resampling.LANCZOS, reducing_gap=3.0)
    content = io.BytesIO()
    quality = settings.RENDITION_QUALITY[format]
    if format == Rendition.Format.JPEG:
        on_white(picture).save(content, "JPEG", quality=quality, optimize=True, progressive=True)
    else:
        picture.save(content, "WEBP", quality=quality, method=4)
    return content.getvalue()


def make_missing_renditions(images: Iterable[Image], width: int = CARD_WIDTH) -> int:
    """Make the WebP of one width ahead of time where it is missing.

    :return: how many were made
    """
    images = list(images)
    have = dict(
        Rendition.objects.filter(image__in=images, format=Rendition.Format.WEBP, width=width).values_list(
            "image", "source_sha256"
        )
    )
    missing = [image for image in images if have.get(image.pk) != image.sha256]
    for image in missing:
        rendition(image, Rendition.Format.WEBP, width)
    return len(missing)
