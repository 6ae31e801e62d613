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


# What htmx swaps where not the whole page is wanted: the results, or the pager, for which the next page comes.
_FRAGMENTS = {"results": "search/_results.html", "more": "search/_more.html"}


@require_safe
@cache_control(private=True, max_age=0)
@throttled("search")
@says_when_down
def search(request: HtmxRequest) -> HttpResponse:
    query, notes = Query.from_querydict(request.GET)
    generation = Generation.objects.live()
    query, examples, missing = pictures.find(query, request, generation)
    who = visibility.of_request(request)
    found = ask(query, who, generation, examples)
    page = page_of(found, examples, who, [*notes, *missing])
    target = request.htmx.target if request.htmx and not request.htmx.history_restore_request else None
    template = _FRAGMENTS.get(target or "", "search/results.html")
    response = render(request, template, {"page": page, "query": found.query})
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
