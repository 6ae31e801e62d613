"""The evidence of a photo in the moderation queue: a fragment, and a page of its own without scripts."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gallery.models import Image
from gallery.moderation import shown
from gallery.views.access import HtmxRequest, moderators_only, person
from search.evidence import Evidence, evidence_of
from search.models import Generation
from search.pictures import embedding_of, with_embedding
from search.safety import looks_of
from search.views.unavailable import NOT_ANSWERING, sentence


@require_safe
@never_cache
@moderators_only
def evidence(request: HtmxRequest, key: UUID) -> HttpResponse:
    """Where the engine does not answer, the rest of the evidence is shown all the same."""
    by, generation = person(request), Generation.objects.live()
    images = Image.objects.with_people()
    image = get_object_or_404(with_embedding(images, generation.encoder) if generation else images, pk=key)
    error = ""
    try:
        found = evidence_of(image, embedding_of(image) if generation else None, by, generation)
    except NOT_ANSWERING as down:
        found, error = Evidence(), sentence(down)
    context = {"image": image, "evidence": found, "looks": looks_of(image), "error": error}
    if request.htmx:
        return render(request, "search/evidence/_evidence.html", context)
    context |= {"shown": shown(image, by), "product": image.product}
    return render(request, "search/evidence/page.html", context)
