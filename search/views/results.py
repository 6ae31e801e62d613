"""The results page, and the same as a fragment."""

from functools import partial

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
from search.people.history import record_search
from search.people.ordering import Taste, reordered, taste_of
from search.quality.judging import judging_of
from search.query import Query
from search.results import page_of
from search.slices import Arrange
from search.views.unavailable import says_when_down, throttled


class HtmxRequest(HttpRequest):
    htmx: HtmxDetails


# What htmx swaps where not the whole page is wanted: the results, or the pager, for which the next page comes.
_FRAGMENTS = {"results": "search/_results.html", "more": "search/_more.html"}


def arranged_by(taste: Taste | None, query: Query) -> Arrange | None:
    """The order inside of bands for a person who saved something, unless the query says otherwise."""
    return partial(reordered, person=taste) if taste and query.ordered else None


@require_safe
@cache_control(private=True, max_age=0)
@throttled("search")
@says_when_down
def search(request: HtmxRequest) -> HttpResponse:
    query, notes = Query.from_querydict(request.GET)
    generation = Generation.objects.live()
    query, examples, missing = pictures.find(query, request, generation)
    who = visibility.of_request(request)
    taste = taste_of(request.user, generation) if generation and examples else None
    found = ask(query, who, generation, examples, arrange=arranged_by(taste, query))
    judging = judging_of(request.user, found.query)
    page = page_of(found, examples, who, [*notes, *missing], has_taste=taste is not None, judging=judging)
    record_search(request, found.query, found.total, full=found.full)
    target = request.htmx.target if request.htmx and not request.htmx.history_restore_request else None
    template = _FRAGMENTS.get(target or "", "search/results.html")
    response = render(request, template, {"page": page, "query": found.query, "judging": judging})
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
