"""Collections: their pages, and the button that saves a product from wherever it is shown."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery import visibility
from gallery.models import Collection, CollectionItem, Image, User
from gallery.models.collections import NAME_LENGTH, TooMany
from gallery.prices import price_label
from gallery.views.access import HtmxRequest, came_from, person, signed_in

PAGE_SIZE = 48
_FACES = 4  # photos that stand for a collection

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


class NameForm(forms.Form):
    name = forms.CharField(max_length=NAME_LENGTH)


def saving(user: User, image: Image) -> dict[str, object]:
    """What the button that saves a product shows: all collections, and the one that a click would take it out of."""
    choices = Collection.objects.choices(user, image)
    saved_in = next((one for one in choices if one.is_default and getattr(one, "contains", False)), None)
    return {"image": image, "choices": choices, "saved_in": saved_in}


@get_or_post
@never_cache
@signed_in
def collections_page(request: HttpRequest) -> HttpResponse:
    """All collections of the person; a POST makes one, ``name``."""
    user = person(request)
    if request.method == "POST":
        made = _start(request, user, request.POST.get("name", ""))
        return redirect("collection", made.pk) if made else redirect("collections")
    collections = list(Collection.objects.of(user).with_sizes())
    faces = _faces(collections, user)
    context = {
        "collections": [{"collection": one, "faces": faces.get(one.pk, [])} for one in collections],
        "deleted": Collection.objects.restorable(user).with_sizes(),
    }
    return render(request, "gallery/collections.html", context)


def _faces(collections: list[Collection], user: User) -> dict[UUID, list[Image]]:
    """Collection → the photos of what was saved last, in two queries for all."""
    newest = CollectionItem.objects.filter(collection__in=collections).newest_of_each(_FACES)
    places = list(newest.shown_to(visibility.of(user)).values_list("collection", "shown_image"))
    images = Image.objects.select_related("product").in_bulk([key for _collection, key in places if key])
    faces: dict[UUID, list[Image]] = {}
    for collection, key in places:
        if key in images:
            faces.setdefault(collection, []).append(images[key])
    return faces


@get_or_post
@never_cache
@signed_in
def collection_page(request: HttpRequest, key: UUID) -> HttpResponse:
    """The products of one collection, the last one saved first; a POST renames it, ``name``."""
    user = person(request)
    collection = get_object_or_404(Collection.objects.of(user), pk=key)
    if request.method == "POST":
        _rename(request, collection)
        return redirect("collection", key)
    items = collection.items.shown_to(visibility.of(user))
    page = Paginator(items.exclude(shown_image=None), PAGE_SIZE).get_page(request.GET.get("page"))
    images = Image.objects.select_related("product__brand").in_bulk([item.shown_image for item in page])
    context = {
        "collection": collection,
        "page": page,
        "tiles": [_tile(images[item.shown_image]) for item in page if item.shown_image in images],
        "gone": items.filter(shown_image=None).count(),
    }
    return render(request, "gallery/collection.html", context)


def _tile(image: Image) -> dict[str, object]:
    return {"image": image, "product": image.product, "price_label": price_label(image.product)}


def _start(request: HttpRequest, user: User, name: str) -> Collection | None:
    """A new collection, or None and a message that says why not."""
    form = NameForm({"name": name})
    if not form.is_valid():
        messages.error(request, _("A collection needs a name of 1 to %(n)d characters.") % {"n": NAME_LENGTH})
        return None
    try:
        return Collection.objects.start(user, form.cleaned_data["name"])
    except TooMany as error:
        messages.error(request, str(error))
    except IntegrityError:
        messages.error(request, _name_taken(form.cleaned_data["name"]))
    return None


def _rename(request: HttpRequest, collection: Collection) -> None:
    form = NameForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("A collection needs a name of 1 to %(n)d characters.") % {"n": NAME_LENGTH})
        return
    try:
        collection.rename(form.cleaned_data["name"])
    except IntegrityError:
        messages.error(request, _name_taken(form.cleaned_data["name"]))


def _name_taken(name: str) -> str:
    return _("You already have a collection “%(name)s”. Choose another name.") % {"name": name}


@require_POST
@signed_in
def delete_collection(request: HttpRequest, key: UUID) -> HttpResponse:
    """Delete a collection; for a day it can be restored from the page of all collections."""
    get_object_or_404(Collection.objects.of(person(request)), pk=key).discard()
    return redirect("collections")


@require_POST
@signed_in
def restore_collection(request: HttpRequest, key: UUID) -> HttpResponse:
    collection = get_object_or_404(Collection.objects.restorable(person(request)), pk=key)
    try:
        collection.restore()
    except TooMany as error:
        messages.error(request, str(error))
        return redirect("collections")
    return redirect("collection", key)


@require_safe
@never_cache
@signed_in
def save_menu(request: HttpRequest, key: UUID) -> HttpResponse:
    """What the menu of a card says of saving: whether the product is among what is saved."""
    return _menu(request, _visible_image(request, key))


@require_POST
@signed_in
def save(request: HtmxRequest, key: UUID) -> HttpResponse:
    """Put a product into a collection, or with ``remove`` take it out.

    ``collection`` names which one, ``new`` makes one of this name; else it is the one that saving goes to. ``place``
    is where the button stands, and so what of the page is answered: ``menu`` of a card, ``tile`` of a collection's
    page, or beside the product.
    """
    user, image = person(request), _visible_image(request, key)
    collection = _chosen(request, user)
    trouble = ""
    if collection is not None and "remove" in request.POST:
        collection.remove(image)
    elif collection is not None:
        try:
            collection.add(image)
        except TooMany as error:
            trouble = str(error)
    place = request.POST.get("place", "")
    if not request.htmx:
        if trouble:
            messages.error(request, trouble)
        return redirect(came_from(request, image.product.get_absolute_url()))
    if place == "menu":
        return _menu(request, image, trouble)
    if place == "tile" and collection is not None:
        context = _tile(image) | {"collection": collection, "removed": "remove" in request.POST}
        return render(request, "gallery/_collection_tile.html", context)
    said = [str(message) for message in messages.get_messages(request)]
    context = saving(user, image) | {
        "is_open": "collection" in request.POST or "new" in request.POST,
        "trouble": trouble or " ".join(said),
    }
    return render(request, "gallery/_save.html", context)


def _chosen(request: HttpRequest, user: User) -> Collection | None:
    """The collection that the form means; None where a new one could not be made."""
    if "new" in request.POST:
        return _start(request, user, request.POST["new"])
    if named := request.POST.get("collection"):
        try:
            key = UUID(named)
        except ValueError:
            key = UUID(int=0)  # no collection has it
        return get_object_or_404(Collection.objects.of(user), pk=key)
    return Collection.objects.default_of(user)


def _menu(request: HttpRequest, image: Image, trouble: str = "") -> HttpResponse:
    user = person(request)
    saved = CollectionItem.objects.filter(
        collection__in=Collection.objects.of(user).filter(is_default=True), product=image.product_id
    ).exists()
    context = {"image": image, "is_known": True, "is_saved": saved, "trouble": trouble}
    return render(request, "gallery/_save_menu.html", context)


def _visible_image(request: HttpRequest, key: UUID) -> Image:
    images = Image.objects.visible_to(visibility.of(request.user)).select_related("product__brand")
    return get_object_or_404(images, pk=key)
