"""Parts of pages that load by themselves: the strip of similar products, and the progress of indexing."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gallery import visibility
from gallery.models import Image
from search import pictures
from search.ask import Found, ask
from search.indexing.coverage import live_progress, states_of
from search.models import Generation
from search.query import Query
from search.results import cards_of
from search.views.unavailable import NOT_ANSWERING, sentence, throttled

STRIP = 8  # cards


@require_safe
@never_cache
@throttled("search")
def similar(request: HttpRequest, key: UUID) -> HttpResponse:
    """Products that look like this image, other than its own; ``w`` weighs what counts as alike.

    Staff see it for hidden images too.
    """
    who = visibility.behind_the_counter(request.user)
    generation = Generation.objects.live()
    picture = pictures.of_image(key, who, generation)
    if picture is None or picture.image is None:
        raise Http404
    try:
        # One more than fits: the product itself is in the window wherever it has a second photo.
        weighed, _notes = Query.from_querydict(request.GET)
        query = Query.like(key).with_(weights=weighed.weights)
        found = ask(query, who, generation, [picture], size=STRIP + 1, facets=False)
    except NOT_ANSWERING as error:
        # The strip is part of a page that works without it, so it answers in its own place.
        return render(request, "search/_similar.html", {"cards": [], "error": sentence(error)})
    own = str(picture.image.product_id)
    cards = [card for hit, card in cards_of(found, who) if hit.product != own][:STRIP]
    return render(request, "search/_similar.html", {"cards": cards, "error": None if cards else _why_empty(found)})


def _why_empty(found: Found) -> str:
    return found.notes[0] if found.notes else _("Nothing in the catalogue looks similar.")


@require_safe
@never_cache
def index_states(request: HttpRequest, product: UUID) -> HttpResponse:
    """For staff, beside a product: where each of its photos is on its way into the index, and why it is not there."""
    who = visibility.behind_the_counter(request.user)
    if who != visibility.moderation:
        raise Http404
    keys = Image.objects.filter(product=product).order_by("position", "pk").primary_keys()
    # Staff can ask two generations with it; comparing is not for moderators.
    staff = request.user.is_authenticated and request.user.is_catalogue_staff
    compare_with = keys[0] if keys and staff else None
    return render(request, "search/_index_states.html", {"states": states_of(keys), "compare_with": compare_with})


@require_safe
@never_cache
def progress(request: HttpRequest) -> HttpResponse:
    return render(request, "search/_progress.html", {"progress": live_progress()})
