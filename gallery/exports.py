"""Copies of a photo on request: format, quality and width are chosen, and what that costs is measured."""

import io
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _
from PIL import Image as Pillow
from rest_framework.throttling import SimpleRateThrottle

from gallery.models import Image, Rendition
from gallery.pictures import on_white
from gallery.renditions import Format, encoded, present, scaled, store
from gallery.visibility import Visibility

_WINDOW = 7  # pixels that SSIM looks at together
_USUAL_QUALITY = {Format.AVIF: 60, Format.WEBP: 80, Format.JPEG: 80}
# Encoding a large photo keeps a core busy: one at a time in each process, whatever is asked for.
_encoding = threading.Lock()


class BadChoice(Exception):
    """A choice that there is none; ``field`` names it, and the text is a sentence for a person."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field, self.message = field, message


class NotAllowed(Exception):
    """A copy that comes close to the original, which is the shop's own."""


@dataclass(frozen=True)
class Choice:
    """What a copy is to be like."""

    format: str
    quality: int
    width: int  # pixels; a smaller original is not scaled up

    @classmethod
    def of(cls, format: str = "", quality: str | int = "", width: str | int = "") -> "Choice":
        """
        :raises BadChoice: for what is not offered
        """
        format = format or Format.WEBP
        if format not in Format.values:
            raise BadChoice("format", _("“format” is one of: %(choices)s.") % {"choices": ", ".join(Format.values)})
        if format in Rendition.EXACT:
            if quality not in ("", str(Rendition.EXACT_QUALITY), Rendition.EXACT_QUALITY):
                raise BadChoice("quality", _("%(format)s keeps every pixel: leave “quality” out.") % {"format": format})
            quality = Rendition.EXACT_QUALITY
        else:
            offered = settings.EXPORT_QUALITIES
            quality = _number("quality", quality or _USUAL_QUALITY[Format(format)], offered)
        return cls(format, quality, _number("width", width or 640, settings.EXPORT_WIDTHS))

    def allowed_to(self, who: Visibility) -> bool:
        """Everyone may have what is no better than what pages show; more is for those behind the counter."""
        usual = self.width <= max(settings.RENDITION_WIDTHS) and self.format not in Rendition.EXACT
        return usual or who.kind == "moderation"


def _number(field: str, value: str | int, offered: tuple[int, ...]) -> int:
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number not in offered:
        choices = ", ".join(str(one) for one in offered)
        raise BadChoice(field, _("“%(field)s” is one of: %(choices)s.") % {"field": field, "choices": choices})
    return number


class ExportThrottle(SimpleRateThrottle):
    """Copies for one person, or without one, for one address. The rate is read when a request comes."""

    scope = "export"

    def get_rate(self) -> str:
        rates: Any = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
        return rates[self.scope]

    def get_cache_key(self, request: Any, view: Any) -> str:
        who = f"user-{request.user.pk}" if request.user.is_authenticated else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": who}


def export(image: Image, choice: Choice, who: Visibility) -> Rendition:
    """The copy, made and measured now where there is none.

    :raises NotAllowed: for a choice that is not for this person
    :raises FileNotFoundError: when the original is missing, or the image was deleted or replaced meanwhile
    :raises OSError: when the original cannot be decoded
    """
    if not choice.allowed_to(who):
        raise NotAllowed(_("Copies of this width or without loss are for the people of the shop."))
    made = present(image, choice.format, choice.width, choice.quality)
    if made is not None and made.ssim is not None:
        return made
    with _encoding:
        picture = scaled(image, choice.width)
        if made is not None and _measured(made, picture):  # a page's
            return made
        content = encoded(picture, choice.format, choice.quality)
        return store(image, choice.format, choice.width, choice.quality, content, _ssim_of(picture, content))


def _measured(made: Rendition, picture: Pillow.Image) -> bool:
    """Measure a copy that is there already; one whose file was lost is forgotten, so that it is made again."""
    try:
        with made.file.open("rb") as file:
            made.ssim = similarity(picture, Pillow.open(file))
    except FileNotFoundError:
        made.delete()
        return False
    made.save(update_fields=["ssim"])
    return True


def _ssim_of(picture: Pillow.Image, content: bytes) -> float:
    return similarity(picture, Pillow.open(io.BytesIO(content)))


def similarity(first: Pillow.Image, second: Pillow.Image) -> float:
    """Structural similarity (Wang et al. 2004) of two pictures of one size, in colour and on white: 1 for the same."""
    from skimage.metrics import structural_similarity  # brings half a second of imports, and few requests need it

    one, other = (np.asarray(on_white(picture.convert("RGBA"))) for picture in (first, second))
    window = min(_WINDOW, *one.shape[:2])
    if window < 3:  # too small a picture to have a structure
        return 1.0 if np.array_equal(one, other) else 0.0
    window -= 1 - window % 2
    return float(structural_similarity(one, other, channel_axis=2, data_range=255, win_size=window))
