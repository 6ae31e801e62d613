"""Boxes are sought once for a picture and kept: with a query photo, or by the hash of a catalogue photo's file."""

import logging
from collections.abc import Iterable
from typing import BinaryIO, cast

from PIL import Image as Pillow

from gallery.models import Image
from gallery.pictures import open_upright
from search.crops import Crop
from search.models import QueryPhoto, SuggestedRegions
from search.regions.finding import finder, suggest

logger = logging.getLogger(__name__)

_DECODE_PIXELS = 400  # of the shorter side; no method looks at more


def of_photo(photo: QueryPhoto) -> list[Crop]:
    """
    :raises EncoderBusy: when they have to be sought now and too many wait
    :raises EncoderError: when ``REGION_DETECTOR`` cannot be used
    :raises FileNotFoundError: when the photo has just been forgotten
    """
    if photo.regions is not None:
        return _read(photo.regions)
    with photo.file.open("rb") as file:
        crops = suggest(open_upright(cast(BinaryIO, file), at_least=_DECODE_PIXELS))
    QueryPhoto.objects.filter(pk=photo.pk).update(regions=list(map(str, crops)))
    return crops


def of_image(image: Image) -> list[Crop]:
    """None for a file that is gone or damaged: the page that asks works without.

    :raises EncoderBusy: when they have to be sought now and too many wait
    :raises EncoderError: when ``REGION_DETECTOR`` cannot be used
    """
    method = finder().method
    stored = SuggestedRegions.objects.filter(sha256=image.sha256).first()
    if stored is not None and stored.method == method:
        return _read(stored.crops)
    try:
        with image.original.open("rb") as file:
            picture = open_upright(cast(BinaryIO, file), at_least=_DECODE_PIXELS)
    except (OSError, ValueError, Pillow.DecompressionBombError) as error:
        logger.warning("The original of image %s cannot be decoded: %s", image.pk, error)
        return []
    crops = suggest(picture)
    SuggestedRegions.objects.update_or_create(
        sha256=image.sha256, defaults={"method": method, "crops": list(map(str, crops))}
    )
    return crops


def _read(texts: Iterable[str]) -> list[Crop]:
    return [Crop.parse(text) for text in texts]
