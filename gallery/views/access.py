"""Pages that belong to a person: strangers are sent to sign in, and come back."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from gallery.models import User


class HtmxRequest(HttpRequest):
    htmx: HtmxDetails


def person(request: HttpRequest) -> User:
    """Who asks, on a page for those who are signed in."""
    return cast(User, request.user)


def signed_in(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Send strangers to sign in; a fragment that is fetched after signing out takes the whole page there."""

    @wraps(view)
    def guarded(request: HtmxRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if request.htmx:
            page = request.htmx.current_url_abs_path or reverse("home")
            return HttpResponseClientRedirect(redirect_to_login(page).url)
        safe = request.method in ("GET", "HEAD")
        return redirect_to_login(request.get_full_path() if safe else came_from(request, reverse("home")))

    return guarded


def came_from(request: HttpRequest, default: str) -> str:
    """Where a form wants to lead back to, ``next``, as far as that is a page of ours."""
    address = request.POST.get("next", "")
    ours = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if ours else default
