"""What one photo suggests, wherever it is shown: a fragment for staff and moderators, and its buttons."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gallery.models import Category, Image, Product
from gallery.models.products import ProductTag
from gallery.views.access import came_from, staff_or_moderators
from search.classification import accepting
from search.classification.suggesting import neighbours_of, suggest
from search.views.unavailable import NOT_ANSWERING, sentence

PANEL = "search/suggestions/_panel.html"
_NEAR = 4  # neighbours beside a doubted product


@require_safe
@never_cache
@staff_or_moderators
def suggestion(request: HttpRequest, key: UUID) -> HttpResponse:
    """The panel; a page of its own where it is not asked for as a fragment."""
    template = PANEL if getattr(request, "htmx", False) else "search/suggestions/one.html"
    return render(request, template, panel_of(_image(key)))


@require_safe
@never_cache
@staff_or_moderators
def near(request: HttpRequest, key: UUID) -> HttpResponse:
    """The nearest products with their categories, to compare a photo with."""
    try:
        context: dict[str, Any] = {"neighbours": neighbours_of(_image(key), _NEAR)}
    except NOT_ANSWERING as error:
        context = {"neighbours": [], "error": sentence(error)}
    return render(request, "search/suggestions/_near.html", context)


@require_POST
@staff_or_moderators
def accept_category(request: HttpRequest, key: UUID) -> HttpResponse:
    image = _image(key)
    category = get_object_or_404(Category, pk=number(request, "category"))
    try:
        accepting.put_into(image.product_id, category, number(request, "revision"))
    except accepting.Edited:
        return _answer(request, key, error=edited(image.product))
    done = _("%(sku)s is in “%(category)s” now.") % {"sku": image.product.sku, "category": category.label}
    return _answer(request, key, done=done)


@require_POST
@staff_or_moderators
def accept_tags(request: HttpRequest, key: UUID) -> HttpResponse:
    image = _image(key)
    keys = [int(text) for text in request.POST.getlist("tag") if _is_number(text)]
    tags = list(ProductTag.objects.filter(pk__in=keys).order_by("name"))
    if not tags:
        raise Http404
    try:
        accepting.add_tags(image.product_id, tags, number(request, "revision"))
    except accepting.Edited:
        return _answer(request, key, error=edited(image.product))
    done = ngettext("%(n)d tag was added.", "%(n)d tags were added.", len(tags)) % {"n": len(tags)}
    return _answer(request, key, done=done)


def panel_of(image: Image, **more: Any) -> dict[str, Any]:
    """The template's context. An engine that does not answer is said in the panel's own place."""
    context: dict[str, Any] = {"image": image, "product": image.product} | more
    try:
        found = suggest(image)
    except NOT_ANSWERING as error:
        return context | {"error": sentence(error)}
    own = image.product.category_id
    first = next(iter(found.categories), None)
    agrees = first is not None and first.category.pk == own
    guesses = [] if agrees else [one for one in found.categories if one.category.pk != own]
    return context | {"found": found, "agrees": agrees, "guesses": guesses, "first": first}


def edited(product: Product) -> str:
    return _("%(sku)s was edited by somebody meanwhile, so nothing was changed. Look again.") % {"sku": product.sku}


def number(request: HttpRequest, name: str) -> int:
    """A number that one of our forms sends."""
    text = request.POST.get(name, "")
    if not _is_number(text):
        raise Http404
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 9


def _image(key: UUID) -> Image:
    return get_object_or_404(Image.objects.with_product(), pk=key)


def _answer(request: HttpRequest, key: UUID, done: str = "", error: str = "") -> HttpResponse:
    """The panel as it is now; to a form without scripts, or of a queue, the page that it leads to."""
    image = _image(key)
    if getattr(request, "htmx", False):
        return render(request, PANEL, panel_of(image, done=done, failed=error))
    if error:
        messages.error(request, error)
    else:
        messages.success(request, done)
    return redirect(came_from(request, image.product.get_absolute_url()))
