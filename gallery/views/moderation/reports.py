"""What shoppers reported, a photo at a time with all that was said of it."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Max, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gallery.models import Image, Report
from gallery.moderation import State
from gallery.views.access import moderators_only, person
from gallery.views.moderation.queue import frame

PAGE_SIZE = 24


@require_safe
@never_cache
@moderators_only
def reports_page(request: HttpRequest) -> HttpResponse:
    """Photos with open reports, the one reported last first."""
    said = Report.objects.open().select_related("user").order_by("-created_at", "-pk")
    images = (
        Image.objects.reported()
        .with_people()
        .annotate(last_reported=Max("reports__created_at"))
        .order_by("-last_reported", "-pk")
        .prefetch_related(Prefetch("reports", queryset=said, to_attr="open_reports"))
    )
    page = Paginator(images, PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"page": page, "photos": [_shown(image) for image in page]}
    return render(request, "gallery/moderation/reports.html", frame(person(request), State.REPORTED) | context)


def _shown(image: Any) -> dict[str, Any]:
    """One that was reported as offensive is not thrust upon a moderator."""
    is_veiled = any(report.reason == Report.Reason.OFFENSIVE for report in image.open_reports)
    return {"image": image, "reports": image.open_reports, "is_veiled": is_veiled}
