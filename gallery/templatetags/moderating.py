"""What was said of a photo or a product, by a person or by the site itself."""

from functools import cache

from django import template
from django.conf import settings
from django.utils import translation

from gallery import reasons
from gallery.models import Image

register = template.Library()


@register.filter
def in_words(reason: str | None) -> str:
    """A stored reason: the site's own in the reader's language, a person's as it was written."""
    fault = _faults().get(reason or "")
    return str(fault.label) if fault else reasons.in_words(reason or "")


@register.filter
def said_of(image: Image) -> list[str]:
    """What is wrong, in the reader's language, and the moderator's own words, as far as there are any.

    A rejection by a key alone repeats the fault as its reason: that is said once.
    """
    fault = str(image.get_fault_display()) if image.fault else ""
    words = "" if _faults().get(image.status_reason) == image.fault else in_words(image.status_reason)
    return [text for text in (fault, words) if text]


@cache
def _faults() -> dict[str, Image.Fault]:
    """Faults by their labels in every language of the site: some were stored in that of the moderator."""
    found: dict[str, Image.Fault] = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found |= {str(fault.label): fault for fault in Image.Fault}
    return found
