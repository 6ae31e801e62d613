"""Lengths of time as a person says them."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

_MINUTE, _HOUR = 60, 3_600


def duration(seconds: float) -> str:
    """An estimate, no more exact than it deserves."""
    if seconds < 0.75 * _MINUTE:
        return _("less than a minute")
    if seconds < 1.5 * _HOUR:
        minutes = max(1, round(seconds / _MINUTE))
        return ngettext("about %(n)d minute", "about %(n)d minutes", minutes) % {"n": minutes}
    hours = round(seconds / _HOUR)
    return ngettext("about %(n)d hour", "about %(n)d hours", hours) % {"n": hours}
