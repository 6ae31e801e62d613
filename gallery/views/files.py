"""Renditions on their way out: checked by visibility, cached where everyone may see them."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from gallery import visibility
from gallery.exports import BadChoice, Choice
from gallery.models import Image, Rendition
from gallery.renditions import ENDINGS, Format, present, rendition

CONTENT_TYPES = {
    Format.WEBP: "image/webp",
    Format.JPEG: "image/jpeg",
    Format.AVIF: "image/avif",
    Format.PNG: "image/png",
    Format.LOSSLESS: "image/webp",
}
ON_PAGES = (Format.WEBP, Format.JPEG)
PUBLIC, PRIVATE = "public, max-age=300", "private, no-store"
_SIGNED_SECONDS = 600  # a cached redirect must lead somewhere for as long as it is cached


@require_safe
def image_file(request: HttpRequest, pk: UUID, width: int, format: str) -> HttpResponseBase:
    """One rendition of an image that the visitor may see; 404 for any other.

    Where the original has gone or is damaged, that 404 is a picture that says so: pages show it in the photo's place.
    """
    if width not in settings.RENDITION_WIDTHS or format not in ON_PAGES:
        raise Http404
    image, cache = visible(request, pk)
    etag = f'"{image.sha256[:16]}-{width}-{format}"'
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is None:
        try:
            response = deliver(_whole(image, format, width), cache)
        except OSError as error:
            # Missing, or damaged: Pillow's own errors have no number. Any other is a fault of the storage.
            if error.errno is not None and not isinstance(error, FileNotFoundError):
                raise
            return _missing_tile(image, error)
    response["Cache-Control"] = cache
    response["ETag"] = etag
    return response


@require_safe
def exported_file(request: HttpRequest, pk: UUID, width: int, quality: int, format: str) -> HttpResponseBase:
    """A copy that was made on request; 404 for one that was not, or that was deleted again after some days."""
    image, cache = visible(request, pk)
    try:
        choice = Choice.of(format, quality, width)
    except BadChoice as error:
        raise Http404 from error
    made = present(image, format, width, quality)
    if made is None or made.ssim is None or not choice.allowed_to(visibility.behind_the_counter(request.user)):
        raise Http404
    if not choice.allowed_to(visibility.public):
        cache = PRIVATE
    name = f"{image.product.sku}-{width}.{ENDINGS[Format(format)]}"
    try:
        response = deliver(made, cache, download_as=name)
    except FileNotFoundError as error:
        made.delete()
        raise Http404 from error
    response["Cache-Control"] = cache
    return response


def visible(request: HttpRequest, pk: UUID) -> tuple[Image, str]:
    """An image that the visitor may see, and who may cache what is made of it.

    :raises Http404: for any other
    """
    # Who asks is looked up for hidden images alone: public ones are the same for all, and cached for all.
    images = Image.objects.select_related("product").filter(pk=pk)
    image, cache = images.visible_to(visibility.public).first(), PUBLIC
    if image is None:
        who = visibility.behind_the_counter(request.user)
        image, cache = images.visible_to(who).first(), PRIVATE
    if image is None:
        raise Http404
    return image, cache


def _whole(image: Image, format: str, width: int) -> Rendition:
    """A rendition whose file is there, as far as this process can tell; one that was lost is made again."""
    made = rendition(image, format, width)
    if settings.FILE_DELIVERY == "stream" and not made.file.storage.exists(str(made.file.name)):
        made.delete()
        made = rendition(image, format, width)
    return made


def _missing_tile(image: Image, error: OSError) -> HttpResponse:
    if isinstance(error, FileNotFoundError) and not image.original.storage.exists(str(image.original.name)):
        Image.objects.filter(pk=image.pk, sha256=image.sha256).note_missing()
    tile = render_to_string("gallery/missing.svg", {"damaged": not isinstance(error, FileNotFoundError)})
    return HttpResponse(tile, status=404, content_type="image/svg+xml", headers={"Cache-Control": PRIVATE})


def deliver(made: Rendition, cache: str, download_as: str = "") -> HttpResponseBase:
    """Hand the file over in the way that ``FILE_DELIVERY`` names.

    :param download_as: the name under which browsers save it; without one they show it
    """
    content_type = CONTENT_TYPES[Format(made.format)]
    disposition = f'attachment; filename="{download_as}"' if download_as else ""  # SKUs need no quoting
    if settings.FILE_DELIVERY == "redirect":
        answer = {"ResponseCacheControl": cache, "ResponseContentType": content_type}
        if disposition:
            answer["ResponseContentDisposition"] = disposition
        storage: Any = made.file.storage  # django-storages' S3Storage: see the system check of FILE_DELIVERY
        return HttpResponseRedirect(storage.url(made.file.name, parameters=answer, expire=_SIGNED_SECONDS))
    headers = {"Content-Disposition": disposition} if disposition else {}
    if settings.FILE_DELIVERY == "x-accel":
        headers["X-Accel-Redirect"] = f"{settings.X_ACCEL_PREFIX}renditions/{made.file.name}"
        return HttpResponse(content_type=content_type, headers=headers)
    if settings.FILE_DELIVERY == "x-sendfile":
        headers["X-Sendfile"] = made.file.path
        return HttpResponse(content_type=content_type, headers=headers)
    return FileResponse(
        made.file.open("rb"), content_type=content_type, as_attachment=bool(download_as), filename=download_as
    )
