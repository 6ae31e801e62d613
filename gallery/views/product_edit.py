"""A product's page for staff: all fields, and the order of its photos."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from gallery import editing
from gallery.models import Image, Product
from gallery.product_forms import ProductForm
from gallery.views.access import HtmxRequest, person, staff_only

_CHANGES_SHOWN = 10


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_only
def product_edit(request: HttpRequest, sku: str) -> HttpResponse:
    """The form with everything; 409 where somebody saved the product in between."""
    product = get_object_or_404(Product, sku=sku)
    conflict, status = None, 200
    if request.method == "POST":
        form, conflict = editing.save(ProductForm, product, request.POST)
        if not conflict and not form.errors:
            messages.success(request, _("“%(title)s” is saved.") % {"title": form.instance.title})
            return redirect("product-edit", form.instance.sku)
        status = 409 if conflict else 422
    else:
        form = ProductForm(instance=product)
    context = {
        "product": product,
        "form": form,
        "conflict": conflict,
        "photos": photos_of(product),
        "sharpest": product.sharpest_photo(),
        "changes": product.history.select_related("history_user")[:_CHANGES_SHOWN],
    }
    return render(request, "gallery/products/edit.html", context, status=status)


@require_POST
@staff_only
def product_photos(request: HtmxRequest, sku: str) -> HttpResponse:
    """Another order of the photos: ``order`` in full, or ``face``, ``earlier`` or ``later`` with one photo's key.

    To htmx the list of photos, else the edit page again.
    """
    product = get_object_or_404(Product, sku=sku)
    keys = [photo.pk for photo in photos_of(product)]
    product.arrange(_new_order(request, keys), person(request))
    if not request.htmx:
        return redirect("product-edit", product.sku)
    context = {"product": product, "photos": photos_of(product), "sharpest": product.sharpest_photo()}
    return render(request, "gallery/products/_photos.html", context)


def photos_of(product: Product) -> list[Image]:
    photos = list(product.images.order_by("position", "pk"))
    for photo in photos:
        photo.product = product  # its text needs no query of its own
    return photos


def _new_order(request: HttpRequest, keys: list[UUID]) -> list[UUID]:
    try:
        if "order" in request.POST:
            return [UUID(key) for key in request.POST.getlist("order")]
        verb = next(name for name in ("face", "earlier", "later") if name in request.POST)
        at = keys.index(UUID(request.POST[verb]))
    except (ValueError, StopIteration) as error:
        raise BadRequest("The photos and their order do not fit.") from error
    to = {"face": 0, "earlier": max(0, at - 1), "later": at + 1}[verb]
    keys.insert(to, keys.pop(at))
    return keys
