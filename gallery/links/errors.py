"""Why nothing came of a link: one sentence each, that says what to do."""

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from gallery.verification import Refused

BUSY_RETRY_SECONDS = 5
_LONGEST_SHOWN = 60  # characters of what somebody else chose


class LinkRefused(Refused):
    """A link that is not followed, or that led to no picture. ``status``: 400, 404, 413, 502, 503 or 504."""


def turned_off() -> LinkRefused:
    return LinkRefused(_("Links are turned off here. Save the picture and choose the file."), "link-off", 404)


def unreadable() -> LinkRefused:
    return LinkRefused(
        _("That is not a link to a picture. Copy the address of the picture: it begins with http:// or https://."),
        "link",
    )


def with_password() -> LinkRefused:
    return LinkRefused(
        _("Links with a user name or a password are not opened. Save the picture and choose the file."), "link-password"
    )


def other_port(port: int) -> LinkRefused:
    return LinkRefused(
        _("Links to port %(port)d are not opened. Save the picture and choose the file.") % {"port": port}, "link-port"
    )


def not_public(host: str) -> LinkRefused:
    """The same for a host that does not exist: nobody learns which names an inner network has."""
    return LinkRefused(
        _("“%(host)s” is not on the public internet. Check the link, or save the picture and choose the file.")
        % {"host": _shown(host)},
        "link-host",
    )


def too_many_redirects() -> LinkRefused:
    return LinkRefused(
        _("That link leads from address to address. Open the picture itself and copy its address."),
        "link-redirects",
        502,
    )


def unreachable(host: str) -> LinkRefused:
    return LinkRefused(
        _("“%(host)s” could not be reached. Try again later, or save the picture and choose the file.")
        % {"host": _shown(host)},
        "link-unreachable",
        502,
    )


def bad_certificate(host: str) -> LinkRefused:
    return LinkRefused(
        _("No secure connection to “%(host)s” was possible. Save the picture and choose the file.")
        % {"host": _shown(host)},
        "link-certificate",
        502,
    )


def not_given(host: str, status: int) -> LinkRefused:
    """The host answered, but with an error."""
    if status in (404, 410):
        return LinkRefused(_("There is no picture at that link. Check it, or copy it again."), "link-missing", 502)
    if status in (401, 403):
        sentence = _("“%(host)s” does not give that picture to others. Save the picture and choose the file.")
    else:
        sentence = _("“%(host)s” answered with error %(status)d. Save the picture and choose the file.")
    return LinkRefused(sentence % {"host": _shown(host), "status": status}, "link-answer", 502)


def web_page() -> LinkRefused:
    return LinkRefused(
        _("That link leads to a web page. Open the picture itself and copy its address."), "link-web-page"
    )


def other_type(content_type: str) -> LinkRefused:
    return LinkRefused(
        _("That link leads to a file of another kind (%(type)s). Open the picture itself and copy its address.")
        % {"type": _shown(content_type)},
        "link-type",
    )


def compressed() -> LinkRefused:
    return LinkRefused(
        _("The picture came in a compressed form that is not opened. Save the picture and choose the file."),
        "link-compressed",
        502,
    )


def too_large() -> LinkRefused:
    return LinkRefused(
        _("The picture at that link is larger than %(limit)s. Save it smaller and choose the file.")
        % {"limit": filesizeformat(settings.MAX_IMAGE_BYTES)},
        "too-large",
        413,
    )


def incomplete() -> LinkRefused:
    return LinkRefused(
        _("The picture did not arrive whole. Try again, or save the picture and choose the file."),
        "link-incomplete",
        502,
    )


def too_slow() -> LinkRefused:
    return LinkRefused(
        _("The picture took too long to arrive. Try again, or save the picture and choose the file."), "link-slow", 504
    )


def busy() -> LinkRefused:
    return LinkRefused(_("Many people are searching with links right now. Try again in a moment."), "link-busy", 503)


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
