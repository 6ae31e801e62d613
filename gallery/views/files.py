"""Renditions on their way out: checked by visibility, cached where everyone may see them."""

from uuid import UUID

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.views.decorators.http import require_safe

from gallery import visibility
from gallery.models import Image, Rendition
from gallery.renditions import rendition

CONTENT_TYPES = {"webp": "image/webp", "jpeg": "image/jpeg"}


@require_safe
def image_file(request: HttpRequest, pk: UUID, width: int, format: str) -> HttpResponse:
    """One rendition of an image that the visitor may see; 404 for any other."""
    if width not in settings.RENDITION_WIDTHS or format not in CONTENT_TYPES:
        raise Http404
    who = visibility.behind_the_counter(request.user)
    image = Image.objects.visible_to(who).select_related("product").filter(pk=pk).first()
    if image is None:
        raise Http404
    etag = f'"{image.sha256[:16]}-{width}-{format}"'
    cache = "public, max-age=300" if image.is_public else "private, no-store"
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        try:
            response = deliver(rendition(image, format, width))
        except OSError as error:
            raise Http404 from error
    response["Cache-Control"] = cache
    response["ETag"] = etag
    return response


def deliver(made: Rendition) -> HttpResponse:
    """Hand the file over in the way that ``FILE_DELIVERY`` names."""
    content_type = CONTENT_TYPES[made.format]
    if settings.FILE_DELIVERY == "redirect":
        return HttpResponseRedirect(made.file.storage.url(made.file.name))
    if settings.FILE_DELIVERY == "x-accel":
        return HttpResponse(
            content_type=content_type,
            headers={"X-Accel-Redirect": f"{settings.X_ACCEL_PREFIX}renditions/{made.file.name}"},
        )
    if settings.FILE_DELIVERY == "x-sendfile":
        return HttpResponse(content_type=content_type, headers={"X-Sendfile": made.file.path})
    return FileResponse(made.file.open("rb"), content_type=content_type)
