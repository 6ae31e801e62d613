"""How long work runs: a function for each kind of job, a worker that calls it, and the revival of what was killed.

A kind's function takes a ``Run``, calls ``run.step`` at least once in ``JOB_SILENT_SECONDS``, with what it needs to go
on from there in ``resume``, and returns the result. Around one thing that takes longer it puts ``run.kept_alive``.
It is called again from the last ``resume`` when its worker was killed, so each step must be safe to repeat.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django_tasks import task

from gallery.models import Job, User

logger = logging.getLogger(__name__)

_WRITE_SECONDS = 0.5  # progress is not written more often
Work = Callable[["Run"], Mapping[str, Any] | None]


class Kind(NamedTuple):
    label: str | Promise
    work: Work


_KINDS: dict[str, Kind] = {}


class JobError(Exception):
    """The job cannot be done; the text is a sentence for a person that says what to do."""


class Cancelled(Exception):
    """Somebody cancelled the job."""


class Superseded(Exception):
    """Another worker has taken the job over."""


class Run:
    """One worker's hold of a job."""

    def __init__(self, job: Job):
        self.job = job
        self.parameters: dict[str, Any] = job.parameters
        self.resume: dict[str, Any] = job.resume
        self._due = 0.0

    def step(
        self,
        done: int | None = None,
        *,
        total: int | None = None,
        says: str | None = None,
        resume: Mapping[str, Any] | None = None,
        at_once: bool = False,
    ) -> None:
        """Say how far the job is. A resume point is always written, all else at most twice a second.

        :raises Cancelled: where somebody cancelled it
        :raises Superseded: where another worker has taken over
        """
        given = {"done": done, "total": total, "says": says, "resume": resume}
        values = {name: value for name, value in given.items() if value is not None}
        for name, value in values.items():
            setattr(self.job, name, value)
        now = time.monotonic()
        if resume is None and not at_once and now < self._due:
            return
        self._due = now + _WRITE_SECONDS
        if not self.job.write(done=self.job.done, total=self.job.total, says=self.job.says, resume=self.job.resume):
            raise Superseded
        if Job.objects.filter(pk=self.job.pk, cancel_requested=True).exists():
            raise Cancelled

    @contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Around one thing that takes long and knows no steps: a thread says meanwhile that the worker lives."""
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(settings.JOB_SILENT_SECONDS / 4):
                try:
                    Job.objects.filter(pk=self.job.pk, run=self.job.run, state=Job.State.RUNNING).update(
                        heartbeat_at=timezone.now()
                    )
                except DatabaseError:
                    continue  # the next one may get through
                finally:
                    connection.close()  # the thread's own

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def kind(name: str, label: str | Promise) -> Callable[[Work], Work]:
    """Register the function of a kind of job. Its module is imported in an application's ``ready``.

    :param label: what it does, for people
    """

    def register(function: Work) -> Work:
        _KINDS[name] = Kind(label, function)
        return function

    return register


def name_of(name: str) -> str | Promise:
    """The label of a kind; its bare name where nobody registered it."""
    return _KINDS[name].label if name in _KINDS else name


def start(name: str, by: User | None, **parameters: Any) -> Job:
    """Put a job into the queue. The row and the queue's own are of one transaction.

    What it tells is in the language of whoever starts it, unless ``language`` names another one.

    :raises KeyError: for a kind that nobody registered
    """
    return _queued(name, by, parameters)


def start_alone(name: str, by: User | None, **parameters: Any) -> Job | None:
    """Put a job into the queue, unless one of its kind waits there or runs: of two clicks at once one starts it.

    :return: None where another one is unfinished
    :raises KeyError: as ``start``
    """
    try:
        with transaction.atomic():
            return _queued(name, by, parameters, alone=True)
    except IntegrityError:
        if not Job.objects.unfinished().filter(kind=name).exists():
            raise
        return None


def _queued(name: str, by: User | None, parameters: dict[str, Any], alone: bool = False) -> Job:
    if name not in _KINDS:
        raise KeyError(name)
    parameters.setdefault("language", translation.get_language())
    job = Job.objects.create(kind=name, parameters=parameters, created_by=by, alone=alone)
    run_job.enqueue(str(job.pk))
    return job


@task()
def run_job(key: str) -> None:
    """The worker's entry."""
    run(key)


def run(key: str) -> None:
    """Do a job, from where an earlier worker left it. One that has gone or ended is left alone."""
    job = Job.objects.filter(pk=key).first()
    if job is None or not job.begin():
        return
    with translation.override(job.parameters.get("language") or translation.get_language()):
        _do(job)


def _do(job: Job) -> None:
    if job.kind not in _KINDS:
        job.end(Job.State.FAILED, _("This kind of job is unknown here: %(kind)s.") % {"kind": job.kind})
        return
    try:
        result = _KINDS[job.kind].work(Run(job))
    except Cancelled:
        job.end(Job.State.CANCELLED)
    except Superseded:
        logger.warning("%s was taken over by another worker.", job)
    except JobError as error:
        job.end(Job.State.FAILED, str(error))
    except Exception:
        logger.exception("%s failed", job)
        job.end(Job.State.FAILED, _("Something went wrong. The log of the worker says what."))
        raise
    else:
        job.end(Job.State.DONE, job.says, result=dict(result or {}), done=job.total or job.done)


def revive_silent() -> int:
    """Put jobs whose worker was killed into the queue again; the queue itself never does.

    :return: how many
    """
    revived = 0
    for job in Job.objects.silent():
        # Once: whoever sets the heartbeat puts it into the queue.
        if job.write():
            logger.warning("%s has stopped: a worker takes it up again.", job)
            run_job.enqueue(str(job.pk))
            revived += 1
    return revived
