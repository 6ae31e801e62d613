"""What visitors report about photos, for moderators."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.models.images import Image

if TYPE_CHECKING:
    from gallery.models.users import User

NOTE_LENGTH = 500
# Open reports that are kept of one photo: more say nothing new, and nobody can fill the table with them.
MOST_OPEN = 50


class ReportQuerySet(models.QuerySet["Report"]):
    def open(self) -> "ReportQuerySet":
        return self.filter(resolved_at=None)

    def reopen(self) -> int:
        return self.update(resolved_at=None, resolved_by=None)

    def make(self, image: Image, reason: str, note: str, *, user: "User | None", session_key: str) -> "Report | None":
        """Keep a report. Who reports a photo again for the same reason writes another note.

        :return: None where the photo has so many open reports that one more says nothing new
        """
        who = {"user": user, "session_key": ""} if user else {"user": None, "session_key": session_key}
        known = self.open().filter(image=image, reason=reason, **who).first()
        if known is None and self.open().filter(image=image).count() >= MOST_OPEN:
            return None
        if known is None:
            return self.create(image=image, reason=reason, note=note, **who)
        known.note = note or known.note
        known.save(update_fields=["note"])
        return known


class Report(models.Model):
    """Somebody says that a photo should not be shown like this. It is open until a moderator resolves it."""

    class Reason(models.TextChoices):
        WRONG = "wrong", _("It shows something else than the product")
        OFFENSIVE = "offensive", _("It is offensive")
        STOLEN = "stolen", _("It was taken from somebody without asking")

    image = models.ForeignKey("gallery.Image", models.CASCADE, related_name="reports")
    reason = models.CharField(_("reason"), max_length=10, choices=Reason.choices)
    note = models.CharField(_("note"), max_length=NOTE_LENGTH, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    session_key = models.CharField(max_length=40, blank=True, help_text="of a visitor who is not signed in")
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["image"], condition=Q(resolved_at=None), name="report_open")]
        constraints = [
            models.CheckConstraint(condition=Q(reason__in=["wrong", "offensive", "stolen"]), name="report_reason_known")
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: {self.image_id}"

    def resolve(self, by: "User") -> None:
        self.resolved_at, self.resolved_by = timezone.now(), by
        self.save(update_fields=["resolved_at", "resolved_by"])
