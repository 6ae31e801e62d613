"""What a link asks for: read strictly, since what cannot be read in one way only is nothing to fetch."""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote, urljoin

from django.conf import settings
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from gallery.links import errors

MAX_LENGTH = 2000  # characters
_PORTS = {"http": 80, "https": 443}
_LINK = re.compile(r"https?://\S+\Z", re.IGNORECASE)


def is_link(text: str) -> bool:
    """Whether somebody who typed this meant a link, be it a good or a bad one."""
    return bool(_LINK.match(text.strip()))


@dataclass(frozen=True)
class Target:
    """A request that may be made, as far as the link itself tells. Its host has yet to be resolved and checked."""

    url: str
    scheme: str  # "http" or "https"
    host: str  # a name in ASCII, or an address; IPv6 without brackets
    port: int
    path: str  # with the query string, as it is sent

    @classmethod
    def parse(cls, url: str) -> "Target":
        """:raises LinkRefused: for anything but a plain link to a host, by http or https, on one of ``LINK_PORTS``"""
        url = url.strip()
        # Browsers take "\" for "/", and drop line ends: what others read differently is not read at all.
        if len(url) > MAX_LENGTH or "\\" in url or any(unicodedata.category(c)[0] in "CZ" for c in url):
            raise errors.unreadable()
        try:
            parsed = parse_url(url)
        except LocationParseError as error:
            raise errors.unreadable() from error
        if parsed.scheme not in _PORTS or not parsed.host:
            raise errors.unreadable()
        if "@" in re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]:
            raise errors.with_password()
        port = _PORTS[parsed.scheme] if parsed.port is None else parsed.port
        if port not in settings.LINK_PORTS:
            raise errors.other_port(port)
        return cls(url, parsed.scheme, parsed.host.strip("[]"), port, parsed.request_uri)

    def redirected(self, location: str) -> "Target":
        """Where the answer to this request leads.

        :raises LinkRefused: as ``parse`` does
        """
        # HTTP hands header values on as Latin-1; servers write addresses as UTF-8, and some leave spaces in them.
        written = location.encode("latin-1").decode("utf-8", "replace").strip().replace(" ", "%20")
        try:
            return Target.parse(urljoin(self.url, written))
        except ValueError as error:  # of urljoin: brackets that are no address
            raise errors.unreadable() from error

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def file_name(self) -> str:
        """The last part of the path, as somebody may recognise it; it may be empty and is not to be trusted."""
        return unquote(self.path.partition("?")[0].rpartition("/")[2])
