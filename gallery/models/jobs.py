"""Work that a person starts and a worker does: how far it is, where to go on, and what came of it."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files.storage import storages
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.keys import new_key

if TYPE_CHECKING:
    from gallery.models.users import User


def job_files():
    return storages["default"]


class JobQuerySet(models.QuerySet["Job"]):
    def unfinished(self) -> "JobQuerySet":
        return self.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])

    def silent(self) -> "JobQuerySet":
        """Those that a worker began and has said nothing of for too long: it was killed."""
        oldest = timezone.now() - timedelta(seconds=settings.JOB_SILENT_SECONDS)
        return self.filter(state=Job.State.RUNNING, heartbeat_at__lt=oldest)

    def failure(self, kind: str, succeeded_at: datetime | None) -> str:
        """Why the last job of a kind failed; nothing where the same has been done since, be it from a shell."""
        last = self.filter(kind=kind).first()
        if last is None or last.state != Job.State.FAILED or last.finished_at is None:
            return ""
        return "" if succeeded_at and succeeded_at > last.finished_at else last.says

    def give_up(self, says: str) -> int:
        """Cancel what no worker will take up, and say why."""
        return self.unfinished().update(state=Job.State.CANCELLED, says=says, finished_at=timezone.now())

    def visible_to(self, user: "User") -> "JobQuerySet":
        """One's own; all of them for administrators."""
        return self if user.is_superuser else self.filter(created_by=user)

    def purge(self) -> int:
        """Delete what ended long ago, and its files."""
        old = self.filter(finished_at__lt=timezone.now() - timedelta(days=settings.JOBS_KEPT_DAYS))
        for job in old.exclude(report=""):
            job.report.delete(save=False)
        return old.delete()[1].get(Job._meta.label, 0)


class Job(models.Model):
    """One piece of long work. ``kind`` names the function that does it (``gallery.jobs``)."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting for the worker")
        RUNNING = "running", _("Under way")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    kind = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict, help_text="what the person asked for")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    total = models.PositiveIntegerField(default=0, help_text="steps in all; 0 while unknown")
    done = models.PositiveIntegerField(default=0)
    says = models.CharField(max_length=500, blank=True, help_text="what is done now, or why it failed, in a sentence")
    resume = models.JSONField(default=dict, help_text="where a worker goes on after another one was killed")
    result = models.JSONField(default=dict)
    report = models.FileField(storage=job_files, max_length=200, blank=True, help_text="a file to download")
    run = models.PositiveIntegerField(default=0, help_text="how often it was begun; an older run may write no more")
    cancel_requested = models.BooleanField(default=False)
    alone = models.BooleanField(default=False, help_text="no other unfinished job of its kind may be beside it")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="jobs"
    )
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True, db_index=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "done", "failed", "cancelled"]), name="job_state_known"
            ),
            models.UniqueConstraint(
                fields=["kind"], condition=Q(alone=True, state__in=["queued", "running"]), name="job_alone_of_its_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_unfinished(self) -> bool:
        return self.state in (self.State.QUEUED, self.State.RUNNING)

    @property
    def percent(self) -> int | None:
        """None while nobody knows how much there is."""
        return min(100, 100 * self.done // self.total) if self.total else None

    def begin(self) -> bool:
        """Take the job: another worker's run of it may write no more from here on.

        :return: False where it has ended, or was cancelled before it began
        """
        taken = Job.objects.unfinished().filter(pk=self.pk, cancel_requested=False)
        began = taken.update(state=self.State.RUNNING, run=F("run") + 1, heartbeat_at=timezone.now())
        if not began:
            Job.objects.unfinished().filter(pk=self.pk).update(state=self.State.CANCELLED, finished_at=timezone.now())
        self.refresh_from_db()
        return bool(began)

    def write(self, **values: Any) -> bool:
        """Record progress of this run, and that it is alive.

        :return: False where another run has taken over
        """
        values.setdefault("heartbeat_at", timezone.now())
        mine = Job.objects.filter(pk=self.pk, run=self.run, state=self.State.RUNNING)
        for name, value in values.items():
            setattr(self, name, value)
        return bool(mine.update(**values))

    def end(self, state: str, says: str = "", **values: Any) -> bool:
        return self.write(state=state, says=says[:500], finished_at=timezone.now(), **values)

    def request_cancel(self) -> None:
        """A job that waits is cancelled at once, one under way at its next step."""
        Job.objects.unfinished().filter(pk=self.pk).update(cancel_requested=True)
        Job.objects.filter(pk=self.pk, state=self.State.QUEUED).update(
            state=self.State.CANCELLED, finished_at=timezone.now()
        )
        self.refresh_from_db()
