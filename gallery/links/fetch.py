"""Fetches what a link leads to: a picture, or another kind of file that is asked for."""

import io
import logging
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException

from django.conf import settings
from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as HTTPTimeoutError

from gallery.links import errors
from gallery.links.addresses import Address, public_addresses
from gallery.links.deadline import Deadline
from gallery.links.target import Target

logger = logging.getLogger(__name__)

MAX_REDIRECTS = 5
_MAX_TRIED = 4  # addresses of one host
_CONNECT_SECONDS = 3.0
_SILENCE_SECONDS = 5.0  # between one byte and the next
_CHUNK = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)
_WEB_PAGES = ("text/html", "application/xhtml+xml")
_UNNAMED = ("", "application/octet-stream", "binary/octet-stream")
_BEGINS_LIKE_A_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)\b", re.IGNORECASE)

# A fetch holds a thread of the web server for as long as a stranger's host likes: never all of them.
_turns = threading.BoundedSemaphore(max(1, settings.LINK_AT_ONCE))


@dataclass(frozen=True)
class Wanted:
    """What may come of a link."""

    accept: str  # the header
    types: tuple[str, ...]  # beginnings of content types, beside those that say nothing
    most_bytes: int
    seconds: float  # in all


def a_picture() -> Wanted:
    return Wanted("image/*", ("image/",), settings.MAX_IMAGE_BYTES, settings.LINK_SECONDS)


@dataclass(frozen=True)
class Fetched:
    """What a link led to: its bytes as they came, not verified yet, and the name that the link gives it."""

    file: io.BytesIO
    name: str


def fetch(url: str, wanted: Wanted | None = None) -> Fetched:
    """Fetch what a link leads to, from public addresses alone, within bounds of size and time.

    :param wanted: what; a picture of at most ``MAX_IMAGE_BYTES`` within ``LINK_SECONDS`` if left out
    :raises LinkRefused: with a sentence for the person who gave the link; it speaks of a picture
    """
    wanted = wanted or a_picture()
    if not settings.LINK_SEARCH:
        raise errors.turned_off()
    target = Target.parse(url)
    if not _turns.acquire(blocking=False):
        raise errors.busy()
    try:
        with Deadline(wanted.seconds) as deadline:
            return _follow(target, wanted, deadline)
    except errors.LinkRefused as refused:
        logger.info("Nothing was fetched from %s: %s", target.host, refused.code)
        raise
    finally:
        _turns.release()


def _follow(target: Target, wanted: Wanted, deadline: Deadline) -> Fetched:
    for _redirect in range(MAX_REDIRECTS + 1):
        with _answer(target, wanted, deadline) as response:
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or not location:
                return Fetched(_body(response, target, wanted, deadline), target.file_name)
            target = target.redirected(location)
    raise errors.too_many_redirects()


@contextmanager
def _answer(target: Target, wanted: Wanted, deadline: Deadline) -> Iterator[HTTPResponse]:
    """The answer, its body not read yet. What goes wrong with it on the way is told as a ``LinkRefused``."""
    addresses = public_addresses(target.host, target.port, deadline)
    try:
        connection = _connect(target, addresses[:_MAX_TRIED], deadline)
        try:
            deadline.watch(connection.sock)
            connection.timeout = _SILENCE_SECONDS
            connection.request("GET", target.path, headers=_headers(target, wanted), preload_content=False)
            yield connection.getresponse()
        finally:
            connection.close()
    except (HTTPError, HTTPException, OSError) as error:
        raise _refused(error, target, deadline) from error


def _connect(target: Target, addresses: list[Address], deadline: Deadline) -> HTTPConnection:
    """Connect to the first address that answers: to the address itself, so that no name is looked up again."""
    problem: Exception = OSError("no address was tried in time")
    for address in addresses:
        # Half of what is left for the connection, half for the TLS handshake: both end in time.
        seconds = min(_CONNECT_SECONDS, deadline.left() / 2)
        if not seconds:
            break
        connection = (
            HTTPSConnection(
                str(address),
                target.port,
                timeout=seconds,
                cert_reqs=ssl.CERT_REQUIRED,
                server_hostname=target.host,  # the certificate is the name's, not the address's
            )
            if target.scheme == "https"
            else HTTPConnection(str(address), target.port, timeout=seconds)
        )
        try:
            connection.connect()
            return connection
        except (HTTPError, OSError) as error:
            connection.close()
            problem = error
    raise problem


def _headers(target: Target, wanted: Wanted) -> dict[str, str]:
    """Nothing that tells of the person: no cookies, no referrer, no language."""
    site = re.sub(r"[^ -'*-~]", "", settings.SITE_NAME).strip()  # what may stand in a comment of a header
    return {
        "Host": target.host_header,
        "User-Agent": f"visual-product-search ({site})" if site else "visual-product-search",
        "Accept": wanted.accept,
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def _body(response: HTTPResponse, target: Target, wanted: Wanted, deadline: Deadline) -> io.BytesIO:
    if response.status != 200:
        raise errors.not_given(target.host, response.status)
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type in _WEB_PAGES:
        raise errors.web_page()
    if not content_type.startswith(wanted.types) and content_type not in _UNNAMED:
        raise errors.other_type(content_type)
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise errors.compressed()  # it was not asked for; a small one may unfold to gigabytes
    if (response.length_remaining or 0) > wanted.most_bytes:
        raise errors.too_large()
    body = io.BytesIO()
    # read(), and not stream(): of a chunked body that one reads lines of any length into memory.
    while chunk := response.read(_CHUNK, decode_content=False):
        body.write(chunk)
        if body.tell() > wanted.most_bytes:
            raise errors.too_large()
    if deadline.passed:
        raise errors.too_slow()
    body.seek(0)
    if _BEGINS_LIKE_A_PAGE.match(body.read(512)):
        raise errors.web_page()
    body.seek(0)
    return body


def _refused(error: Exception, target: Target, deadline: Deadline) -> errors.LinkRefused:
    if deadline.passed:
        return errors.too_slow()
    if isinstance(error, NewConnectionError):  # refused, or no way there; urllib3 makes it a kind of timeout
        return errors.unreachable(target.host)
    if isinstance(error, (TimeoutError, HTTPTimeoutError)):
        return errors.too_slow()
    if isinstance(error, ssl.SSLError):
        return errors.bad_certificate(target.host)
    if isinstance(error, ProtocolError):  # the body ended before its end
        return errors.incomplete()
    return errors.unreachable(target.host)
