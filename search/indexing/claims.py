"""Who works on what: leases on placements, taken and given back in short transactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from search.models import Change, Generation, Placement

BACKOFF_SECONDS = (5, 30, 120, 600, 3600)
_MOST_KEYS = 500  # in one statement; SQLite bounds the number of parameters
REASON_KILLED = "The indexing process stopped while it worked on this image."


@dataclass(frozen=True)
class Claim:
    """Placements of one generation that this process may work on until the lease ends."""

    generation_id: int
    placements: Sequence[Placement]

    @property
    def keys(self) -> list[UUID]:
        return [placement.key for placement in self.placements]


def _due(generation_id: int, now) -> Q:
    return Q(generation=generation_id, behind=True, attempts__lt=settings.SEARCH_MAX_ATTEMPTS) & (
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=now)
    )


@transaction.atomic
def claim(generation: Generation, limit: int, among: Sequence[UUID] | None = None) -> Claim | None:
    """Take the oldest due placements of a generation, at most ``limit``, of these keys if any are given.

    One whose lease ended without a word is taken alone: if it kills the process again, it costs only itself.
    """
    now = timezone.now()
    due = Placement.objects.filter(_due(generation.pk, now)).order_by("key")
    if among is not None:
        due = due.filter(key__in=among[:_MOST_KEYS])
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    rows = list(due.filter(claimed_until=None)[:limit]) or list(due.filter(claimed_until__lte=now)[:1])
    if not rows:
        return None
    Placement.objects.filter(pk__in=[row.pk for row in rows]).update(
        claimed_until=now + timedelta(seconds=settings.SEARCH_LEASE_SECONDS),
        attempts=F("attempts") + 1,
        reason=REASON_KILLED,
    )
    return Claim(generation.pk, rows)


@transaction.atomic
def record_written(claim: Claim, versions: dict[UUID, int]) -> None:
    """Note the version that was read for every key that is now in the engine.

    The changes' rows are locked first, in the order in which ``record_changes`` locks them: an edit that came between
    "read" and "written" has either raised the version already, and the placement stays behind, or waits for us and
    marks it behind afterwards.
    """
    changes = dict(
        Change.objects.select_for_update().filter(key__in=list(versions)).order_by("key").values_list("key", "version")
    )
    # Most of a batch has the same version, so a few statements serve it.
    alike: dict[tuple[int, bool], list[int]] = {}
    for placement in claim.placements:
        if placement.key in versions:
            version = versions[placement.key]
            alike.setdefault((version, version < changes[placement.key]), []).append(placement.pk)
    for (version, behind), pks in alike.items():
        Placement.objects.filter(pk__in=pks).update(
            version=version, behind=behind, attempts=0, claimed_until=None, next_attempt_at=None, reason=""
        )


@transaction.atomic
def record_failed(claim: Claim, reasons: dict[UUID, str]) -> None:
    """Note why these keys failed and when to try them again."""
    now = timezone.now()
    failed = [placement for placement in claim.placements if placement.key in reasons]
    for placement in failed:
        wait = BACKOFF_SECONDS[min(placement.attempts, len(BACKOFF_SECONDS) - 1)]
        Placement.objects.filter(pk=placement.pk).update(
            reason=reasons[placement.key][:300],
            claimed_until=None,
            next_attempt_at=now + timedelta(seconds=wait),
        )


def give_back(claim: Claim, reason: str, wait_seconds: float = 0) -> None:
    """The engine was down: everything waits, and no image has lost an attempt."""
    Placement.objects.filter(pk__in=[placement.pk for placement in claim.placements]).update(
        claimed_until=None,
        attempts=Greatest(F("attempts") - 1, 0),
        reason=reason[:300],
        next_attempt_at=timezone.now() + timedelta(seconds=wait_seconds) if wait_seconds else None,
    )


def retry(generation_ids: Sequence[int], keys: Sequence[UUID] | None = None) -> int:
    """Try failed placements again now, all of them or these keys."""
    failed = Placement.objects.filter(generation__in=generation_ids, behind=True).exclude(reason="")
    if keys is not None:
        failed = failed.filter(key__in=keys)
    return failed.update(attempts=0, next_attempt_at=None, claimed_until=None, reason="")
