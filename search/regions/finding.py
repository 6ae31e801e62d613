"""Which method finds boxes: the one that needs nothing more, or the detector of ``REGION_DETECTOR``."""

from functools import cache
from typing import Protocol

from django.conf import settings
from django.core.signals import setting_changed
from PIL import Image

from search.crops import Crop
from search.encoders.base import EncoderError
from search.encoders.slot import turn
from search.regions.activation import Activation
from search.regions.boxes import Box
from search.regions.detector import Detector

MOST = 5
FILLS = 0.6  # of the picture: what is larger is as well searched for by all of it


class Finder(Protocol):
    """A way of finding boxes. ``method`` names it, and changes wherever the boxes may."""

    method: str

    def load(self) -> None: ...

    def boxes(self, picture: Image.Image, most: int, fills: float) -> list[Box]: ...


def parse(setting: str) -> tuple[str, str]:
    """The model and the path of ``REGION_DETECTOR``.

    :raises EncoderError: where it is not ``model:path``
    """
    model, colon, path = setting.partition(":")
    if not (model and colon and path):
        raise EncoderError(f"REGION_DETECTOR is {setting!r}; it is model:path, as ssdlite320_mobilenet_v3_large:/w.pth")
    return model, path


@cache
def finder() -> Finder:
    """The process's one.

    :raises EncoderError: when ``REGION_DETECTOR`` cannot be used
    """
    return Detector(*parse(settings.REGION_DETECTOR)) if settings.REGION_DETECTOR else Activation()


def suggest(picture: Image.Image) -> list[Crop]:
    """Boxes of an RGB picture, the likeliest first, in this process's turn; none where one object fills it.

    :raises EncoderBusy: when too many wait for a network
    :raises EncoderError: when ``REGION_DETECTOR`` cannot be used
    """
    with turn():
        boxes = finder().boxes(picture, MOST, FILLS)
    return list(dict.fromkeys(box.crop() for box in boxes))


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == "REGION_DETECTOR":
        finder.cache_clear()


setting_changed.connect(_forget)  # sent by tests alone
