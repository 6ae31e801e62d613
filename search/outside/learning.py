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
from search.outside.crowd import Crowd

logger = logging.getLogger(__name__)

AT_ONCE = 25  # photos that are added together, so that no sum says what a single one was
EACH = 5  # of one person among them
_MOST = 1_000  # that are looked at in one go


def learn() -> int:
    """Add the photos that came since the last time and are from another world than the live generation's.

    They wait until enough of enough people are there. Parts of photos are not looked at.

    :return: how many were added
    """
    live = Generation.objects.live()
    if live is None or not settings.SEARCH_LEARN_OUTSIDE or live.scale.world is None:
        return 0
    waiting = QueryEmbedding.objects.filter(
        encoder=live.encoder, crop="", is_counted=False, photo__expires_at__gt=timezone.now()
    )
    rows = list(waiting.select_related("photo").order_by("-pk")[:_MOST])
    outside = [row for row in rows if live.scale.is_outside(row.vectors, {"deep": 1.0})]
    ordinary = {row.pk for row in rows} - {row.pk for row in outside}
    QueryEmbedding.objects.filter(pk__in=ordinary).update(is_counted=True)
    batch = _of_several(outside)
    if len(batch) < AT_ONCE:
        return 0
    if not _add(live, batch, outside):
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


@transaction.atomic
def _add(live: Generation, batch: Sequence[QueryEmbedding], seen: Sequence[QueryEmbedding]) -> bool:
    """False where one was counted, or forgotten by its owner, meanwhile: the next time does it.

    :param seen: with those that a person sent beside: they are not looked at again
    """
    keys = [row.pk for row in batch]
    locked = QueryEmbedding.objects.select_for_update().filter(pk__in=keys, is_counted=False).values_list("pk")
    if len(locked) != len(keys):
        return False
    QueryEmbedding.objects.filter(pk__in=[row.pk for row in seen]).update(is_counted=True)
    stored = OutsideCrowd.objects.select_for_update().filter(encoder=live.encoder).first()
    if stored is None:
        crowd = Crowd.empty({part.name: len(part.centre) for part in live.projection.parts})
    else:
        crowd = Crowd.from_bytes(bytes(stored.data))
    crowd = crowd.having([row.vectors for row in batch])
    OutsideCrowd.objects.update_or_create(
        encoder=live.encoder, defaults={"photos": crowd.photos, "data": crowd.to_bytes()}
    )
    return True
