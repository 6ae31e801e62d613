"""Learning what photos from other worlds have in common, from those that people search with.

Only sums over many photos of several people are kept. A photo, or what an encoder said of it, is kept no longer for
it: both are deleted with the query photo, as ever.
"""

import logging
from collections import Counter
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from search.models import Generation, OutsideCrowd, QueryEmbedding
from search.outside.crowd import LONGEST, Crowd

logger = logging.getLogger(__name__)

AT_ONCE = 25  # photos that are added together, so that no sum says what a single one was
EACH = 5  # of one person that wait or are added
_MOST = 1_000  # that are looked at in one go


def learns_from_outside(generation: Generation) -> bool:
    """Whether such photos are learnt from: not where that is turned off, and not for very long vectors."""
    return settings.SEARCH_LEARN_OUTSIDE and sum(_lengths(generation).values()) <= LONGEST


def learn() -> int:
    """Add the photos that came since the last time and are from another world than the live generation's.

    They wait until enough of enough people are there. Parts of photos are not looked at.

    :return: how many were added
    """
    live = Generation.objects.live()
    if live is None or not learns_from_outside(live) or live.scale.world is None:
        return 0
    waiting = QueryEmbedding.objects.filter(
        encoder=live.encoder, crop="", is_counted=False, photo__expires_at__gt=timezone.now()
    )
    rows = list(waiting.select_related("photo").order_by("-pk")[:_MOST])
    outside = [row for row in rows if live.scale.is_outside(row.vectors, {"deep": 1.0})]
    batch = _of_several(outside)
    # What one person sent beside its few is done with at once: it would stand in the way of what others send.
    done = {row.pk for row in rows} - {row.pk for row in batch}
    QueryEmbedding.objects.filter(pk__in=done).update(is_counted=True)
    if len(batch) < AT_ONCE or not _add(live, batch):
        return 0
    logger.info("Learnt from %d photos that are unlike the catalogue.", len(batch))
    return len(batch)


def _of_several(rows: Sequence[QueryEmbedding]) -> list[QueryEmbedding]:
    """No more than a few of each person."""
    taken: Counter[object] = Counter()
    batch = []
    for row in rows:
        owner = row.photo.user_id or row.photo.visitor
        taken[owner] += 1
        if taken[owner] <= EACH:
            batch.append(row)
    return batch


def _add(live: Generation, batch: Sequence[QueryEmbedding]) -> bool:
    """False where a photo was counted or forgotten meanwhile, or others were added: the next time does it.

    The sums take a while, so they are made before anything is locked.
    """
    stored = OutsideCrowd.objects.filter(encoder=live.encoder).first()
    crowd = Crowd.empty(_lengths(live)) if stored is None else Crowd.from_bytes(bytes(stored.data))
    crowd = crowd.having([row.vectors for row in batch])
    sums = {"photos": crowd.photos, "data": crowd.to_bytes()}
    keys = [row.pk for row in batch]
    with transaction.atomic():
        locked = QueryEmbedding.objects.select_for_update().filter(pk__in=keys, is_counted=False).values_list("pk")
        if len(locked) != len(keys):
            return False
        if stored is None:
            _row, is_added = OutsideCrowd.objects.get_or_create(encoder=live.encoder, defaults=sums)
        else:
            as_read = OutsideCrowd.objects.filter(pk=stored.pk, updated_at=stored.updated_at)
            is_added = as_read.update(**sums, updated_at=timezone.now()) == 1
        if is_added:
            QueryEmbedding.objects.filter(pk__in=keys).update(is_counted=True)
        return is_added


def _lengths(generation: Generation) -> dict[str, int]:
    """Part → how many numbers the encoder gives."""
    return {part.name: len(part.centre) for part in generation.projection.parts}
