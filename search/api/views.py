"""``GET`` and ``POST /api/v1/search``."""

import time
from dataclasses import replace
from typing import Any

from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import visibility
from gallery.pictures import open_upright
from gallery.verification import verify
from search import photos
from search.api import parameters, schema, vectors
from search.api.answers import as_json
from search.api.errors import NotFoundParameter
from search.api.renderers import BoundedJSONParser, FastJSONRenderer
from search.ask import ask
from search.crops import Crop
from search.models import Generation
from search.pictures import Picture, Vectors, of_images, standing
from search.query import BadParameter
from search.throttling import THROTTLES, seconds_to_wait

_DECODE_PIXELS = 520  # encoders read fewer; large JPEGs are decoded at a reduced size


@method_decorator(cache_control(private=True, max_age=0), name="dispatch")
class SearchView(APIView):
    """Search by words, by a photo of the catalogue, by an uploaded picture, which is not kept, or by a vector."""

    throttle_classes = THROTTLES["search"]
    renderer_classes = (FastJSONRenderer,)
    parser_classes = (BoundedJSONParser, MultiPartParser, FormParser)

    @extend_schema(operation_id="search", parameters=schema.PARAMETERS, responses=schema.RESPONSES)
    def get(self, request: Request) -> Response:
        return self._answer(request)

    @extend_schema(
        operation_id="search_by_body",
        parameters=schema.PARAMETERS,
        request={"application/json": schema.SearchBody, "multipart/form-data": schema.SearchForm},
        responses=schema.RESPONSES,
    )
    def post(self, request: Request) -> Response:
        return self._answer(request)

    def _answer(self, request: Request) -> Response:
        started = time.perf_counter()
        asked = parameters.read(request)
        asked = replace(asked, query=standing(asked.query))
        who = visibility.of(request.user)
        generation = Generation.objects.live()
        given = self._given(request, asked, generation)
        try:
            found = ask(
                asked.query,
                who,
                generation,
                [*given, *_examples(request, asked, generation)],
                size=asked.limit,
                strict=True,
            )
        except BadParameter as error:
            raise parameters.in_api_terms(error) from error
        body = as_json(found, asked, who, f"{request.scheme}://{request.get_host()}")
        body["took_ms"] = round((time.perf_counter() - started) * 1000, 2)
        return Response(body)

    def _given(self, request: Request, asked: parameters.Asked, generation: Generation | None) -> list[Picture]:
        """The picture that came with the request itself, or the vector in place of one."""
        if asked.image is not None:
            if seconds := seconds_to_wait(request._request, "photo"):
                raise Throttled(wait=seconds)
            return [Picture(_encoded(asked.image, asked.crop, generation))]
        if asked.vector is not None and generation is not None:
            return [Picture(None, projected=vectors.parts_of(asked.vector, generation))]
        return []


def _examples(request: Request, asked: parameters.Asked, generation: Generation | None) -> list[Picture]:
    """The query's photos of the catalogue."""
    examples = asked.query.examples
    if not examples:
        return []
    found = of_images(examples, visibility.behind_the_counter(request.user), generation)
    for example in examples:
        if example not in found:
            name = parameters.API_NAMES.get(example.name, example.name)
            raise NotFoundParameter(name, _("There is no such photo in the catalogue."))
    return [found[example] for example in examples]


def _encoded(file: Any, crop: Crop | None, generation: Generation | None) -> Vectors | None:
    """What the generation's encoder says of an uploaded file; the file is read and forgotten."""
    verify(file, file.name or "", heic=True)
    if generation is None:
        return None
    if crop is None:
        return photos.encoded(open_upright(file, at_least=_DECODE_PIXELS), generation).vectors
    return photos.encoded(crop.of(open_upright(file, at_least=photos.LONGEST_SIDE)), generation).vectors
