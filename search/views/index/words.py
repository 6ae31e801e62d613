"""Lengths of time and shares as a person says them."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.timesince import timesince, timeuntil
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


def age(moment: datetime | None) -> str:
    """How long ago that was; nothing for no moment."""
    if moment is None:
        return ""
    return _("less than a minute") if timezone.now() - moment < timedelta(minutes=1) else timesince(moment, depth=1)


def until(moment: datetime) -> str:
    """How long it is until then."""
    return _("less than a minute") if moment - timezone.now() < timedelta(minutes=1) else timeuntil(moment, depth=1)


def percent(share: float | None) -> str:
    """With one decimal; a dash for none."""
    # Rounded first: number_format cuts off what it is not asked for.
    return "–" if share is None else f"{number_format(round(100 * share, 1), 1)} %"
