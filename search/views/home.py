"""The home page: one field, sample photos, categories with a photo each, newest products."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gallery import visibility
from gallery.models import Category, Image, Product
from gallery.models.categories import CategoryTree
from gallery.visibility import Visibility
from search.indexing.coverage import live_progress
from search.people.recommend import has_any
from search.query import Query
from search.results import Card, card_of
from search.samples import samples

NEWEST = 12


@dataclass(frozen=True)
class CategoryCard:
    category: Category
    image: Image
    url: str


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return home_page(request)


def home_page(
    request: HttpRequest, kept: Query | None = None, error: str | None = None, status: int = 200
) -> HttpResponse:
    """The home page, with what was wrong with a photo that was sent without a script, and the query kept with it."""
    query = kept or Query()
    who = visibility.of_request(request)
    context = {
        "samples": samples(),
        "categories": category_cards(who),
        "newest": newest_cards(who),
        "progress": live_progress(),
        "recommends": has_any(request),
        "query": query,
        "text": query.text,
        "query_string": query.canonical,
        "hidden_fields": query.hidden_fields("q", "weaker"),
        "error": error,
    }
    return render(request, "search/home.html", context, status=status)


def category_cards(who: Visibility) -> list[CategoryCard]:
    """The categories at the top of the tree that have something to show."""
    # Any photo of the category will do: the first or the best would have to sort all of them.
    photo = Image.objects.visible_to(who).filter(product__category=OuterRef("pk")).order_by().values("pk")[:1]
    tree = CategoryTree(Category.objects.annotate(photo=Subquery(photo)))
    chosen: dict[int, tuple[Category, UUID]] = {}
    for category in tree.by_id.values():
        key = getattr(category, "photo", None)  # annotated above
        top = _top(tree, category)
        if key and (top.pk == category.pk or top.pk not in chosen):
            chosen[top.pk] = (top, key)
    images = Image.objects.visible_to(who).select_related("product").in_bulk([photo for _top, photo in chosen.values()])
    order = {pk: place for place, pk in enumerate(tree.by_id)}
    return [
        CategoryCard(category, images[photo], Query(category=(str(category.pk),)).url())
        for category, photo in sorted(chosen.values(), key=lambda pair: order[pair[0].pk])
        if photo in images
    ]


def _top(tree: CategoryTree, category: Category) -> Category:
    """The category's ancestor on the highest level that offers a choice: a lone root is passed over."""
    path = tree.ancestors(category.pk)
    roots = [one for one in tree.by_id.values() if one.parent_id is None]
    return path[1] if len(roots) == 1 and len(path) > 1 else path[0]


def newest_cards(who: Visibility) -> list[Card]:
    """The products that came last, each with its first photo."""
    images = Image.objects.visible_to(who)
    products = Product.objects.filter(Exists(images.filter(product=OuterRef("pk")))).order_by("-created_at", "-pk")
    newest = list(products.values_list("pk", flat=True)[:NEWEST])
    first: dict[object, Image] = {}
    for image in images.filter(product__in=newest).select_related("product__brand"):
        first.setdefault(image.product_id, image)
    return [card_of(first[pk]) for pk in newest if pk in first]
