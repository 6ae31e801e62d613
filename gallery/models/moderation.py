"""The moderation queue: who looks at which photo, and what was decided, with all that undoing it takes."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery import reasons
from gallery.keys import new_key
from gallery.models.images import Image
from gallery.models.reports import Report

if TYPE_CHECKING:
    from gallery.models.users import User

CLAIM_SECONDS = 90  # a page that shows a photo renews its claim three times in this time


class Refused(Exception):
    """A decision that is not taken, and changes nothing. The text is a sentence for the moderator."""


class ClaimQuerySet(models.QuerySet["Claim"]):
    def live(self) -> "ClaimQuerySet":
        return self.filter(until__gt=timezone.now())

    def of_others(self, by: "User") -> "ClaimQuerySet":
        return self.live().exclude(moderator=by)

    def take(self, keys: Collection[UUID], by: "User") -> set[UUID]:
        """Claim photos, or go on claiming them, as far as nobody else looks at them.

        :return: the keys of those that are this moderator's now
        """
        now = timezone.now()
        until = now + timedelta(seconds=CLAIM_SECONDS)
        wanted = self.filter(image__in=keys)
        wanted.filter(Q(moderator=by) | Q(until__lte=now)).update(moderator=by, until=until)
        known = set(wanted.values_list("image", flat=True))
        fresh = Image.objects.filter(pk__in=set(keys) - known).order_by().primary_keys()
        Claim.objects.bulk_create(
            [Claim(image_id=key, moderator=by, until=until) for key in fresh], ignore_conflicts=True
        )
        # Read back: another process may have been quicker.
        return set(wanted.filter(moderator=by).values_list("image", flat=True))

    def release(self, keys: Collection[UUID], by: "User") -> None:
        self.filter(image__in=keys, moderator=by).delete()


class Claim(models.Model):
    """A moderator looks at this photo, so it is offered to no other one until the claim runs out."""

    image = models.OneToOneField("gallery.Image", models.CASCADE, related_name="claim")
    moderator = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    until = models.DateTimeField()

    objects = ClaimQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.image_id} by {self.moderator_id} until {self.until}"


class DecisionQuerySet(models.QuerySet["Decision"]):
    @transaction.atomic
    def make(
        self,
        verb: str,
        revisions: Mapping[UUID, int],
        by: "User",
        *,
        reason: str = "",
        fault: str = "",
        reported: int | None = None,
    ) -> "list[Decision]":
        """Decide on photos as they were seen; several are one batch, which is undone as one.

        :param revisions: key → the image's revision that the moderator looked at
        :param reason: in words, for the uploader and the audit
        :param fault: a code of ``Image.Fault``
        :param reported: the newest report that the moderator saw: a photo is not kept against one that came later
        :raises Refused: when any of them has been changed or decided on meanwhile; nothing is changed then
        """
        locked = Image.objects.lock([*revisions, *Image.objects.replaced_by(revisions)])
        images = [image for image in locked if image.pk in revisions]
        _expect_unchanged(images, revisions, by)
        _expect_fitting(verb, images)
        before = {image.pk: _state_of(image) for image in images}
        if verb in Decision.SETTLES_REPORTS:
            reports = Report.objects.open().filter(image__in=images).order_by("pk")
            if verb == Decision.Verb.KEEP and reported is not None:
                reports = reports.filter(pk__lte=reported)
            for report in reports:
                before[report.image_id]["reports"].append(report.pk)
                report.resolve(by)
        for image in images:
            _carry_out(verb, image, by, reason, fault)
        Claim.objects.release(list(before), by)
        after = dict(Image.objects.filter(pk__in=before).values_list("pk", "revision"))
        batch = new_key()
        return Decision.objects.bulk_create(
            Decision(image_id=key, verb=verb, batch=batch, by=by, before=before[key], revision=revision)
            for key, revision in ((key, after[key]) for key in revisions if key in after)
        )

    def undoable(self, by: "User") -> "DecisionQuerySet":
        """The moderator's own that may still be undone, the last one first."""
        return self.filter(by=by, undone_at=None, is_final=False).order_by("-pk")

    def undo_last(self, by: "User") -> "list[Decision]":
        """Bring back the exact state before the moderator's last decision: of all photos of its batch.

        :raises Refused: when there is none, or somebody has changed a photo since; the one before is next then
        """
        last = self.undoable(by).first()
        if last is None:
            raise Refused(_("There is no decision of yours left to undo."))
        with transaction.atomic():
            # Without those that a merge has brought to another photo.
            open_ones = Decision.objects.filter(batch=last.batch, undone_at=None, is_final=False)
            keys = list(open_ones.values_list("image", flat=True))
            images = {image.pk: image for image in Image.objects.lock([*keys, *Image.objects.replaced_by(keys)])}
            batch = list(open_ones.select_for_update().order_by("pk"))
            changed = [one for one in batch if images[one.image_id].revision != one.revision]
            if batch and not changed:
                for decision in batch:
                    _set_back(images[decision.image_id], decision.before, by)
                now = timezone.now()
                self.filter(pk__in=[decision.pk for decision in batch]).update(undone_at=now)
                _let_those_before_be_undone(batch)
                return batch
        if not batch:  # another request of this moderator has undone it just now
            return self.undo_last(by)
        self.filter(batch=last.batch).update(is_final=True)
        raise Refused(
            _("“%(photo)s” has been changed since you decided on it, so that is not undone. Nothing was changed.")
            % {"photo": images[changed[0].image_id]}
        )


class Decision(models.Model):
    """What a moderator decided on one photo of a batch, and the state before, to be brought back by an undo."""

    class Verb(models.TextChoices):
        APPROVE = "approve", gettext_lazy("Approved")
        REJECT = "reject", gettext_lazy("Rejected")
        CHANGE = "change", gettext_lazy("Changes requested")
        TAKE_DOWN = "take_down", gettext_lazy("Taken down")
        RESTORE = "restore", gettext_lazy("Restored")
        KEEP = "keep", gettext_lazy("Kept as it is")

    # These answer what was reported; the others leave reports open.
    SETTLES_REPORTS = (Verb.REJECT, Verb.TAKE_DOWN, Verb.KEEP)

    image = models.ForeignKey("gallery.Image", models.CASCADE, related_name="decisions")
    verb = models.CharField(max_length=10, choices=Verb.choices)
    batch = models.UUIDField(db_index=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    before = models.JSONField(help_text="the fields that it changed, and the reports that it resolved")
    revision = models.PositiveIntegerField(help_text="of the image after it; another one now means a later change")
    undone_at = models.DateTimeField(null=True, blank=True)
    is_final = models.BooleanField(default=False, help_text="changed since, so it can no longer be undone")

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["by", "-id"], condition=Q(undone_at=None), name="decision_to_undo")]

    def __str__(self) -> str:
        return f"{self.get_verb_display()}: {self.image_id}"


def _expect_unchanged(images: Collection[Image], revisions: Mapping[UUID, int], by: "User") -> None:
    if len(images) < len(revisions):
        raise Refused(_("This photo has been deleted meanwhile. Nothing was changed."))
    for image in images:
        if image.revision == revisions[image.pk]:
            continue
        if image.moderated_by_id in (None, by.pk):
            raise Refused(
                _("“%(photo)s” has been changed meanwhile. Look at it again. Nothing was changed.") % {"photo": image}
            )
        raise Refused(
            _("%(who)s has decided on “%(photo)s” meanwhile: %(status)s. Nothing was changed.")
            % {"who": image.moderated_by, "photo": image, "status": image.get_status_display()}
        )


def _expect_fitting(verb: str, images: Collection[Image]) -> None:
    """What the state of a photo does not allow."""
    if verb == Decision.Verb.RESTORE and any(image.taken_down_at is None for image in images):
        raise Refused(_("This photo is not taken down. Nothing was changed."))
    if verb in (Decision.Verb.TAKE_DOWN, Decision.Verb.CHANGE) and any(image.taken_down_at for image in images):
        raise Refused(_("This photo is taken down already. Nothing was changed."))
    if verb not in (Decision.Verb.TAKE_DOWN, Decision.Verb.KEEP) and any(image.was_retracted for image in images):
        raise Refused(_("Its contributor has withdrawn this photo for good. Nothing was changed."))


def _carry_out(verb: str, image: Image, by: "User", reason: str, fault: str) -> None:
    if verb == Decision.Verb.APPROVE:
        image.approve(by, reason)
    elif verb == Decision.Verb.REJECT:
        image.reject(by, reason, fault)
    elif verb == Decision.Verb.CHANGE:
        image.ask_for_changes(by, reason, fault)
    elif verb == Decision.Verb.TAKE_DOWN:
        image.take_down(by, reason, fault)
    elif verb == Decision.Verb.RESTORE:
        image.restore(by, reason)
    elif verb != Decision.Verb.KEEP:
        raise ValueError(verb)


def _state_of(image: Image) -> dict[str, Any]:
    return {
        "revision": image.revision,
        "status": image.status,
        "status_reason": image.status_reason,
        "fault": image.fault,
        "moderated_by": image.moderated_by_id,
        "moderated_at": image.moderated_at.isoformat() if image.moderated_at else None,
        "taken_down_at": image.taken_down_at.isoformat() if image.taken_down_at else None,
        "reports": [],
    }


def _set_back(image: Image, before: Mapping[str, Any], by: "User") -> None:
    Image.objects.filter(pk=image.pk).set_back(
        by,
        reasons.stored(reasons.UNDONE, status=Image.Status(image.status).label),
        status=before["status"],
        status_reason=before["status_reason"],
        fault=before["fault"],
        moderated_by=get_user_model()._default_manager.filter(pk=before["moderated_by"]).first(),
        moderated_at=_moment(before["moderated_at"]),
        taken_down_at=_moment(before["taken_down_at"]),
    )
    Report.objects.filter(pk__in=before["reports"]).reopen()


def _let_those_before_be_undone(undone: Collection[Decision]) -> None:
    """The photos are as the decisions before these left them, though under other revisions: setting back made these."""
    revisions = dict(Image.objects.filter(decisions__in=undone).values_list("pk", "revision"))
    for decision in undone:
        before = Decision.objects.filter(image=decision.image_id, undone_at=None, is_final=False)
        before.filter(revision=decision.before["revision"]).update(revision=revisions[decision.image_id])


def _moment(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None
