"""Photographs of the catalogue as ``<picture>``: WebP in the stored widths, JPEG where that is not known.

Sizes are the stored ones, so that nothing jumps, and the ground is the image's colour class until it has loaded.
"""

from dataclasses import dataclass

from django import template
from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from gallery.models import Image

register = template.Library()


@dataclass(frozen=True)
class Kind:
    """How wide a picture is on a page (the ``sizes`` attribute), and the width for browsers without ``srcset``."""

    sizes: str
    fallback: int


KINDS = {
    # Five columns of at most 204 px beside the rail, four on a tablet, two on a phone: see _grid.scss.
    "card": Kind("(min-width: 75rem) 13rem, (min-width: 48rem) 23vw, 46vw", 320),
    "thumb": Kind("6rem", 320),
    "large": Kind("(min-width: 75rem) 38rem, (min-width: 48rem) 55vw, 92vw", 640),
}


def widths_of(image: Image) -> list[int]:
    """The stored widths worth offering: renditions are never scaled up, so one at or above the original is enough."""
    smaller = [width for width in settings.RENDITION_WIDTHS if width < image.width]
    larger = [width for width in settings.RENDITION_WIDTHS if width >= image.width]
    return smaller + larger[:1]


def srcset(image: Image, format: str) -> str:
    """Addresses with their true widths in pixels."""
    return ", ".join(f"{image.url(width, format)} {min(width, image.width)}w" for width in widths_of(image))


@register.simple_tag
def picture(image: Image, kind: str = "card", eager: bool = False, alt: str | None = None) -> SafeString:
    """The image on its mat.

    :param kind: one of ``KINDS``
    :param eager: load at once, for what is in sight when the page opens
    :param alt: another text than the image's own; empty where words beside the picture say the same
    """
    shown = KINDS[kind]
    attributes = {"fetchpriority": "high"} if eager else {"loading": "lazy"}
    return format_html(
        '<picture class="mat mat-{swatch}{cutout}">'
        '<source type="image/webp" srcset="{webp}" sizes="{sizes}">'
        '<img src="{src}" srcset="{jpeg}" sizes="{sizes}" width="{width}" height="{height}" alt="{alt}"'
        ' decoding="async"{attributes}></picture>',
        swatch=image.swatch,
        cutout=" is-cutout" if image.has_alpha else "",
        webp=srcset(image, "webp"),
        jpeg=srcset(image, "jpeg"),
        sizes=shown.sizes,
        src=image.url(shown.fallback, "jpeg"),
        width=image.width,
        height=image.height,
        alt=image.alt if alt is None else alt,
        attributes=format_html_join("", ' {}="{}"', attributes.items()),
    )


@register.simple_tag
def zoom(image: Image) -> SafeString:
    """Attributes of a link to the largest rendition, as the photo viewer reads them."""
    width = widths_of(image)[-1]
    shown = min(width, image.width)
    return format_html(
        'href="{}" data-pswp-width="{}" data-pswp-height="{}"',
        image.url(width, "webp"),
        shown,
        max(1, round(image.height * shown / image.width)),
    )
