"""Long work in view: a person's jobs, how far each is, and a button that cancels it."""

from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gallery.models import Job
from gallery.views.access import came_from, person, staff_or_moderators

_SHOWN = 50


@require_safe
@never_cache
@staff_or_moderators
def jobs_page(request: HttpRequest) -> HttpResponse:
    return render(request, "gallery/jobs.html", {"jobs": Job.objects.visible_to(person(request))[:_SHOWN]})


@require_safe
@never_cache
@staff_or_moderators
def job_page(request: HttpRequest, key: UUID) -> HttpResponse:
    """One job; to htmx, its progress alone."""
    template = "gallery/_job.html" if getattr(request, "htmx", False) else "gallery/job.html"
    return render(request, template, {"job": _job(request, key)})


@require_POST
@staff_or_moderators
def cancel_job(request: HttpRequest, key: UUID) -> HttpResponse:
    job = _job(request, key)
    job.request_cancel()
    return redirect(came_from(request, reverse("job", args=[job.pk])))


@require_safe
@never_cache
@staff_or_moderators
def job_report(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """The file that a job left, to be downloaded."""
    job = _job(request, key)
    if not job.report:
        raise Http404
    ending = str(job.report.name).rpartition(".")[2]
    try:
        file = job.report.open("rb")
    except FileNotFoundError as error:  # lost from storage
        raise Http404 from error
    return FileResponse(file, as_attachment=True, filename=f"{job.kind}-{job.created_at:%Y%m%d-%H%M}.{ending}")


def _job(request: HttpRequest, key: UUID) -> Job:
    return get_object_or_404(Job.objects.visible_to(person(request)), pk=key)
