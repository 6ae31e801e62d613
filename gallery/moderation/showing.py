"""What a moderator sees of one photo beside the picture, as far as the catalogue itself knows it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q
from django.utils.translation import gettext as _

from gallery.models import Claim, Image, Report, User
from gallery.quality_signs import quality_signs
from gallery.reasons import TAKEN_DOWN_BEFORE

_SIBLINGS = 6
_EARLIER = 5


@dataclass(frozen=True)
class UploaderRecord:
    """How a contributor's photos fared so far."""

    who: User
    approved: int
    rejected: int
    pending: int
    since: datetime | None


@dataclass(frozen=True)
class Shown:
    image: Image
    signs: list[str]
    record: UploaderRecord | None
    earlier: Sequence[Any]  # of Image.history, the newest first
    reports: Sequence[Report]
    siblings: Sequence[Image]  # other photos of the product
    looked_at_by: User | None = None  # another moderator
    faults: list[tuple[int, str, str]] = field(default_factory=list)  # key, code, words


def shown(image: Image, by: User) -> Shown:
    """A constant number of queries."""
    claim = Claim.objects.of_others(by).filter(image=image).select_related("moderator").first()
    siblings = Image.objects.filter(product=image.product_id).exclude(pk=image.pk).select_related("product")
    return Shown(
        image,
        _taken_down_before(image) + quality_signs(image),
        _record_of(image.uploader) if image.uploader else None,
        decisions_on(image)[:_EARLIER],
        list(Report.objects.open().filter(image=image).select_related("user").order_by("-created_at", "-pk")),
        list(siblings.order_by("position", "pk")[:_SIBLINGS]),
        claim.moderator if claim else None,
        [(place, fault.value, str(fault.label)) for place, fault in enumerate(Image.Fault, start=1)],
    )


def decisions_on(image: Image) -> Any:
    """The history's rows in which somebody decided something, the newest first."""
    moderated = image.history.exclude(moderated_at=None, history_change_reason=None).filter(history_type="~")
    return moderated.select_related("history_user").order_by("-history_date", "-history_id")


def _taken_down_before(image: Image) -> list[str]:
    """Said of what may be let in again by a decision."""
    may_come_in = image.status != Image.Status.APPROVED and image.taken_down_at is None
    return [_(TAKEN_DOWN_BEFORE)] if may_come_in and Image.objects.was_taken_down(image.sha256) else []


def _record_of(uploader: User) -> UploaderRecord:
    counted = Image.objects.filter(uploader=uploader).aggregate(
        approved=Count("pk", filter=Q(status="approved")),
        rejected=Count("pk", filter=Q(status="rejected")),
        pending=Count("pk", filter=Q(status__in=["pending", "changes_requested"])),
        since=Min("created_at"),
    )
    return UploaderRecord(uploader, **counted)
