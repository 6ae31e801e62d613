"""Products without a category, one after the other: a large photo, what it suggests, and one key."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gallery.models import Image
from gallery.views.access import staff_only
from search.classification.samples import SHOWABLE, without_category
from search.views.suggestions.mislabelled import open_doubts
from search.views.suggestions.panel import panel_of


@require_safe
@never_cache
@staff_only
def queue(request: HttpRequest) -> HttpResponse:
    """``after`` is the product that was last looked at; the newest come first."""
    waiting = without_category()
    after = _uuid(request.GET.get("after", ""))
    product = (waiting.filter(pk__lt=after) if after else waiting).first()
    context: dict[str, Any] = {"here": "queue", "waiting": waiting.count(), "doubted": open_doubts().count()}
    if product is not None:
        image = Image.objects.with_product().filter(product=product, status__in=SHOWABLE).first()
        following = f"{reverse('suggestions')}?after={product.pk}"
        context |= {"product": product, "next": following}
        if image is not None:
            context |= panel_of(image, next=following)
    context["from_the_start"] = product is None and after is not None and context["waiting"]
    return render(request, "search/suggestions/queue.html", context)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
