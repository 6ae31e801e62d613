"""Recommendations, as a part of pages, and a search with a whole collection."""

import logging
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gallery import visibility
from gallery.models import Collection
from gallery.views.access import person, signed_in
from search.examples import MAX_EXAMPLES, Example
from search.models import Generation
from search.people.recommend import Recommendations, cover, recommendations
from search.query import Query
from search.results import card_of
from search.views.unavailable import NOT_ANSWERING, throttled

logger = logging.getLogger(__name__)


@require_safe
@never_cache
@throttled("search")
def recommended(request: HttpRequest) -> HttpResponse:
    """Strips of products for who asks; nothing where nothing is known, or while the engine does not answer."""
    generation = Generation.objects.live()
    found = Recommendations()
    if generation is not None:
        try:
            found = recommendations(request, generation)
        except NOT_ANSWERING as error:
            logger.warning("Nothing is recommended: %s", error)
    context = {
        "recommended": [card_of(image) for image in found.recommended],
        "because": found.because,
        "alike": [card_of(image) for image in found.alike],
    }
    return render(request, "search/_recommended.html", context)


@require_safe
@never_cache
@signed_in
def search_with_collection(request: HttpRequest, key: UUID) -> HttpResponse:
    """The results for a few pictures that stand for a whole collection."""
    collection = get_object_or_404(Collection.objects.of(person(request)), pk=key)
    who = visibility.of(request.user)
    items = collection.items.shown_to(who).exclude(shown_image=None)
    keys = list(items.values_list("shown_image", flat=True))
    generation = Generation.objects.live()
    chosen = cover(keys, who, generation, MAX_EXAMPLES) if generation else []
    # Where nothing is indexed yet the results page says so.
    examples = tuple(Example(one) for one in chosen or keys[:MAX_EXAMPLES])
    return redirect(Query(examples=examples).url()) if examples else redirect("collection", key)
