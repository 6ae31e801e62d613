"""What the buttons do. Each answers with the page that it stands on, and a message of what became of it."""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from gallery.views.access import staff_only
from search import generations
from search.engines.base import EngineError
from search.generations import GenerationError
from search.models import Generation
from search.views.index.failed import retry_in_all, retry_reason


class Verb(NamedTuple):
    act: Callable[[Generation], None]
    done: Promise


def ask_to_reconcile(generation: Generation) -> None:
    """Leave word for the indexing loop: comparing may take minutes, and needs no person to wait for it.

    :raises GenerationError: for a generation that was dropped
    """
    if not Generation.objects.kept().filter(pk=generation.pk).update(reconcile_requested=True):
        raise GenerationError(_("Generation %(number)d was dropped.") % {"number": generation.pk})


VERBS = {
    "promote": Verb(generations.promote, gettext_lazy("Generation %(number)d answers searches now.")),
    "pause": Verb(generations.pause, gettext_lazy("Building generation %(number)d is paused.")),
    "resume": Verb(generations.resume, gettext_lazy("Generation %(number)d is being built again.")),
    "cancel": Verb(
        generations.cancel,
        gettext_lazy("Building generation %(number)d is given up. What was embedded for it is kept."),
    ),
    "drop": Verb(generations.drop, gettext_lazy("Generation %(number)d is dropped.")),
    "reconcile": Verb(
        ask_to_reconcile, gettext_lazy("The indexing loop compares generation %(number)d with the database next.")
    ),
}


@require_POST
@staff_only
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    if verb not in VERBS:
        raise Http404
    generation = get_object_or_404(Generation.objects.defer("projection_data", "scale_data"), pk=pk)
    try:
        VERBS[verb].act(generation)
    except (GenerationError, EngineError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, VERBS[verb].done % {"number": pk})
    return _back(request)


@require_POST
@staff_only
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try failed images again: one (``key``), those of a generation with one reason (``reason``), or all."""
    generation = get_object_or_404(Generation.objects.kept().defer("projection_data", "scale_data"), pk=pk)
    reason = request.POST.get("reason")
    if key := request.POST.get("key"):
        tried = retry_in_all([_uuid(key)])
    elif reason:
        tried = retry_reason(generation, reason)
    else:
        tried = retry_in_all()
    if tried:
        messages.success(request, _("The indexing loop tries again now."))
    else:
        messages.info(request, _("There was nothing left to try again."))
    return _back(request)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


def _back(request: HttpRequest) -> HttpResponse:
    """To the page that the button stands on. Only pages of the index, wherever a form may say."""
    index = reverse("index")
    page = request.POST.get("next", "")
    return HttpResponseRedirect(page if page.startswith(index) else index)
