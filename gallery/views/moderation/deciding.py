"""Decisions and their undo: JSON for scripts, whose page goes on; without scripts they lead to the next photo."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from gallery.models import Decision, Image
from gallery.models.moderation import Refused
from gallery.moderation import State
from gallery.views.access import came_from, moderators_only, person
from gallery.views.moderation import queue
from gallery.views.moderation.forms import SKIP, DecisionForm


@require_POST
@moderators_only
def decide(request: HttpRequest, key: UUID) -> HttpResponse:
    """Decide on one photo, and on the look-alikes that were chosen with it.

    409 where another moderator was quicker, 422 for what is no decision; nothing is changed then.
    """
    image = Image.objects.filter(pk=key).first()
    if image is None:
        return _refused(request, _("This photo has been deleted meanwhile. Nothing was changed."), 409)
    form = DecisionForm(image, request.POST)
    if not form.is_valid():
        words = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return _refused(request, words, 422, back_to=image)
    asked = form.asked()
    if asked.verb == SKIP:
        queue.skip(request, key)
        return _done(request, "")
    try:
        made = Decision.objects.make(
            asked.verb,
            asked.revisions,
            person(request),
            reason=asked.reason,
            fault=asked.fault,
            reported=asked.reported,
        )
    except Refused as error:
        return _refused(request, str(error), 409)
    return _done(request, _sentence(made, image))


@require_POST
@moderators_only
def undo(request: HttpRequest) -> HttpResponse:
    """Take the moderator's last decision back, and show the photo again."""
    by = person(request)
    try:
        batch = Decision.objects.undo_last(by)
    except Refused as error:
        return _refused(request, str(error), 409)
    # The first that was decided on is the one that was looked at; its look-alikes went along.
    image = get_object_or_404(Image.objects.with_people(), pk=batch[0].image_id)
    said = ngettext("Undone: “%(photo)s”", "Undone: “%(photo)s” and the photos with it", len(batch)) % {"photo": image}
    if not _is_script(request):
        messages.success(request, said)
        return redirect("moderation-one", key=image.pk)
    return queue.answered(by, said=said, key=str(image.pk), html=queue.judged(request, image, by))


def _done(request: HttpRequest, said: str) -> HttpResponse:
    if _is_script(request):
        return queue.answered(person(request), said=said)
    if said:
        messages.success(request, said)
    return redirect(_next_page(request))


def _next_page(request: HttpRequest) -> str:
    """Back to the list that the photo was opened from; from the queue itself, to the next photo."""
    state = request.POST.get("state", "")
    listed = state in State.values and state != State.PENDING
    return came_from(request, f"/moderation/?state={state}" if listed else "/moderation/")


def _refused(request: HttpRequest, words: str, status: int, back_to: Image | None = None) -> HttpResponse:
    if _is_script(request):
        return JsonResponse({"error": words}, status=status)
    messages.error(request, words)
    return redirect("moderation-one", key=back_to.pk) if back_to else redirect(_next_page(request))


def _sentence(made: list[Decision], image: Image) -> str:
    """“Rejected: dress.jpg” and how many with it."""
    verb = Decision.Verb(made[0].verb).label
    also = len(made) - 1
    if not also:
        return f"{verb}: {image}"
    words = ngettext("%(verb)s: %(photo)s and %(n)d look-alike", "%(verb)s: %(photo)s and %(n)d look-alikes", also)
    return words % {"verb": verb, "photo": image, "n": also}


def _is_script(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
