"""The results page, and the same as a fragment."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django_htmx.middleware import HtmxDetails

from gallery import visibility
from search import pictures
from search.ask import ask
from search.models import Generation
from search.query import Query
from search.results import page_of
from search.views.unavailable import says_when_down, throttled


class HtmxRequest(HttpRequest):
    htmx: HtmxDetails


RESULTS_ELEMENT = "results"  # what htmx swaps when only the results are wanted


@require_safe
@cache_control(private=True, max_age=0)
@throttled("search")
@says_when_down
def search(request: HtmxRequest) -> HttpResponse:
    query, notes = Query.from_querydict(request.GET)
    generation = Generation.objects.live()
    query, picture, missing = pictures.find(query, request, generation)
    who = visibility.of_request(request)
    found = ask(query, who, generation, picture)
    page = page_of(found, picture, who, [*notes, *missing])
    wants_fragment = (
        request.htmx and request.htmx.target == RESULTS_ELEMENT and not request.htmx.history_restore_request
    )
    template = "search/_results.html" if wants_fragment else "search/results.html"
    response = render(request, template, {"page": page, "query": found.query})
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
