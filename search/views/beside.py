"""What results pages load beside their results: a product's other photos, and what dropped filters find."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gallery import visibility
from search import hydrate, pictures
from search.ask import Found, ask
from search.models import Generation
from search.query import Query
from search.recognition import chips, word_for
from search.relaxing import SHOWN, relaxed
from search.results import card_of, cards_of
from search.slices import Hit
from search.views.unavailable import says_when_down, throttled

PRODUCT = "product"  # the parameter that names the product a fragment is about


@dataclass(frozen=True)
class Asked:
    """The query that a fragment belongs to, as the results page asked it."""

    query: Query
    who: visibility.Visibility
    generation: Generation | None
    pictures: tuple[pictures.Picture, ...]

    @classmethod
    def by(cls, request: HttpRequest, data: QueryDict | None = None) -> "Asked":
        query, _notes = Query.from_querydict(request.GET if data is None else data)
        generation = Generation.objects.live()
        query, found, _missing = pictures.find(query, request, generation)
        return cls(query, visibility.of_request(request), generation, found)

    def found(self, query: Query | None = None, **options: Any) -> Found:
        return ask(query or self.query, self.who, self.generation, self.pictures, **options)


def product_of(request: HttpRequest) -> str:
    try:
        return str(UUID(request.GET.get(PRODUCT, "")))
    except ValueError as error:
        raise Http404 from error


@require_safe
@never_cache
@throttled("search")
@says_when_down
def photos_of(request: HttpRequest) -> HttpResponse:
    """All photos of one product that match, best first."""
    product, asked = product_of(request), Asked.by(request)
    found = asked.found(asked.query.with_(group="products"), size=settings.SEARCH_WINDOW, facets=False)
    best = next((hit for hit in found.hits if hit.product == product), None)
    if best is None:
        raise Http404
    hits = [Hit(key, product) for key in best.photos]
    pairs = hydrate.admitted(hits, hydrate.images_of(hits, asked.who))
    return render(request, "search/_photos_of.html", {"cards": [card_of(image, asked.query) for _hit, image in pairs]})


@require_safe
@never_cache
@throttled("search")
@says_when_down
def without(request: HttpRequest) -> HttpResponse:
    """A section for every filter of a narrow search: what it would find without that one."""
    asked = Asked.by(request)
    strict = asked.found(asked.query.with_(weaker=False), size=settings.SEARCH_WINDOW, facets=False)
    products = [hit.product for hit in strict.hits]
    sections = [
        {"label": one.label, "url": one.query.url(), "total": one.total_label, "cards": cards}
        for one in relaxed(strict.query, asked.who, asked.generation, asked.pictures, products, strict.names)
        if (cards := [card for _hit, card in cards_of(one.found, asked.who, one.hits)])
    ]
    named = _named(asked) if not strict.total and not asked.query.text else None
    return render(request, "search/_without.html", {"sections": sections, "named": named})


def _named(asked: Asked) -> dict[str, Any] | None:
    """What the first name of the photo finds, for a photo that nothing resembles."""
    stored = next((picture.labels for picture in asked.pictures if picture.photo and picture.labels), None)
    for label in chips(stored, limit=1):
        query = asked.query.without("pictures").with_(text=word_for(label.code))
        found = ask(query, asked.who, asked.generation, size=SHOWN, facets=False)
        cards = [card for _hit, card in cards_of(found, asked.who)]
        return {"word": label.name, "total": found.total, "cards": cards, "url": query.url()}
    return None
