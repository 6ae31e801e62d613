"""Measuring as a job, so that a person can leave it and come back."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery import jobs
from search.encoders.slot import EncoderBusy
from search.engines.base import EngineError
from search.models import Generation, QualityRun
from search.quality.runs import measure
from search.quality.sentences import TASKS

JOB = "measure-quality"
_PARTS = 1_000  # steps that a task counts as, whatever the number of its queries


@jobs.kind(JOB, gettext_lazy("Measure search quality"))
def measure_job(run: jobs.Run) -> dict[str, Any]:
    """Parameters: ``generation``, the live one without it; ``tasks``, all without them."""
    generation = _generation(run.parameters.get("generation"))
    tasks = [task for task in TASKS if task in run.parameters.get("tasks", TASKS)]
    # Of another generation nothing is kept: it gives other figures.
    before = run.resume.get("known", {}) if run.resume.get("generation") == generation.pk else {}

    def tell(task: str, done: int, total: int) -> None:
        counts = {"task": TASKS[task], "done": done, "total": total}
        step = tasks.index(task) * _PARTS + _PARTS * done // max(1, total)
        run.step(step, total=len(tasks) * _PARTS, says=_("%(task)s: %(done)d of %(total)d") % counts)

    def finished(known: Mapping[str, Any]) -> None:
        run.step(len(known["figures"]) * _PARTS, resume={"generation": generation.pk, "known": dict(known)})

    if stored := run.resume.get("run"):  # it was killed between storing the figures and saying so
        return {"generation": generation.pk, "run": stored}
    try:
        made = measure(generation, tasks, by=run.job.created_by, tell=tell, finished=finished, before=before)
    except EngineError as error:
        raise jobs.JobError(str(error)) from error
    except EncoderBusy as error:
        raise jobs.JobError(_("The encoder is busy with other pictures. Start again in a moment.")) from error
    run.step(says=_said(made), resume={"generation": generation.pk, "run": made.pk})
    return {"generation": generation.pk, "run": made.pk}


def _generation(number: Any) -> Generation:
    kept = Generation.objects.kept().filter(preparing=False)
    generation = Generation.objects.live() if number is None else kept.filter(pk=number).first()
    if generation is None:
        raise jobs.JobError(
            _("There is no index yet. Start the indexing loop, and measure when photos are in it.")
            if number is None
            else _("Generation %(number)s has gone. Choose another one.") % {"number": number}
        )
    return generation


def _said(made: QualityRun) -> str:
    measured = [task for task, figures in made.figures.items() if "why_not" not in figures]
    if not measured:
        return _("There was too little to measure with. The page says what is missing.")
    return _("The figures are stored.")
