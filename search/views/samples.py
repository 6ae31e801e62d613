"""Searching with a sample photo: it becomes a query photo of this session, like one that was sent."""

import hashlib

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from search import photos, samples
from search.examples import Example
from search.models import QueryPhoto
from search.query import Query
from search.views.unavailable import throttled


def _sample(number: int) -> samples.Sample:
    found = samples.sample(number)
    if found is None or not found.path.is_file():
        raise Http404
    return found


@require_safe
@throttled("photo")
def sample(request: HttpRequest, number: int) -> HttpResponse:
    """Lead to the results for this sample; a session that has clicked it before has the photo already."""
    path = _sample(number).path
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        photo = QueryPhoto.objects.of_request(request).filter(sha256=sha256).first()
        if photo is None:
            file.seek(0)
            photo = photos.keep(request, file, path.name)
    return HttpResponseRedirect(Query(examples=(Example(photo.pk, "photo"),)).url())


@require_safe
@cache_control(public=True, max_age=300)
def sample_file(request: HttpRequest, number: int) -> FileResponse:
    return FileResponse(_sample(number).path.open("rb"), content_type="image/jpeg")
