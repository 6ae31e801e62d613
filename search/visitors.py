"""Who a browser session is, for what it sends without an account."""

import secrets

from django.http import HttpRequest

_KEY = "visitor"  # in the session's data, which outlives the session's own key: that one changes on signing in


def visitor_of(request: HttpRequest) -> str:
    """A name for the visitor that nobody can guess; empty for one who has sent nothing."""
    return request.session.get(_KEY, "")


def known_visitor(request: HttpRequest) -> str:
    """The same, given now to a visitor who has none."""
    return visitor_of(request) or request.session.setdefault(_KEY, secrets.token_urlsafe(24))


def forget_visitor(request: HttpRequest) -> str:
    """Take the name away, and return it."""
    return request.session.pop(_KEY, "")
