"""A product's page: photos, facts, and a strip of similar products that the page loads from its own address."""

from urllib.parse import urlsplit

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from gallery import visibility
from gallery.models import Category, Image, Product
from gallery.prices import price_label


@require_safe
def product_page(request: HttpRequest, sku: str) -> HttpResponse:
    """A published product with an approved photo; anything for staff, moderators and uploaders of its photos."""
    who = visibility.behind_the_counter(request.user)
    photos = Image.objects.visible_to(who).order_by("position", "pk")
    if who.kind == "own":  # what was refused or taken back is under "My uploads" alone
        photos = photos.exclude(status__in=(Image.Status.REJECTED, Image.Status.WITHDRAWN))
    product = (
        Product.objects.visible_to(who)
        .with_facts()
        .prefetch_related(Prefetch("images", queryset=photos, to_attr="photos"))
        .filter(sku=sku)
        .first()
    )
    if product is None:
        # Only for who may see it: the SKU of a draft is nobody else's business.
        moved = Product.objects.visible_to(who).filter(redirects__old_sku=sku).first()
        if moved is None:
            raise Http404
        return redirect("product", sku=moved.sku, permanent=True)
    for image in product.photos:
        image.product = product  # its alternative text and visibility need no query of their own
    is_staff = who == visibility.moderation
    context = {
        "product": product,
        "images": product.photos,
        "breadcrumbs": _breadcrumbs(product),
        "price_label": price_label(product),
        "back_url": _back_url(request.GET.get("back", "")),
        "is_staff": is_staff,
        "image_states": [{"image": image, "status_label": image.get_status_display()} for image in product.photos]
        if is_staff
        else [],
        "index_states_url": reverse("index-states", args=[product.pk]) if is_staff else None,
        "similar_for": product.photos[0] if product.photos else None,
        "attributes": sorted(product.attributes.items()),
        "tags": [{"label": tag.name, "url": f"{reverse('search')}?tags={tag.slug}"} for tag in product.tags.all()],
    }
    return render(request, "gallery/product.html", context)


def _breadcrumbs(product: Product) -> list[dict[str, str]]:
    if product.category_id is None:
        return []
    path = Category.objects.tree().ancestors(product.category_id)
    return [{"label": step.label, "url": f"{reverse('search')}?category={step.pk}"} for step in path]


def _back_url(address: str) -> str | None:
    """Only our own results page: anything else would make us send people wherever a link says."""
    if not address.startswith(reverse("search")):
        return None
    parts = urlsplit(address)
    return reverse("search") + (f"?{parts.query}" if parts.query else "")
