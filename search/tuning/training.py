"""Tuning as a job: learn, measure on what was held out, and build the generation that the figures allow."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gallery import jobs
from gallery.models import Job, User
from search import generations
from search.engines import get_engine
from search.engines.base import EngineError
from search.generations import GenerationError
from search.models import Generation, Tuning
from search.tuning import words
from search.tuning.figures import Figures
from search.tuning.labelled import TooFewToTune, gather
from search.tuning.learning import Learnt, learn

JOB = "tune-projection"
Tell = Callable[[int, int, str], None]
State = Generation.State


def tune(
    tell: Tell = lambda done, total, says: None,
    *,
    by: User | None = None,
    job: Job | None = None,
    promote: bool = True,
) -> Tuning:
    """Learn a projection from the catalogue's labels, and measure it on products that were held out.

    If it is better by more than chance makes, a generation is built with it; the indexing loop fills it. Where a tuned
    one is live that was worth more, it waits for somebody's decision.

    :param tell: is told steps done, steps in all, and a sentence
    :param job: another run of it, which was killed, has perhaps got as far as to a generation
    :param promote: let that generation take over by itself when it is full
    :raises TooFewToTune: when there is too little to learn from
    :raises GenerationError: when there is no index, or no generation can be made
    :raises EngineError: when the engine cannot be reached
    """
    if job is not None and (earlier := _taken_up(job)) is not None:
        return earlier
    live = Generation.objects.live()
    if live is None:
        raise GenerationError(_("There is no index yet. Start the indexing loop, and tune when photos are in it."))
    _refuse_while_one_is_built()
    learnt = learn(live, gather(live, lambda: tell(0, 0, _("Reading what was embedded"))), tell)
    after = Generation.objects.live()
    if after is None or after.encoder != live.encoder:
        raise GenerationError(
            _("Another encoder's generation took over meanwhile, and what was learnt is of no use to it. Tune again.")
        )
    tuning = Tuning(
        job=job, encoder=live.encoder, verdict=learnt.verdict, figures=learnt.figures.as_json(), created_by=by
    )
    if tuning.is_better:
        _refuse_while_one_is_built()  # by another tuning that ran beside this one
    tuning.save()
    if tuning.is_better:
        try:
            _build(after, tuning, learnt, promote)
        except Exception:
            tuning.delete()  # better figures without a generation would promise what is not there
            raise
    return tuning


def _taken_up(job: Job) -> Tuning | None:
    """What an earlier run of the job has finished; one that was killed before its generation was made is forgotten."""
    earlier = Tuning.objects.filter(job=job).first()
    if earlier is None or not earlier.is_better:
        return earlier
    candidate = earlier.generations.filter(state__in=Generation.KEPT).first()
    if candidate is None:
        earlier.delete()
        return None
    get_engine(candidate.engine).create(candidate.spec)
    generations.place_missing(candidate)
    return earlier


def _refuse_while_one_is_built() -> None:
    unfinished = Generation.objects.filter(state=State.BUILDING).exclude(tuning=None).order_by("pk").first()
    if unfinished is not None:
        raise GenerationError(
            _("Generation %(number)d, which was tuned, is still being built. Wait until it is full, or cancel it.")
            % {"number": unfinished.pk}
        )


def _build(live: Generation, tuning: Tuning, learnt: Learnt, promote: bool) -> Generation:
    figures = learnt.figures
    categories = len(figures.categories)
    note = ngettext("Tuned on %(n)d category.", "Tuned on %(n)d categories.", categories) % {"n": categories}
    if live.tuning and figures.falls_short_of(Figures.from_json(live.tuning.figures)):
        promote = False
        less = _("It gains less than generation %(number)d did, so it waits: compare them, and promote the better one.")
        note = f"{note} {less % {'number': live.pk}}"
    return generations.create_generation(
        learnt.projection,
        encoder=live.encoder,
        weights=figures.weights,
        dimension=learnt.projection.dimension,
        index=live.index_settings,
        sample_size=learnt.sample_size,
        promote_when_ready=promote,
        tuning=tuning,
        note=note,
    )


@jobs.kind(JOB, gettext_lazy("Tune the projection"))
def tune_job(run: jobs.Run) -> Mapping[str, Any]:
    def tell(done: int, total: int, says: str) -> None:
        run.step(done, total=total, says=says)

    try:
        tuning = tune(tell, by=run.job.created_by, job=run.job, promote=run.parameters.get("promote", True))
    except TooFewToTune as error:
        raise jobs.JobError(words.too_few(error)) from error
    except GenerationError as error:
        raise jobs.JobError(str(error)) from error
    except EngineError as error:
        message = _("The search engine does not answer. Tune again later: %(error)s")
        raise jobs.JobError(message % {"error": error}) from error
    run.step(says=words.verdict(tuning))
    candidate = tuning.generations.first()
    return {"tuning": tuning.pk, "verdict": tuning.verdict, "generation": candidate.pk if candidate else None}


def start_tuning(by: User | None, *, promote: bool) -> Job | None:
    """Begin; None where it is under way already."""
    return jobs.start_alone(JOB, by, promote=promote)


def unfinished_tuning() -> Job | None:
    return Job.objects.unfinished().filter(kind=JOB).first()
