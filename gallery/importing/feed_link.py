"""Fetching a feed from its address, by the rules that hold for links to pictures."""

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from gallery.importing.errors import SourceError
from gallery.links.errors import LinkRefused
from gallery.links.fetch import Wanted, fetch

_TYPES = ("text/", "application/xml", "application/rss+xml", "application/atom+xml", "application/x-ndjson")


def fetch_feed(url: str) -> tuple[bytes, str]:
    """The feed, and the ending of a file that holds it: ``xml``, ``ndjson`` or ``tsv``.

    :raises SourceError: with a sentence that says what to do
    """
    wanted = Wanted("application/xml, text/*;q=0.9, */*;q=0.1", _TYPES, settings.FEED_MAX_BYTES, settings.FEED_SECONDS)
    try:
        data = fetch(url, wanted).file.getvalue()
    except LinkRefused as refused:
        raise SourceError(_sentence(refused)) from refused
    start = data[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    return data, "xml" if start.startswith(b"<") else "ndjson" if start.startswith(b"{") else "tsv"


def _sentence(refused: LinkRefused) -> str:
    """The sentences of links speak of pictures; these do of feeds."""
    sentences = {
        "link": _("That is not the address of a feed. It begins with http:// or https://."),
        "link-off": _("Links are turned off here. Save the feed and choose the file."),
        "link-web-page": _("That address leads to a web page, not a feed. Copy the address of the feed itself."),
        "link-type": _("That address leads to a file of another kind. A feed is XML, a table with tabs, or NDJSON."),
        "link-compressed": _("The feed came in a compressed form that is not opened. Unpack it and choose the file."),
        "too-large": _("The feed is larger than %(limit)s. Save it, split it, and choose the files.")
        % {"limit": filesizeformat(settings.FEED_MAX_BYTES)},
        "link-missing": _("There is no feed at that address. Check it, or copy it again."),
        "link-incomplete": _("The feed did not arrive whole. Try again, or save it and choose the file."),
        "link-slow": _("The feed took too long to arrive. Try again, or save it and choose the file."),
    }
    return sentences.get(refused.code, refused.message)
