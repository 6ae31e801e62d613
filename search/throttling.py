"""How often one session, and one address, may ask: the same counters for pages and for the JSON API."""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.throttling import SimpleRateThrottle

# Several people share an address (an office, a mobile network), so an address may ask this many times as often as one
# session. Whoever sends no session has the address alone, at the rate of one session.
SESSIONS_AT_AN_ADDRESS = 5


class _Throttle(SimpleRateThrottle):
    """Rates are read when a request comes, not on import."""

    scope: str

    def get_rate(self) -> str:
        rates: Any = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
        return rates[self.scope]

    def named(self, kind: str, ident: object) -> str:
        return self.cache_format % {"scope": f"{self.scope}-{kind}", "ident": ident}


class PersonThrottle(_Throttle):
    """One user, one browser session, or (without either) one address."""

    def get_cache_key(self, request, view) -> str:
        if request.user.is_authenticated:  # also loads the session: a made-up cookie has no session_key after that
            return self.named("user", request.user.pk)
        if session := request.session.session_key:
            return self.named("session", session)
        return self.named("address", self.get_ident(request))


class AddressThrottle(_Throttle):
    """Everyone at one address: nobody has more by throwing cookies away."""

    def parse_rate(self, rate: str | None) -> tuple[int | None, int | None]:
        requests, seconds = super().parse_rate(rate)
        return requests and requests * SESSIONS_AT_AN_ADDRESS, seconds

    def get_cache_key(self, request, view) -> str:
        return self.named("all-of-address", self.get_ident(request))


class SearchPerson(PersonThrottle):
    scope = "search"


class SearchAddress(AddressThrottle):
    scope = "search"


class PhotoPerson(PersonThrottle):
    scope = "photo"


class PhotoAddress(AddressThrottle):
    scope = "photo"


THROTTLES: dict[str, tuple[type[_Throttle], ...]] = {
    "search": (SearchPerson, SearchAddress),
    "photo": (PhotoPerson, PhotoAddress),
}


_NO_VIEW: Any = None  # DRF hands the view on; these throttles know their scope without it


def seconds_to_wait(request: Any, scope: str) -> int | None:
    """Count this request; the seconds after which it may be tried again if it came too early."""
    throttles = [kind() for kind in THROTTLES[scope]]
    waits = [throttle.wait() or 1.0 for throttle in throttles if not throttle.allow_request(request, _NO_VIEW)]
    return max(1, math.ceil(max(waits))) if waits else None


def throttled(scope: str, refuse: Callable[[HttpRequest, int], HttpResponse]):
    """Let ``refuse(request, seconds)`` answer a view's requests that come too often."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def counted(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            seconds = seconds_to_wait(request, scope)
            return view(request, *args, **kwargs) if seconds is None else refuse(request, seconds)

        return counted

    return decorate
