"""The first step after a save: raise the version of what changed, inside the transaction that changed it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from search.chunks import chunks
from search.models import Change, Generation, Placement


@transaction.atomic
def record_changes(keys: Sequence[UUID]) -> None:
    """Raise ``Change.version`` of these image keys, and mark their placements as behind.

    The deletion mark is not set here: whether an image is gone is read by the indexing loop, after the version.
    """
    keys = sorted(keys)  # one order for everyone, so that two transactions cannot wait for each other
    for chunk in chunks(keys):
        _record(chunk)


def _record(keys: Sequence[UUID]) -> None:
    now = timezone.now()
    Change.objects.bulk_create([Change(key=key, version=0, changed_at=now) for key in keys], ignore_conflicts=True)
    Change.objects.filter(key__in=keys).update(version=F("version") + 1, changed_at=now)
    # The update above holds the changes' row locks, so nobody can clear ``behind`` between here and the commit.
    Placement.objects.filter(key__in=keys).update(behind=True, next_attempt_at=None, attempts=0)
    generations = list(Generation.objects.kept().values_list("pk", flat=True))
    Placement.objects.bulk_create(
        [Placement(generation_id=pk, key=key) for pk in generations for key in keys], ignore_conflicts=True
    )


@transaction.atomic
def raise_above(held: Mapping[UUID, int]) -> list[UUID]:
    """Where an engine holds a version that we never gave, make ours higher, so that the next write or delete wins.

    It comes of a restored database, or of somebody who wrote or deleted in the engine by hand.

    :param held: image key → the engine's version
    :return: the keys whose version was raised
    """
    now = timezone.now()
    Change.objects.bulk_create([Change(key=key, version=0, changed_at=now) for key in held], ignore_conflicts=True)
    ahead = [
        change.key
        for change in Change.objects.select_for_update().filter(key__in=list(held)).order_by("key")
        if held[change.key] > change.version
    ]
    for key in ahead:
        Change.objects.filter(pk=key).update(version=held[key])
    record_changes(ahead)
    return ahead
