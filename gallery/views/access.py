"""Who may see a page: strangers are sent to sign in and come back, people without the role are refused."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from gallery.models import User

View = Callable[..., HttpResponseBase]


class HtmxRequest(HttpRequest):
    htmx: HtmxDetails


def person(request: HttpRequest) -> User:
    """Who asks, on a page for those who are signed in."""
    return cast(User, request.user)


def signed_in(view: View) -> View:
    """Send strangers to sign in; a fragment that is fetched after signing out takes the whole page there."""
    return _only(lambda user: True)(view)


def staff_only(view: View) -> View:
    """Catalogue staff; strangers are sent to sign in, everybody else is refused."""
    return _only(lambda user: user.is_catalogue_staff)(view)


def moderators_only(view: View) -> View:
    """Moderators, in the same way."""
    return _only(lambda user: user.is_moderator)(view)


def staff_or_moderators(view: View) -> View:
    """Whoever stands behind the counter, in the same way."""
    return _only(lambda user: user.is_catalogue_staff or user.is_moderator)(view)


def _only(may: Callable[[User], bool]) -> Callable[[View], View]:
    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HtmxRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                to_login = redirect_to_login(_page_of(request))
                return HttpResponseClientRedirect(to_login.url) if request.htmx else to_login
            if not may(request.user):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return guard


def _page_of(request: HtmxRequest) -> str:
    """Where to come back to: a page that can be opened, not a fragment or the address of a button."""
    if request.htmx:
        return request.htmx.current_url_abs_path or reverse("home")
    return request.get_full_path() if request.method in ("GET", "HEAD") else came_from(request, reverse("home"))


def came_from(request: HttpRequest, default: str) -> str:
    """Where a form wants to lead back to, ``next``, as far as that is a page of ours."""
    address = request.POST.get("next", "")
    ours = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if ours else default
