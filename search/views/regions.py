"""Where objects seem to be in a picture, as addresses of searches with each of them; scripts draw them over it."""

import logging
from collections.abc import Sequence
from uuid import UUID

from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from gallery import visibility
from gallery.models import Image
from search import regions
from search.crops import Crop
from search.encoders import EncoderError
from search.examples import Example, Kind
from search.models import QueryPhoto
from search.query import Query
from search.reading import share_in
from search.views.unavailable import says_when_down, throttled

logger = logging.getLogger(__name__)


@require_safe
@cache_control(private=True, no_store=True)
@throttled("search")
@says_when_down
def photo_regions(request: HttpRequest, key: UUID) -> JsonResponse:
    """Of a photo that the asker sent, or that was shared with the asker."""
    share = share_in(request.GET)
    photo = QueryPhoto.objects.of_request(request, share).filter(pk=key).first()
    if photo is None:
        raise Http404
    try:
        return _answer("photo", key, regions.of_photo(photo), share)
    except FileNotFoundError as error:
        raise Http404 from error
    except EncoderError as error:
        return _cannot(error)


@require_safe
@cache_control(private=True, max_age=300)
@throttled("search")
@says_when_down
def image_regions(request: HttpRequest, key: UUID) -> JsonResponse:
    """Of a photo of the catalogue that the asker may see."""
    image = Image.objects.visible_to(visibility.behind_the_counter(request.user)).filter(pk=key).first()
    if image is None:
        raise Http404
    try:
        return _answer("image", key, regions.of_image(image))
    except EncoderError as error:
        return _cannot(error)


def _answer(kind: Kind, key: UUID, crops: Sequence[Crop], share: str = "") -> JsonResponse:
    queries = [(crop, Query(examples=(Example(key, kind, crop),), share=share)) for crop in crops]
    found = [{"crop": str(crop), "url": query.url()} for crop, query in queries]
    return JsonResponse({"regions": found})


def _cannot(error: EncoderError) -> JsonResponse:
    logger.error("No regions can be suggested: %s", error)
    message = _("Parts of photos cannot be suggested at the moment. Draw a box yourself.")
    response = JsonResponse({"error": message, "code": "unavailable"}, status=503)
    response["Cache-Control"] = "no-store"
    return response
