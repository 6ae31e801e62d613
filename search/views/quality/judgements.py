"""The buttons of a result's card with which staff say whether it is a good one."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gallery import visibility
from gallery.models import Image
from gallery.views.access import HtmxRequest, came_from, person, staff_only
from search.quality.judging import Judging, NotJudged, judge, judged_query, take_back
from search.query import Query

_GOOD = {"good": True, "bad": False}


@require_POST
@staff_only
def judgement(request: HtmxRequest, key: UUID) -> HttpResponse:
    """``verdict`` is good or bad, of this image as a result of ``query``; with ``remove`` it is taken back."""
    user = person(request)
    image = get_object_or_404(Image.objects.visible_to(visibility.of(user)).select_related("product"), pk=key)
    query, _notes = Query.from_querydict(QueryDict(request.POST.get("query", "").lstrip("?")))
    verdict = _GOOD.get(request.POST.get("verdict", ""))
    if verdict is None:
        raise Http404
    remove, trouble = "remove" in request.POST, ""
    try:
        if remove:
            take_back(query, image, user)
        else:
            judge(query, image, user, verdict)
    except NotJudged as error:
        trouble = str(error)
    back = came_from(request, query.url())
    if not request.htmx:
        (messages.error if trouble else messages.success)(request, trouble or _said(image, verdict, remove))
        return redirect(back)
    image.judged_good = None if trouble or remove else verdict  # type: ignore[attr-defined]  # as with_verdicts has it
    judging = Judging(user, "" if trouble else judged_query(query), back, trouble)
    return render(request, "search/_judge.html", {"judging": judging, "image": image, "is_answer": True})


def _said(image: Image, good: bool, removed: bool) -> str:
    title = {"title": image.product.label}
    if removed:
        return _("What you said of “%(title)s” is taken back.") % title
    return (_("“%(title)s” is a good result here.") if good else _("“%(title)s” is a bad result here.")) % title
