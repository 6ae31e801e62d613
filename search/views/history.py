"""A person's history: searches, saved searches, and whether anything is kept at all."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from gallery import visibility
from gallery.models import Image
from gallery.views.access import came_from, person, signed_in
from search.models import SavedSearch, SearchRecord
from search.people.consent import agree, forget_everything, is_anything_kept, refuse
from search.people.history import record_view
from search.people.saved import NotSaved, save_search
from search.people.words import entries_of
from search.query import Query
from search.reading import cleaned
from search.views.results import HtmxRequest
from search.views.unavailable import throttled

PAGE_SIZE = 50


@require_safe
@never_cache
@signed_in
def history(request: HttpRequest) -> HttpResponse:
    """Searches, the newest first, and saved ones by name."""
    user = person(request)
    records = SearchRecord.objects.filter(user=user).order_by("-created_at", "-pk")
    page = Paginator(records, PAGE_SIZE).get_page(request.GET.get("page"))
    saved = list(SavedSearch.objects.filter(user=user))
    entries = entries_of([row.query for row in (*page, *saved)], request)
    context = {
        "keeps": user.keeps_history,
        "is_anything_kept": is_anything_kept(user),
        "page": page,
        "searches": list(zip(page, entries, strict=False)),
        "saved": list(zip(saved, entries[len(page) :], strict=True)),
    }
    return render(request, "search/history.html", context)


@require_POST
@signed_in
def consent(request: HtmxRequest) -> HttpResponse:
    """``keep`` is ``yes`` or ``no``. A "no" that deletes something has to be ``sure``."""
    user = person(request)
    keep = request.POST.get("keep")
    if keep == "yes":
        agree(user)
    elif keep == "no" and ("sure" in request.POST or not is_anything_kept(user)):
        refuse(user)
    elif keep == "no":
        messages.error(request, _("This deletes your history. Confirm it below."))
        return HttpResponseClientRedirect(reverse("history")) if request.htmx else redirect("history")
    if request.htmx:
        return render(request, "search/_consent.html", {"has_answered": True})
    return redirect(came_from(request, reverse("history")))


@require_POST
@signed_in
def clear(request: HttpRequest) -> HttpResponse:
    """Delete all searches and looked-at products; what comes is kept again."""
    forget_everything(person(request))
    return redirect("history")


@require_POST
@signed_in
def delete_search(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(SearchRecord, user=person(request), pk=pk).delete()
    return redirect(came_from(request, reverse("history")))


@require_POST
@signed_in
def save(request: HtmxRequest) -> HttpResponse:
    """Keep the search in ``query`` under ``name``, or under its own words."""
    query, _notes = Query.from_querydict(QueryDict(request.POST.get("query", "").lstrip("?")))
    try:
        saved = save_search(request, person(request), query, cleaned(request.POST.get("name", "")))
    except NotSaved as error:
        words, is_saved = str(error), False
    else:
        words, is_saved = _("Saved as “%(name)s”.") % {"name": saved.name}, True
        if query.photos:
            words += " " + _("Your photo is still deleted when it expires; the search then goes on without it.")
    if request.htmx:
        return render(request, "search/_search_saved.html", {"words": words, "is_saved": is_saved})
    (messages.success if is_saved else messages.error)(request, words)
    return redirect(query.url())


@require_POST
@signed_in
def delete_saved(request: HttpRequest, key: UUID) -> HttpResponse:
    get_object_or_404(SavedSearch, user=person(request), pk=key).delete()
    return redirect("history")


@require_POST
@throttled("search")
def viewed(request: HttpRequest, key: UUID) -> HttpResponse:
    """A product's page is open, with this photo. What is kept of that, and of whom, is for the history to say."""
    images = Image.objects.visible_to(visibility.of_request(request))
    record_view(request, get_object_or_404(images, pk=key))
    return HttpResponse(status=204)
