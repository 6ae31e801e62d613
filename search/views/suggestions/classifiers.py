"""The classifiers side by side, as they did on products that were held out; which one suggests; training."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from gallery import jobs
from gallery.models import Job
from gallery.views.access import person, staff_only
from search.classification import forest
from search.classification.samples import LEAST_CATEGORIES, LEAST_PRODUCTS, TooFewLabels, snapshot, without_category
from search.classification.training import JOB
from search.classification.words import too_few
from search.models import Classifier, Generation, SuggestionSetting
from search.views.index.words import age, percent
from search.views.suggestions.mislabelled import open_doubts


@dataclass(frozen=True)
class Line:
    """One classifier of the table; figures are words, a dash where it was not measured."""

    kind: str
    label: str
    trained: Classifier | None
    is_chosen: bool

    @property
    def can_suggest(self) -> bool:
        return self.trained is not None or self.kind == Classifier.Kind.NEIGHBOURS

    @property
    def figures(self) -> list[str]:
        of = self.trained.figures if self.trained else {}
        return [percent(of.get(name)) for name in ("top1", "top3", "macro_f1", "calibration_error")]

    @property
    def photos(self) -> str:
        return number_format(self.trained.figures["n"], use_l10n=True, force_grouping=True) if self.trained else "–"

    @property
    def age(self) -> str:
        return age(self.trained.trained_at) if self.trained else ""


@require_safe
@never_cache
@staff_only
def classifiers(request: HttpRequest) -> HttpResponse:
    generation = Generation.objects.live()
    trained = {one.kind: one for one in Classifier.objects.of(generation)} if generation else {}
    chosen, labels = SuggestionSetting.chosen(), snapshot()
    enough = [category for category, products in labels.items() if products >= LEAST_PRODUCTS]
    few = TooFewLabels(len(enough), sum(labels.values())) if len(enough) < LEAST_CATEGORIES else None
    context = {
        "here": "classifiers",
        "waiting": without_category().count(),
        "doubted": open_doubts().count(),
        "generation": generation,
        "lines": [
            Line(kind, str(Classifier.Kind(kind).label), trained.get(kind), kind == chosen)
            for kind in Classifier.Kind.values
        ],
        "is_trained": bool(trained),
        "moved_on": any(one.labels != labels for one in trained.values()),
        "too_few": too_few(few) if few else "",
        "takes_hours": len(enough) >= forest.SLOW_CATEGORIES,
        "training": _training(),
        "failed": Job.objects.failure(JOB, max((one.trained_at for one in trained.values()), default=None)),
    }
    return render(request, "search/suggestions/classifiers.html", context)


@require_safe
@never_cache
@staff_only
def progress(request: HttpRequest) -> HttpResponse:
    """How far the training is; once it has ended, the figures of the whole page are out of date."""
    training = _training()
    if training is None:
        return HttpResponseClientRefresh()
    return render(request, "search/suggestions/_training.html", {"training": training})


@require_POST
@staff_only
def start_training(request: HttpRequest) -> HttpResponse:
    if jobs.start_alone(JOB, person(request)) is None:
        messages.info(request, _("They are being trained already."))
    return redirect("suggestions-classifiers")


@require_POST
@staff_only
def choose(request: HttpRequest) -> HttpResponse:
    kind = request.POST.get("kind", "")
    if kind not in Classifier.Kind.values:
        raise Http404
    SuggestionSetting.choose(kind, person(request))
    messages.success(request, _("%(classifier)s suggests from now on.") % {"classifier": Classifier.Kind(kind).label})
    return redirect("suggestions-classifiers")


def _training() -> Job | None:
    return Job.objects.unfinished().filter(kind=JOB).first()
