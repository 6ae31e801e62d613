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


def rendition(image: Image, format: str, width: int) -> Rendition:
    """The stored rendition of the image's present file, made now if there is none.

    Two requests may make the same one at once: one row wins, and the other's file is deleted.

    :raises FileNotFoundError: when the original is missing, or the image was deleted or replaced meanwhile
    """
    places = Rendition.objects.filter(image=image, format=format, width=width)
    found = places.filter(source_sha256=image.sha256).first()
    if found is not None:
        return found
    content = render(image, format, width)
    storage = storages["renditions"]
    name = storage.save(fresh_name("jpg" if format == Rendition.Format.JPEG else format), ContentFile(content))
    try:
        with transaction.atomic():
            for outdated in places.exclude(source_sha256=image.sha256):
                outdated.delete()
            return Rendition.objects.create(
                image=image, format=format, width=width, source_sha256=image.sha256, bytes=len(content), file=name
            )
    except IntegrityError as error:
        storage.delete(name)
        winner = places.filter(source_sha256=image.sha256).first()
        if winner is None:
            raise FileNotFoundError(f"image {image.pk} was deleted or replaced") from error
        return winner
    except BaseException:
        storage.delete(name)
        raise


def render(image: Image, format: str, width: int) -> bytes:
    """The original scaled to a width, never up. WebP keeps transparency; JPEG has white instead.

    :raises FileNotFoundError: when the original is missing
    """
    # A handle of its own: threads may share the image, and with it the one handle that Django keeps there.
    with image.original.storage.open(str(image.original.name), "rb") as file:
        picture = open_with_alpha(file, at_least=2 * width)
    picture.thumbnail((width, _TALLEST), Pillow.Resampling.LANCZOS, reducing_gap=3.0)
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
