"""Query photos: sent, looked at by their owner alone, and forgotten on request."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from gallery.verification import Refused
from search import photos
from search.examples import MAX_EXAMPLES, Example
from search.models import QueryPhoto
from search.query import Query
from search.reading import share_in
from search.views.home import home_page
from search.views.unavailable import kept_query, prefers_json, throttled


def photo_of(request: HttpRequest, key: UUID) -> QueryPhoto:
    """The photo if it is the asker's own: nobody learns whether somebody else's exists."""
    return _found(QueryPhoto.objects.of_request(request), key)


def _found(photos: "QuerySet[QueryPhoto]", key: UUID) -> QueryPhoto:
    photo = photos.filter(pk=key).first()
    if photo is None:
        raise Http404
    return photo


@require_POST
@throttled("photo")
def send(request: HttpRequest) -> HttpResponse:
    """Keep the photo and lead to its results, with the words and filters that ``next`` holds."""
    kept = kept_query(request)
    file = request.FILES.get("image")
    try:
        require_room(request, kept)
        if file is None:
            raise Refused(_("No photo came with the request. Choose a photo and try again."), "missing")
        photo = photos.keep(request, file, file.name or "")
    except Refused as refused:
        return say_refused(request, refused, kept)
    return lead_to_results(request, kept, photo)


def require_room(request: HttpRequest, kept: Query) -> None:
    """:raises gallery.verification.Refused: when one more picture is to be added to as many as there may be"""
    if "add" in request.POST and len(kept.examples) >= MAX_EXAMPLES:
        message = _("A search takes at most %(n)d pictures. Take one away first.") % {"n": MAX_EXAMPLES}
        raise Refused(message, "too_many")


def lead_to_results(request: HttpRequest, kept: Query, photo: QueryPhoto) -> HttpResponse:
    """The results of a photo that was just kept, with the rest of the query: a redirect, or its address as JSON."""
    sent = Example(photo.pk, "photo")
    # A photo begins a new search, with the words and filters kept, unless it was given as one more.
    examples = (*kept.examples, sent) if "add" in request.POST else (sent,)
    url = kept.with_(examples=examples, weaker=False).url()
    if not prefers_json(request):
        response = HttpResponseRedirect(url)
        response.status_code = 303
        return response
    shown = {"id": str(photo.pk), "url": _file_url(photo), "width": photo.width, "height": photo.height}
    return JsonResponse({"url": url, "photo": shown}, status=201)


def say_refused(request: HttpRequest, refused: Refused, kept: Query) -> HttpResponse:
    """Why a photo was not taken: on the home page, with the rest of the query in its field, or as JSON."""
    if prefers_json(request):
        return JsonResponse({"error": refused.message, "code": refused.code}, status=refused.status)
    return home_page(request, kept, error=refused.message, status=refused.status)


def _file_url(photo: QueryPhoto) -> str:
    return reverse("search-photo-file", args=[photo.pk])


@require_safe
def photo_file(request: HttpRequest, key: UUID) -> FileResponse:
    """The photo as it was kept: upright, small, without metadata. ``share`` opens one that its owner shared."""
    photo = _found(QueryPhoto.objects.of_request(request, share_in(request.GET)), key)
    try:
        response = FileResponse(photo.file.open("rb"), content_type="image/jpeg")
    except FileNotFoundError as error:
        raise Http404 from error
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
def forget(request: HttpRequest, key: UUID) -> HttpResponse:
    """Delete the photo and go on with the rest of the query, which the address carries."""
    photos.forget(photo_of(request, key))
    query, _notes = Query.from_querydict(request.GET)
    rest = query.without_photo(key)
    response = HttpResponseRedirect(rest.url() if rest.canonical else reverse("home"))
    response.status_code = 303
    return response
