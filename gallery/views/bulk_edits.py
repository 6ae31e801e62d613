"""Bulk edits: a selection becomes a draft, a draft shows what it would do, and what was done can be undone."""

from collections import Counter
from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery.bulk import working
from gallery.bulk.forms import ActionForm
from gallery.bulk.preview import Skipped, preview
from gallery.bulk.selection import MOST_KEYS, fingerprint, products_of
from gallery.bulk.words import Words
from gallery.models import BulkEdit, BulkEditItem
from gallery.product_filters import ProductFilters
from gallery.views.access import HtmxRequest, person, staff_only

_LISTED = 50
_LEFT_SHOWN = 200  # SKUs that were left as they are, by name; the rest is counted


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_only
def bulk_edits(request: HttpRequest) -> HttpResponse:
    """What was edited in bulk lately; a POST makes a draft of ``product`` keys, or of ``all`` that match ``query``."""
    if request.method == "POST":
        return _draft(request)
    words = Words()
    edits = BulkEdit.objects.applied().select_related("job", "undo_job", "created_by")[:_LISTED]
    context = {"edits": [{"edit": edit, "words": words.edit(edit)} for edit in edits]}
    return render(request, "gallery/bulk/list.html", context)


def _draft(request: HttpRequest) -> HttpResponse:
    query = ProductFilters(QueryDict(request.POST.get("query", ""))).query_string
    everything = "all" in request.POST
    try:
        keys = [] if everything else [str(UUID(key)) for key in request.POST.getlist("product")[:MOST_KEYS]]
    except ValueError:
        keys = []
    if not keys and not everything:
        messages.error(request, _("Choose at least one product."))
        return redirect(reverse("products") + (f"?{query}" if query else ""))
    BulkEdit.objects.purge_drafts()
    edit = BulkEdit.objects.create(keys=keys, query=query, created_by=person(request))
    return redirect(edit)


@require_safe
@never_cache
@staff_only
def bulk_edit(request: HtmxRequest, key: UUID) -> HttpResponse:
    """A draft with its preview, or an edit under way or done; to htmx, what has become of it alone."""
    edit = _edit(key)
    if edit.is_draft:
        return _draft_page(request, edit, ActionForm(request.GET if "action" in request.GET else None))
    template = "gallery/bulk/_applied.html" if request.htmx else "gallery/bulk/applied.html"
    return render(request, template, _applied(edit))


@require_POST
@staff_only
def apply_bulk_edit(request: HttpRequest, key: UUID) -> HttpResponse:
    """Apply a draft to the products that were previewed, ``count`` and ``seen``; do the rest of a cancelled one."""
    edit = _edit(key)
    if not edit.is_draft:
        working.go_on(edit, person(request))
        return redirect(edit)
    form = ActionForm(request.POST)
    if not form.is_valid():
        return _draft_page(request, edit, form, status=422)
    keys = list(products_of(edit).values_list("pk", flat=True))
    now = fingerprint(keys)
    if request.POST.get("count") != str(len(keys)) or request.POST.get("seen", now) != now:
        changed = _("Other products match now than when you looked. Nothing is changed yet: look again, then apply.")
        return _draft_page(request, edit, form, changed, status=409)
    working.start(edit, form.cleaned_data["action"], form.parameters, person(request))
    return redirect(edit)


@require_POST
@staff_only
def undo_bulk_edit(request: HttpRequest, key: UUID) -> HttpResponse:
    edit = _edit(key)
    working.start_undo(edit, person(request))
    return redirect(edit)


def _edit(key: UUID) -> BulkEdit:
    return get_object_or_404(BulkEdit.objects.select_related("job", "undo_job", "created_by"), pk=key)


def _draft_page(
    request: HttpRequest, edit: BulkEdit, form: ActionForm, changed: str = "", status: int = 200
) -> HttpResponse:
    shown = preview(edit, form.cleaned_data["action"], form.parameters) if form.is_bound and form.is_valid() else None
    context = {
        "edit": edit,
        "form": form,
        "changed": changed,
        "preview": shown,
        "total": shown.total if shown else products_of(edit).count(),
        "back": reverse("products") + (f"?{edit.query}" if edit.query else ""),
    }
    return render(request, "gallery/bulk/draft.html", context, status=status)


def _applied(edit: BulkEdit) -> dict[str, object]:
    counts = Counter(dict(edit.items.values_list("state").order_by().annotate(number=Count("pk"))))
    left: dict[str, Skipped] = {}
    for reason, number in edit.items.exclude(reason="").values_list("reason").order_by().annotate(number=Count("pk")):
        left[reason] = Skipped(str(BulkEditItem.Reason(reason).label), number)
    for reason, sku in edit.items.exclude(reason="").order_by("sku").values_list("reason", "sku")[:_LEFT_SHOWN]:
        left[reason].skus.append(sku)
    return {
        "edit": edit,
        "words": Words().edit(edit),
        "counts": {state: counts[state] for state in BulkEditItem.State.values},
        "left": sorted(left.values(), key=lambda one: -one.number),
        "running": edit.running,
        "can_be_undone": edit.can_be_undone,
        "can_go_on": edit.running is None and counts["waiting"] > 0,
    }
