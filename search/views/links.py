"""Searching with the picture that a link leads to."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from gallery.links.errors import BUSY_RETRY_SECONDS
from gallery.links.fetch import fetch
from gallery.links.target import is_link
from gallery.verification import Refused
from search import photos
from search.views.photos import lead_to_results, require_room, say_refused
from search.views.unavailable import kept_query, throttled


@require_POST
@throttled("photo")
def send(request: HttpRequest) -> HttpResponse:
    """Fetch the picture at ``url``, keep it as a query photo, and lead to its results as if it had been sent."""
    kept = kept_query(request)
    if is_link(kept.text):  # the link itself, searched for as words where no script runs
        kept = kept.without("text")
    try:
        require_room(request, kept)
        fetched = fetch(request.POST.get("url", ""))
        photo = photos.keep(request, fetched.file, fetched.name)
    except Refused as refused:
        response = say_refused(request, refused, kept)
        if refused.status == 503:
            response["Retry-After"] = str(BUSY_RETRY_SECONDS)
        return response
    return lead_to_results(request, kept, photo)
