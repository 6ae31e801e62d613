"""Build another generation: choose, see what it would take, begin."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from gallery.reasons import stored
from gallery.views.access import staff_only
from search import generations
from search.engines import configured_name
from search.engines.base import EngineError
from search.generations import GenerationError
from search.reasons import ASKED_FOR
from search.views.index.forms import BuildForm
from search.views.index.words import duration


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_only
def build(request: HttpRequest) -> HttpResponse:
    """GET shows the choices, and the plan for those in the query string; POST begins what was planned."""
    if request.method == "POST":
        return _begin(request)
    if "encoder" not in request.GET:
        return _page(request, BuildForm.starting())
    form = BuildForm(request.GET)
    if not form.is_valid():
        return _page(request, form)
    try:
        plan = generations.plan(form.cleaned_data["encoder"])
    except GenerationError as error:
        form.add_error("encoder", str(error))
        return _page(request, form)
    return _page(request, form, plan)


def _begin(request: HttpRequest) -> HttpResponse:
    form = BuildForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    try:
        generation = generations.build(
            encoder=form.cleaned_data["encoder"],
            index=form.index_settings,
            promote_when_ready=form.cleaned_data["promote"],
            note=stored(ASKED_FOR, user=request.user.get_username()),
        )
    except GenerationError as error:
        form.add_error(None, str(error))
        return _page(request, form, status=400)
    except EngineError as error:
        form.add_error(None, str(error))
        return _page(request, form, status=503)
    messages.success(request, _("Generation %(number)d is being built.") % {"number": generation.pk})
    return redirect("index")


def _page(
    request: HttpRequest, form: BuildForm, plan: generations.BuildPlan | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "plan": plan,
        "stored": plan.images - plan.to_embed if plan else 0,
        "time": duration(plan.seconds) if plan and plan.seconds is not None else "",
        "is_embedded": configured_name() == "embedded",
    }
    return render(request, "search/index/build.html", context, status=status)
