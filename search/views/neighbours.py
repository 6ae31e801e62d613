"""The hits before and after a product, in the results that its page was opened from."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gallery.models import Product
from search.people.ordering import taste_of
from search.query import Query
from search.views.beside import Asked, product_of
from search.views.results import arranged_by
from search.views.unavailable import says_when_down, throttled

Place = tuple[str, Query]  # a product, and the results page that it stands on
_LOOKED_AT = 10  # hits on either side, of which the index may not know yet that they are hidden


@require_safe
@never_cache
@throttled("search")
@says_when_down
def neighbours(request: HttpRequest) -> HttpResponse:
    """The nearest hits before and after ``product`` that the asker may see, in the results that ``back`` leads to."""
    product = product_of(request)
    asked = Asked.by(request, QueryDict(request.GET.get("back", "").partition("?")[2]))
    ranking = _window(request, asked) if asked.pictures and asked.generation else _pages(asked, product)
    products = [key for key, _query in ranking]
    if product not in products:
        return HttpResponse()
    place = products.index(product)
    before, after = ranking[max(0, place - _LOOKED_AT) : place][::-1], ranking[place + 1 :][:_LOOKED_AT]
    visible = Product.objects.visible_to(asked.who).in_bulk([key for key, _query in (*before, *after)])
    by_key = {str(key): one for key, one in visible.items()}
    context = {
        name: next(((by_key[key], query.url()) for key, query in side if key in by_key), None)
        for name, side in (("previous", before), ("next", after))
    }
    return render(request, "search/_neighbours.html", context)


def _window(request: HttpRequest, asked: Asked) -> list[Place]:
    """A picture ranks one window: all products of it, whatever the results were grouped by."""
    query = asked.query.with_(group="products")
    taste = taste_of(request.user, asked.generation) if asked.generation else None
    found = asked.found(query, size=settings.SEARCH_WINDOW, arrange=arranged_by(taste, query), facets=False)
    # Pages of photos begin elsewhere: from there the way back is to the first page.
    by_page = asked.query.group == "products"
    return [
        (hit.product, asked.query.with_(page=1 + n // settings.SEARCH_PAGE_SIZE if by_page else 1))
        for n, hit in enumerate(found.hits)
    ]


def _pages(asked: Asked, product: str) -> list[Place]:
    """A list is walked through page by page: the page of the product, and the next one where it stands at an edge."""
    page = asked.query.page
    places = _page(asked, page)
    keys = [key for key, _query in places]
    if product in keys[:1] and page > 1:
        places = _page(asked, page - 1) + places
    if product in keys[-1:]:
        places = places + _page(asked, page + 1)
    return places


def _page(asked: Asked, number: int) -> list[Place]:
    query = asked.query.with_(page=number)
    return [(hit.product, query) for hit in asked.found(query, facets=False).hits]
