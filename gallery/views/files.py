"""Renditions on their way out: checked by visibility, cached where everyone may see them."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from gallery import visibility
from gallery.models import Image, Rendition
from gallery.renditions import rendition

CONTENT_TYPES = {"webp": "image/webp", "jpeg": "image/jpeg"}
PUBLIC, PRIVATE = "public, max-age=300", "private, no-store"
_SIGNED_SECONDS = 600  # a cached redirect must lead somewhere for as long as it is cached


@require_safe
def image_file(request: HttpRequest, pk: UUID, width: int, format: str) -> HttpResponseBase:
    """One rendition of an image that the visitor may see; 404 for any other."""
    if width not in settings.RENDITION_WIDTHS or format not in CONTENT_TYPES:
        raise Http404
    # Who asks is looked up for hidden images alone: public ones are the same for all, and cached for all.
    image, cache = Image.objects.visible_to(visibility.public).filter(pk=pk).first(), PUBLIC
    if image is None:
        who = visibility.behind_the_counter(request.user)
        image, cache = Image.objects.visible_to(who).filter(pk=pk).first(), PRIVATE
    if image is None:
        raise Http404
    etag = f'"{image.sha256[:16]}-{width}-{format}"'
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is None:
        try:
            response = deliver(rendition(image, format, width), cache)
        except OSError as error:
            # Missing, or damaged: Pillow's own errors have no number. Any other is a fault of the storage.
            if error.errno is not None and not isinstance(error, FileNotFoundError):
                raise
            raise Http404 from error
    response["Cache-Control"] = cache
    response["ETag"] = etag
    return response


def deliver(made: Rendition, cache: str) -> HttpResponseBase:
    """Hand the file over in the way that ``FILE_DELIVERY`` names."""
    content_type = CONTENT_TYPES[made.format]
    if settings.FILE_DELIVERY == "redirect":
        answer = {"ResponseCacheControl": cache, "ResponseContentType": content_type}
        storage: Any = made.file.storage  # django-storages' S3Storage: see the system check of FILE_DELIVERY
        return HttpResponseRedirect(storage.url(made.file.name, parameters=answer, expire=_SIGNED_SECONDS))
    if settings.FILE_DELIVERY == "x-accel":
        return HttpResponse(
            content_type=content_type,
            headers={"X-Accel-Redirect": f"{settings.X_ACCEL_PREFIX}renditions/{made.file.name}"},
        )
    if settings.FILE_DELIVERY == "x-sendfile":
        return HttpResponse(content_type=content_type, headers={"X-Sendfile": made.file.path})
    return FileResponse(made.file.open("rb"), content_type=content_type)
