"""The page on which staff decide what the catalogue holds twice."""

from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gallery.merging import MergeRefused
from gallery.models import Job
from gallery.views.access import came_from, person, staff_only
from search.duplicates import deciding, reviewing, scanning
from search.models import DuplicatePair

_ON_PAGE = 10
_APART = "apart"  # the parameter that names the pair that was just told apart


@require_safe
@never_cache
@staff_only
def duplicates(request: HttpRequest) -> HttpResponse:
    asked = reviewing.Asked.of(request.GET)
    page = Paginator(asked.pairs(), _ON_PAGE).get_page(request.GET.get("page"))
    scan = scanning.last_scan()
    context = {
        "asked": asked,
        "kinds": reviewing.kinds(asked),
        "page": page,
        "reviews": reviewing.reviews_of(page.object_list),
        "scan": scan,
        "scan_is_mine": scan is not None and Job.objects.visible_to(person(request)).filter(pk=scan.pk).exists(),
        "told_apart": _told_apart(request),
    }
    return render(request, "search/duplicates.html", context)


@require_POST
@staff_only
def scan(request: HttpRequest) -> HttpResponse:
    scanning.start_scan(person(request))
    return redirect("duplicates")


@require_POST
@staff_only
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """``verb`` is ``apart``, or the key of the photo that stays. Who decides goes back to the list."""
    try:
        pair = _pair(pk)
        if request.POST.get("verb") == "apart":
            deciding.tell_apart(pair, person(request))
            return redirect(_with_undo(came_from(request, reverse("duplicates")), pair))
        _say(request, deciding.merge(pair, _key(request, pair), person(request), _revisions(request)))
    except MergeRefused as refused:
        messages.error(request, str(refused))
    return redirect(came_from(request, reverse("duplicates")))


@require_POST
@staff_only
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back that a pair is no duplicate."""
    get_object_or_404(DuplicatePair, pk=pk).reopen()
    return redirect(came_from(request, reverse("duplicates")))


def _say(request: HttpRequest, merged: deciding.Merged) -> None:
    sku = {"sku": merged.image.product.sku}
    if not merged.closed:
        messages.success(request, _("Merged into %(sku)s. Nothing was lost.") % sku)
        return
    words = _("Merged into %(sku)s. The photo that waited is “%(status)s” with it; no moderator has decided on it.")
    messages.warning(request, words % {**sku, "status": merged.image.get_status_display()})


def _pair(pk: int) -> DuplicatePair:
    """:raises MergeRefused: where it went with another decision"""
    pair = DuplicatePair.objects.filter(pk=pk).first()
    if pair is None:
        raise MergeRefused(_("Somebody has decided this pair already."))
    return pair


def _with_undo(address: str, pair: DuplicatePair) -> str:
    """The address, of a page that then offers to take the decision back."""
    path, _mark, query = address.partition("?")
    pairs = [(name, value) for name, value in parse_qsl(query) if name != _APART]
    return f"{path}?{urlencode([*pairs, (_APART, pair.pk)])}"


def _told_apart(request: HttpRequest) -> DuplicatePair | None:
    """The pair that this person has just called no duplicate."""
    number = request.GET.get(_APART, "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    mine = DuplicatePair.objects.filter(decided_by=person(request), state=DuplicatePair.State.NOT_DUPLICATE)
    return mine.filter(pk=int(number)).first()


def _key(request: HttpRequest, pair: DuplicatePair) -> UUID:
    """The photo that stays.

    :raises MergeRefused: for one that is none of the pair
    """
    chosen = request.POST.get("verb", "")
    for key in (pair.first, pair.second):
        if chosen == str(key):
            return key
    raise MergeRefused(_("Choose which of the two stays."))


def _revisions(request: HttpRequest) -> dict[UUID, int]:
    """What the person saw: ``seen`` holds the key of a product and its revision, as ``key:revision``."""
    seen = {}
    for value in request.POST.getlist("seen"):
        key, _colon, revision = value.partition(":")
        try:
            seen[UUID(key)] = int(revision)
        except ValueError:
            continue
    return seen
