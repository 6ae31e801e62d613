"""When search cannot answer: a page that says so, keeps the query, and names the time to come back."""

import logging
from collections.abc import Callable
from functools import partial, wraps

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from search.encoders.slot import EncoderBusy
from search.engines.base import EngineError
from search.query import Query
from search.throttling import throttled as throttled_by

logger = logging.getLogger(__name__)

ENGINE_RETRY_SECONDS = 15
NOT_ANSWERING = (EngineError, EncoderBusy)


def retry_after(error: Exception) -> int:
    return error.retry_after if isinstance(error, EncoderBusy) else ENGINE_RETRY_SECONDS


def sentence(error: Exception) -> str:
    """What a visitor is told; the details are in the log."""
    if isinstance(error, EncoderBusy):
        return _("Many people are searching right now. Try again in a moment.")
    return _("Search is not available at the moment. Try again in a moment.")


def too_often(seconds: int) -> str:
    return ngettext(
        "That was too many searches in a short time. Try again in %(n)d second.",
        "That was too many searches in a short time. Try again in %(n)d seconds.",
        seconds,
    ) % {"n": seconds}


def prefers_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def kept_query(request: HttpRequest) -> Query:
    """The query that a form keeps beside what it sends: in the address, or in ``next`` of a POST."""
    data = QueryDict(request.POST.get("next", "").lstrip("?")) if request.method == "POST" else request.GET
    query, _notes = Query.from_querydict(data)
    return query


def answer_later(request: HttpRequest, *, status: int, message: str, code: str, seconds: int) -> HttpResponse:
    """The page, or its JSON for scripts that ask for it, with ``Retry-After``."""
    if prefers_json(request):
        response: HttpResponse = JsonResponse({"error": message, "code": code}, status=status)
    else:
        query = kept_query(request)
        context = {
            "query": query,
            "query_string": query.canonical,
            "hidden_fields": query.hidden_fields("q", "weaker"),
            "retry_after": seconds,
            # What was sent is gone, so a form is tried again where it stood.
            "page_url": query.url() if request.method == "POST" else request.get_full_path(),
            "message": message,
            "code": code,
        }
        response = render(request, "search/unavailable.html", context, status=status)
    response["Retry-After"] = str(seconds)
    response["Cache-Control"] = "no-store"
    return response


def refuse(request: HttpRequest, seconds: int) -> HttpResponse:
    return answer_later(request, status=429, message=too_often(seconds), code="too_often", seconds=seconds)


throttled = partial(throttled_by, refuse=refuse)


def says_when_down(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer 503 where the engine or the encoder does not answer the view."""

    @wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NOT_ANSWERING as error:
            logger.warning("Search did not answer: %s", error)
            code = "busy" if isinstance(error, EncoderBusy) else "unavailable"
            return answer_later(request, status=503, message=sentence(error), code=code, seconds=retry_after(error))

    return guarded
