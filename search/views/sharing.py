"""Sharing a query: its address is enough, but for a private photo, which a token in the address opens."""

import secrets
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_POST

from search.models import QueryPhoto
from search.query import Query
from search.rail import sharing_of
from search.views.photos import photo_of
from search.views.unavailable import prefers_json


@require_POST
def share(request: HttpRequest) -> HttpResponse:
    """The address to pass on of the query in ``next``; with ``include`` it opens the query's photos to whoever has it.

    Only photos of the asker are opened, until they expire or sharing is stopped.
    """
    query, _notes = Query.from_querydict(QueryDict(request.POST.get("next", "").lstrip("?")))
    if "include" in request.POST:
        query = query.with_(page=query.page, share=_opened(request, query))
        url = query.url()
    else:
        sharing = sharing_of(query)
        url = sharing.url if sharing else query.url()
    absolute = request.build_absolute_uri(url)
    if prefers_json(request):
        return JsonResponse({"url": absolute})
    return render(request, "search/shared.html", {"shared_url": absolute, "back_url": query.url()})


def _opened(request: HttpRequest, query: Query) -> str:
    """The tokens of the query's photos. One that is open keeps its token, so that earlier addresses stay good."""
    photos = QueryPhoto.objects.of_request(request).filter(pk__in=[example.key for example in query.photos])
    photos.filter(share_token="").update(share_token=secrets.token_urlsafe(24))
    tokens = {*query.share.split("."), *photos.values_list("share_token", flat=True)}
    return ".".join(sorted(tokens - {""}))


@require_POST
def unshare(request: HttpRequest, key: UUID) -> HttpResponse:
    """Links that opened the photo to others stop doing so."""
    photo = photo_of(request, key)
    QueryPhoto.objects.filter(pk=photo.pk).update(share_token="")
    query, _notes = Query.from_querydict(request.GET)
    response = HttpResponseRedirect(query.with_(page=query.page, share="").url())
    response.status_code = 303
    return response
