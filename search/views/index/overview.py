"""The page itself: the live generation, those beside it, and those that have gone."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from gallery.views.access import staff_only
from search.models import Generation
from search.views.index.failed import by_reason
from search.views.index.sections import in_order, section_of
from search.views.index.storage import storage_figures
from search.views.index.tuning import tuning_panel

State = Generation.State
HISTORY = 50  # dropped generations that are still told of


@require_safe
@never_cache
@staff_only
def overview(request: HttpRequest) -> HttpResponse:
    # Without the large columns: projections are of no interest here.
    kept = list(Generation.objects.kept().defer("projection_data", "scale_data"))
    live = next((one for one in kept if one.state == State.LIVE), None)
    others = in_order(one for one in kept if one.state != State.LIVE)
    dropped = Generation.objects.filter(state=State.DROPPED).defer("projection_data", "scale_data").order_by("-pk")
    context = {
        "live": section_of(live) if live else None,
        "groups": by_reason(live) if live else [],
        "others": [section_of(one) for one in others],
        "dropped": dropped[:HISTORY],
        "storage": storage_figures(),
        "tuning": tuning_panel(),
    }
    return render(request, "search/index/overview.html", context)


@require_safe
@never_cache
@staff_only
def figures(request: HttpRequest, pk: int) -> HttpResponse:
    """The figures of one generation, which the page asks for again while they move.

    Once they stand still, or it is in another state than the page shows (``state``), the whole page is out of date.
    """
    generation = get_object_or_404(Generation.objects.defer("projection_data", "scale_data"), pk=pk)
    if generation.state == State.DROPPED or generation.state != request.GET.get("state"):
        return HttpResponseClientRefresh()
    section = section_of(generation)
    if not section.is_moving:
        return HttpResponseClientRefresh()
    template = "_live_figures" if generation.state == State.LIVE else "_figures"
    return render(request, f"search/index/{template}.html", {"section": section})


@require_safe
@never_cache
@staff_only
def failed_images(request: HttpRequest, pk: int) -> HttpResponse:
    """The images that are not in a generation, by the reason why."""
    generation = get_object_or_404(Generation.objects.kept().defer("projection_data", "scale_data"), pk=pk)
    context = {"generation": generation, "groups": by_reason(generation)}
    return render(request, "search/index/failed.html", context)
