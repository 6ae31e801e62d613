"""Tabs of the product list: made from the filters in use, renamed, shared and deleted by their owners."""

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gallery.models import SavedView
from gallery.models.saved_views import MOST_VIEWS, NAME_LENGTH
from gallery.product_filters import ProductFilters
from gallery.views.access import person, staff_only


class ViewForm(forms.Form):
    name = forms.CharField(max_length=NAME_LENGTH)
    shared = forms.BooleanField(required=False)


@require_POST
@staff_only
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the filters of ``query`` under a ``name``."""
    user = person(request)
    query = ProductFilters(QueryDict(request.POST.get("query", ""))).query_string
    form = ViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, _no_name())
    elif user.saved_views.count() >= MOST_VIEWS:
        messages.error(request, _("There are %(n)d views already. Delete one first.") % {"n": MOST_VIEWS})
    else:
        _write(request, SavedView(owner=user, query=query), form)
    return _to_list(query)


@require_POST
@staff_only
def change_view(request: HttpRequest, key: int) -> HttpResponse:
    """Rename one's own view, and share it or not."""
    view = get_object_or_404(SavedView, pk=key, owner=person(request))
    form = ViewForm(request.POST)
    if form.is_valid():
        _write(request, view, form)
    else:
        messages.error(request, _no_name())
    return _to_list(view.query)


@require_POST
@staff_only
def delete_view(request: HttpRequest, key: int) -> HttpResponse:
    view = get_object_or_404(SavedView, pk=key, owner=person(request))
    view.delete()
    messages.success(request, _("The view “%(name)s” is deleted. Its products are as they were.") % {"name": view.name})
    return _to_list(view.query)


def _write(request: HttpRequest, view: SavedView, form: ViewForm) -> None:
    view.name, view.shared = form.cleaned_data["name"], form.cleaned_data["shared"]
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        messages.error(request, _("You have a view called “%(name)s” already.") % {"name": view.name})
    else:
        messages.success(request, _("The view “%(name)s” is saved.") % {"name": view.name})


def _no_name() -> str:
    return _("A view needs a name of 1 to %(n)d characters.") % {"n": NAME_LENGTH}


def _to_list(query: str) -> HttpResponse:
    return redirect(reverse("products") + (f"?{query}" if query else ""))
