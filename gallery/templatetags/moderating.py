"""What was said of a photo, by a moderator or by the site itself."""

from django import template
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from gallery.models import Image
from gallery.models.images import STORED_REASONS

register = template.Library()


@register.filter
def in_words(reason: str | None) -> str:
    """A stored reason: the site's own in the reader's language, a person's as it was written."""
    return gettext(reason) if reason in STORED_REASONS else reason or ""


@register.filter
def said_of(image: Image) -> list[str]:
    """What is wrong, in the reader's language, and the moderator's own words, as far as there are any.

    A rejection by a key alone repeats the fault as its reason, in the language of the moderator: that is said once.
    """
    fault = str(image.get_fault_display()) if image.fault else ""
    words = "" if image.status_reason in _labels(image.fault) else in_words(image.status_reason)
    return [text for text in (fault, words) if text]


def _labels(fault: str) -> set[str]:
    """The fault in every language of the site."""
    if fault not in Image.Fault.values:
        return set()
    found = set()
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found.add(str(Image.Fault(fault).label))
    return found
