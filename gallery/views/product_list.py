"""The list of products for staff: filters, tabs of saved filters, and rows that are edited where they stand."""

from collections.abc import Iterable
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import number_format
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from gallery import editing
from gallery.models import Image, Product, SavedView
from gallery.prices import price_label
from gallery.product_filters import ProductFilters
from gallery.product_forms import RowForm
from gallery.views.access import HtmxRequest, person, staff_only

PAGE_SIZE = 50


@require_safe
@never_cache
@staff_only
def product_list(request: HttpRequest) -> HttpResponse:
    """The products that match the filters in the address, a page of them."""
    user = person(request)
    filters = ProductFilters(request.GET, Product.objects.with_facts().with_photos_counted())
    page = Paginator(filters.matching(), PAGE_SIZE).get_page(request.GET.get("page"))
    views = list(SavedView.objects.seen_by(user))
    query = filters.query_string
    context = {
        "filters": filters,
        "page": page,
        "query": query,
        "total": number_format(page.paginator.count, use_l10n=True, force_grouping=True),
        "rows": rows_of(page.object_list),
        "views": views,
        "view": next((view for view in views if view.query == query), None),
    }
    return render(request, "gallery/products/list.html", context)


def rows_of(products: Iterable[Product]) -> list[dict[str, Any]]:
    """What a row shows of each product, with one query for all first photos.

    :param products: with facts, and with their photos counted
    """
    products = list(products)
    faces = Image.objects.in_bulk([product.face_id for product in products if product.face_id])  # type: ignore[attr-defined]
    rows = []
    for product in products:
        face = faces.get(product.face_id)  # type: ignore[attr-defined]
        if face is not None:
            face.product = product  # its text needs no query of its own
        rows.append({"product": product, "face": face, "price_label": price_label(product)})
    return rows


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_only
def product_row(request: HtmxRequest, sku: str) -> HttpResponse:
    """One row of the list: as it is, as a form (``?edit``), and with POST what became of the form.

    422 where a field is wrong, 409 where somebody saved the product in between. Without htmx this is the edit page.
    """
    product = get_object_or_404(Product.objects.with_facts().with_photos_counted(), sku=sku)
    if not request.htmx:
        return redirect("product-edit", product.sku)
    if request.method == "POST":
        form, conflict = editing.save(RowForm, product, request.POST, auto_id=_ids(product))
        if conflict or form.errors:
            return _form_row(request, product, form, conflict, 409 if conflict else 422)
        product = Product.objects.with_facts().with_photos_counted().get(pk=product.pk)
    elif "edit" in request.GET:
        return _form_row(request, product, RowForm(instance=product, auto_id=_ids(product)))
    return render(request, "gallery/products/_row.html", {"row": rows_of([product])[0]})


def _form_row(
    request: HttpRequest, product: Product, form: RowForm, conflict: editing.Conflict | None = None, status: int = 200
) -> HttpResponse:
    context = {"row": rows_of([product])[0], "form": form, "conflict": conflict}
    return render(request, "gallery/products/_row_form.html", context, status=status)


def _ids(product: Product) -> str:
    """Several rows may be forms at once, beside the filters: their fields need names of their own."""
    return f"edit-{product.pk}-%s"
