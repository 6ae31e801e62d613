"""What a moderator said of a photo."""

from django import template
from django.conf import settings
from django.utils import translation

from gallery.models import Image

register = template.Library()


@register.filter
def said_of(image: Image) -> list[str]:
    """What is wrong, in the reader's language, and the moderator's own words, as far as there are any.

    A rejection by a key alone repeats the fault as its reason, in the language of the moderator: that is said once.
    """
    fault = str(image.get_fault_display()) if image.fault else ""
    words = "" if image.status_reason in _labels(image.fault) else image.status_reason
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
