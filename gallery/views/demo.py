"""The switch of the demonstration: see the shop as each role does, without a password, on one's own machine."""

from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect

from gallery.demo.accounts import ACCOUNTS, may_switch
from gallery.models import User
from gallery.views.access import came_from

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def view_as(request: HttpRequest, role: str) -> HttpResponse:
    """Sign in as the demo account of a role; 404 wherever that is not allowed, as if there were no such address."""
    account = next((account for account in ACCOUNTS if account.role == role), None)
    if account is None or not may_switch(request):
        raise Http404
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    user = get_object_or_404(User, username=account.username, email=account.email, is_active=True)
    login(request, user, backend=_BACKEND)
    return redirect(came_from(request, "/"))
