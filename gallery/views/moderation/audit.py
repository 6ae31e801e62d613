"""Who did what to a photo or a product, when and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gallery.models import Image, ImageRedirect, Product, ProductRedirect, Report
from gallery.templatetags.moderating import in_words
from gallery.views.access import staff_or_moderators

PAGE_SIZE = 50
_SHOWN = ("status", "status_reason", "fault", "taken_down_at", "reply", "product", "alt_text", "sha256")
_OF_PRODUCTS = ("title", "description", "price", "availability", "published", "category", "brand", "sku", "link")


@dataclass(frozen=True)
class Entry:
    """One change: what was different after it, in words."""

    record: Any
    changes: list[tuple[str, str]]  # field, and what it became

    @property
    def kind(self) -> str:
        kinds = {"+": _("Created"), "~": _("Changed"), "-": _("Deleted")}
        return kinds[self.record.history_type]


@require_safe
@never_cache
@staff_or_moderators
def audit_image(request: HttpRequest, key: UUID) -> HttpResponse:
    """The history of a photo, also of one that has been deleted for good."""
    rows = Image.history.filter(id=key).select_related("history_user", "product")
    records = list(rows.order_by("-history_date", "-history_id"))
    image = Image.objects.with_product().filter(pk=key).first()
    if not records and image is None:
        raise Http404
    context = {
        "image": image,
        "name": str(image) if image else records[0].source_name or str(key),
        "page": Paginator(_entries(records, _SHOWN), PAGE_SIZE).get_page(request.GET.get("page")),
        "reports": Report.objects.filter(image=key).select_related("resolved_by").order_by("-created_at", "-pk"),
        "merged": _merged_photos(key),
    }
    return render(request, "gallery/moderation/audit.html", context)


@require_safe
@never_cache
@staff_or_moderators
def audit_product(request: HttpRequest, sku: str) -> HttpResponse:
    """The history of a product, also of one that was merged or deleted, and the way to that of each of its photos."""
    product = Product.objects.filter(sku=sku).first()
    if product is not None:
        key, name = product.pk, product.label
    else:
        gone = Product.history.filter(sku=sku, history_type="-").order_by("-history_date").first()
        if gone is None:
            raise Http404
        key, name = gone.id, gone.title
    rows = Product.history.filter(id=key).select_related("history_user", "category", "brand")
    records = list(rows.order_by("-history_date", "-history_id"))
    photos = Image.objects.filter(product=key).select_related("product", "moderated_by")
    merged = ProductRedirect.objects.filter(product=key).order_by("old_sku").values_list("old_sku", flat=True)
    context = {
        "product": product,
        "name": name,
        "page": Paginator(_entries(records, _OF_PRODUCTS), PAGE_SIZE).get_page(request.GET.get("page")),
        "images": photos.order_by("position", "pk"),
        "merged": [{"name": old, "url": reverse("audit-product", args=[old])} for old in merged],
    }
    return render(request, "gallery/moderation/audit.html", context)


def _merged_photos(key: UUID) -> list[dict[str, str]]:
    """The photos that were merged into this one: each has a history of its own."""
    keys = list(ImageRedirect.objects.filter(image=key).order_by("pk").values_list("old_key", flat=True))
    if not keys:
        return []
    names = dict(Image.history.filter(id__in=keys, history_type="-").values_list("id", "source_name"))
    return [{"name": names.get(old) or str(old), "url": reverse("audit-image", args=[old])} for old in keys]


def _entries(records: Sequence[Any], fields: Iterable[str]) -> list[Entry]:
    """The newest first, each compared with the one before it."""
    fields = list(fields)
    entries = [Entry(newer, _changes(newer, older, fields)) for newer, older in pairwise(records)]
    if records:
        entries.append(Entry(records[-1], _changes(records[-1], None, fields)))
    return entries


def _changes(newer: Any, older: Any | None, fields: Iterable[str]) -> list[tuple[str, str]]:
    changes = []
    for name in fields:
        field = newer._meta.get_field(name)
        value = getattr(newer, field.attname)
        if older is not None and value == getattr(older, field.attname):
            continue
        if older is None and value in (None, ""):
            continue
        changes.append((_label(name), _words(newer, name, value)))
    return changes


def _words(record: Any, name: str, value: Any) -> str:
    if value in (None, ""):
        return _("none")
    if record._meta.get_field(name).is_relation:
        return str(getattr(record, name) or _("deleted meanwhile"))
    display = getattr(record, f"get_{name}_display", None)
    if display is not None:
        return str(display())
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "status_reason":
        return in_words(value)
    return str(value)[:12] if name == "sha256" else str(value)


def _label(name: str) -> str:
    labels = {
        "status": _("State"),
        "status_reason": _("Reason"),
        "fault": _("What is wrong"),
        "taken_down_at": _("Taken down"),
        "reply": _("The contributor's reply"),
        "product": _("Product"),
        "alt_text": _("Description"),
        "sha256": _("File"),
        "title": _("Title"),
        "description": _("Description"),
        "price": _("Price"),
        "availability": _("Availability"),
        "published": _("Published"),
        "category": _("Category"),
        "brand": _("Brand"),
        "sku": "SKU",
        "link": _("Link to the shop"),
    }
    return labels[name]
