"""The queue: one pending photo at a time, and the other states as contact sheets."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gallery.models import Claim, Decision, Image, User
from gallery.moderation import State, counts, offered, shown
from gallery.views.access import moderators_only, person

PAGE_SIZE = 48
AHEAD = 2  # photos that a page loads before they are asked for
_MOST_SKIPPED = 500
_SKIPPED = "moderation_skipped"  # of the session


@require_safe
@never_cache
@moderators_only
def queue(request: HttpRequest) -> HttpResponse:
    """The next pending photo, or with ``state`` all photos in another state."""
    state = request.GET.get("state", "")
    if state == State.REPORTED:
        return redirect("moderation-reports")
    if state in State.values and state != State.PENDING:
        return _sheet(request, State(state))
    by = person(request)
    passed_over = skipped(request)
    images = offered(by, passed_over)
    waiting = Image.objects.pending().filter(pk__in=passed_over).count() if passed_over and not images else 0
    return _page(request, images[0] if images else None, State.PENDING, skipped=waiting)


@require_safe
@never_cache
@moderators_only
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """One photo in whatever state, to decide on."""
    image = get_object_or_404(Image.objects.with_people(), pk=key)
    if image.status == Image.Status.PENDING:
        Claim.objects.take([key], person(request))
    return _page(request, image, request.GET.get("state", ""))


@require_safe
@never_cache
@moderators_only
def ahead(request: HttpRequest) -> HttpResponse:
    """The photos that come next, for a page that shows them without waiting; ``have`` names those that it has."""
    by = person(request)
    images = offered(by, [*skipped(request), *_keys(request.GET.getlist("have"))], AHEAD)
    return HttpResponse("".join(judged(request, image, by) for image in images))


@require_POST
@moderators_only
def renew(request: HttpRequest) -> HttpResponse:
    """Go on claiming the photos that a page shows: ``have``."""
    keys = _keys(request.POST.getlist("have"))
    Claim.objects.take(list(Image.objects.pending().filter(pk__in=keys).values_list("pk", flat=True)), person(request))
    return HttpResponse(status=204)


@require_POST
@moderators_only
def look_again(request: HttpRequest) -> HttpResponse:
    """Offer the photos again that were skipped."""
    request.session.pop(_SKIPPED, None)
    return redirect("moderation")


def skip(request: HttpRequest, key: UUID) -> None:
    """Offer this photo to others, and to this moderator only when asked for."""
    Claim.objects.release([key], person(request))
    kept = [text for text in request.session.get(_SKIPPED, []) if text != str(key)]
    request.session[_SKIPPED] = [*kept, str(key)][-_MOST_SKIPPED:]


def skipped(request: HttpRequest) -> list[UUID]:
    return _keys(request.session.get(_SKIPPED, []))


def judged(request: HttpRequest, image: Image, by: User, **more: Any) -> str:
    """One photo with its evidence and its buttons, as HTML."""
    context = {"shown": shown(image, by), "image": image, "product": image.product, **more}
    return render_to_string("gallery/moderation/_judge.html", context, request)


def said_after(by: User) -> dict[str, Any]:
    """What a page that goes on shows after a decision."""
    return {"counts": counts(), "can_undo": Decision.objects.undoable(by).exists()}


def answered(by: User, **more: Any) -> JsonResponse:
    return JsonResponse(said_after(by) | more)


def _page(request: HttpRequest, image: Image | None, state: str, **more: Any) -> HttpResponse:
    by = person(request)
    context = frame(by, state) | {"image": image, **more}
    if image is not None:
        context |= {"shown": shown(image, by), "product": image.product}
    return render(request, "gallery/moderation/queue.html", context)


def _sheet(request: HttpRequest, state: State) -> HttpResponse:
    newest = state.images.select_related("product", "moderated_by").order_by("-moderated_at", "-pk")
    page = Paginator(newest, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "gallery/moderation/sheet.html", frame(person(request), state) | {"page": page})


def frame(by: User, state: str) -> dict[str, Any]:
    """What stands above every page of moderation."""
    numbers = counts()
    return {
        "state": state,
        "states": [{"code": one.value, "label": one.label, "count": numbers[one]} for one in State],
        "can_undo": Decision.objects.undoable(by).exists(),
    }


def _keys(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
