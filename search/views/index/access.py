"""Who may see and change generations: catalogue staff."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from search.views.results import HtmxRequest


def staff_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Send strangers to sign in, and refuse everybody else who is not staff.

    A fragment that is fetched after signing out takes the whole page to the sign-in.
    """

    @wraps(view)
    def guarded(request: HtmxRequest, *args, **kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            to_login = redirect_to_login(_page_of(request))
            return HttpResponseClientRedirect(to_login.url) if request.htmx else to_login
        if not request.user.is_catalogue_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def _page_of(request: HtmxRequest) -> str:
    """Where to come back to: a page that can be opened, not a fragment or the address of a button."""
    if request.htmx:
        return request.htmx.current_url_abs_path or reverse("index")
    return request.get_full_path() if request.method in ("GET", "HEAD") else reverse("index")
