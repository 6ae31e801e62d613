"""Products that are likely in the wrong category: move, keep for good, or leave for later."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gallery.models import Category, Image
from gallery.models.categories import CategoryTree
from gallery.views.access import person, staff_only
from search.classification import accepting
from search.classification.samples import without_category
from search.classification.suggesting import path_of
from search.models import Classifier, Generation, LabelDoubt
from search.views.suggestions.panel import edited, number

SHOWN = 20
_SKIPPED = "suggestions-skipped"  # in the session: products that were left for later
_MOST_SKIPPED = 500


@dataclass(frozen=True)
class Row:
    doubt: LabelDoubt
    image: Image
    own_path: str
    suggested_path: str

    @property
    def own_percent(self) -> int:
        return round(100 * self.doubt.own)

    @property
    def best_percent(self) -> int:
        return min(99, round(100 * self.doubt.best))


@require_safe
@never_cache
@staff_only
def mislabelled(request: HttpRequest) -> HttpResponse:
    skipped = request.session.get(_SKIPPED, [])
    doubts = open_doubts()
    shown = list(_with_photos(doubts.exclude(product__in=[UUID(key) for key in skipped]))[:SHOWN])
    tree = Category.objects.tree()
    context: dict[str, Any] = {
        "here": "mislabelled",
        "doubted": doubts.count(),
        "skipped": len(skipped),
        "waiting": without_category().count(),
        "classifier": doubting(),
        "rows": [_row(doubt, tree) for doubt in shown if _photos(doubt)],
    }
    return render(request, "search/suggestions/mislabelled.html", context)


@require_POST
@staff_only
def decide(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Answer with what became of it: in the row's place, or above the page."""
    doubt = get_object_or_404(_with_photos(LabelDoubt.objects.all()), pk=pk)
    names = {"sku": doubt.product.sku, "category": doubt.suggested.label, "own": doubt.category.label}
    done, error = "", ""
    if verb == "move":
        try:
            accepting.put_into(doubt.product_id, doubt.suggested, number(request, "revision"))
            done = _("%(sku)s is in “%(category)s” now.") % names
        except accepting.Edited:
            error = edited(doubt.product)
    elif verb == "keep":
        accepting.keep(doubt.product_id, doubt.category, person(request))
        done = _("%(sku)s stays in “%(own)s” and is not shown here again.") % names
    elif verb == "skip":
        skipped = [*request.session.get(_SKIPPED, []), str(doubt.product_id)]
        request.session[_SKIPPED] = skipped[-_MOST_SKIPPED:]
        done = _("%(sku)s is left for later.") % names
    else:
        raise Http404
    if getattr(request, "htmx", False):
        return render(request, "search/suggestions/_outcome.html", {"done": done, "error": error})
    (messages.error if error else messages.success)(request, error or done)
    return redirect("suggestions-mislabelled")


@require_POST
@staff_only
def show_skipped(request: HttpRequest) -> HttpResponse:
    request.session.pop(_SKIPPED, None)
    return redirect("suggestions-mislabelled")


def doubting() -> Classifier | None:
    """The classifier whose doubts are shown: of those for the live index the one that was right most often."""
    generation = Generation.objects.live()
    trained = Classifier.objects.of(generation) if generation else []
    return max(trained, key=lambda one: one.figures["top1"], default=None)


def open_doubts() -> QuerySet[LabelDoubt]:
    classifier = doubting()
    return LabelDoubt.objects.filter(classifier=classifier).open() if classifier else LabelDoubt.objects.none()


def _with_photos(doubts: QuerySet[LabelDoubt]) -> QuerySet[LabelDoubt]:
    photos = Image.objects.filter(status=Image.Status.APPROVED).with_product().order_by("position", "pk")
    return doubts.select_related("product", "category", "suggested").prefetch_related(
        Prefetch("product__images", queryset=photos, to_attr="photos")
    )


def _photos(doubt: LabelDoubt) -> list[Image]:
    """What ``_with_photos`` brought along."""
    found: list[Image] = getattr(doubt.product, "photos", [])
    return found


def _row(doubt: LabelDoubt, tree: CategoryTree) -> Row:
    return Row(doubt, _photos(doubt)[0], path_of(tree, doubt.category_id), path_of(tree, doubt.suggested_id))
