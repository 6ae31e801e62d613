"""``GET /api/v1/images/<id>/renditions``: a copy of a photo in a chosen format, and what it costs."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import visibility
from gallery.exports import BadChoice, Choice, ExportThrottle, NotAllowed, export
from gallery.models import Rendition
from gallery.renditions import Format
from gallery.views.files import visible
from search.api.errors import answer
from search.api.schema import Problem
from search.query import BadParameter

NAMES = ("format", "quality", "width")


class RenditionOriginal(serializers.Serializer):
    bytes = serializers.IntegerField()
    width = serializers.IntegerField(help_text="pixels, upright")
    height = serializers.IntegerField()


class RenditionAnswer(serializers.Serializer):
    image = serializers.UUIDField()
    format = serializers.ChoiceField(Format.choices)
    quality = serializers.IntegerField(help_text="100 where every pixel is kept")
    width = serializers.IntegerField(help_text="pixels asked for; a smaller photo is not scaled up")
    bytes = serializers.IntegerField()
    ssim = serializers.FloatField(help_text="structural similarity to the scaled original: 1 for the same")
    url = serializers.URLField(help_text="of the file, which is kept for some days")
    original = RenditionOriginal()


class OneRenderer(BaseContentNegotiation):
    """JSON alone. DRF's own way would take ``format`` for the answer's, and not for the copy's."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


@method_decorator(cache_control(private=True, max_age=0), name="dispatch")
class RenditionsView(APIView):
    """A copy of a photo that the asker may see. Copies wider than pages show, and such without loss, are for staff."""

    throttle_classes = (ExportThrottle,)
    content_negotiation_class = OneRenderer

    @extend_schema(
        operation_id="rendition",
        parameters=[
            OpenApiParameter("format", OpenApiTypes.STR, enum=Format.values, description="webp if not given."),
            OpenApiParameter("quality", OpenApiTypes.INT, description="30 to 95 in steps of 5; not of exact formats."),
            OpenApiParameter("width", OpenApiTypes.INT, description="160 to 2048 pixels: one of nine."),
        ],
        responses={
            200: RenditionAnswer,
            400: OpenApiResponse(Problem, description="A choice that is not offered."),
            403: OpenApiResponse(Problem, description="A copy that is for the people of the shop."),
            404: OpenApiResponse(Problem, description="No such photo, or its original is missing or damaged."),
            429: OpenApiResponse(Problem, description="Too many requests; see Retry-After."),
        },
    )
    def get(self, request: Request, pk: UUID) -> Response:
        for name in request.query_params:
            if name not in NAMES:
                raise BadParameter(name, _("There is no parameter “%(name)s”.") % {"name": name})
        image, _cache = visible(request._request, pk)
        try:
            choice = Choice.of(**{name: request.query_params.get(name, "") for name in NAMES})
            made = export(image, choice, visibility.behind_the_counter(request.user))
        except BadChoice as error:
            raise BadParameter(error.field, error.message) from error
        except NotAllowed as error:
            raise PermissionDenied(str(error)) from error
        except FileNotFoundError as error:
            raise Http404 from error
        except OSError as error:
            if error.errno is not None:
                raise
            return answer(404, _("The original of this photo is damaged."), "damaged")
        return Response(as_json(made, f"{request.scheme}://{request.get_host()}"))


def as_json(made: Rendition, site: str) -> dict[str, Any]:
    image = made.image
    return {
        "image": str(image.pk),
        "format": made.format,
        "quality": made.quality,
        "width": made.width,
        "bytes": made.bytes,
        "ssim": None if made.ssim is None else round(made.ssim, 4),
        "url": site + made.export_url,
        "original": {"bytes": image.bytes, "width": image.width, "height": image.height},
    }
