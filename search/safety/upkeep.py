"""What the indexing loop does for moderators while nothing else is due, and what goes with a photo for good."""

import logging
from collections.abc import Sequence

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from gallery.models import Decision, Image
from search.models import Embedding, FoundFaces, RegionEmbedding, SafetyScore, SuggestedRegions
from search.reasons import UNSAFE
from search.safety import nudity
from search.safety.looks import looks_of

logger = logging.getLogger(__name__)


class LooksAhead:
    """Looks at pending photos before a moderator does."""

    AT_ONCE = 4

    def __init__(self) -> None:
        self.may_be_missing = True
        self.unreadable: set[str] = set()

    def seen(self, worked: int) -> None:
        """Indexing was at work, so there may be new photos."""
        self.may_be_missing = self.may_be_missing or worked > 0

    def make_some(self) -> int:
        """
        :return: how many were looked at; 0 when none is missing
        """
        if not self.may_be_missing:
            return 0
        known = SafetyScore.objects.filter(sha256=OuterRef("sha256"), model=nudity.MODEL)
        pending = Image.objects.pending().filter(~Exists(known)).exclude(sha256__in=self.unreadable)
        missing = list(pending.order_by("pk")[: self.AT_ONCE])
        for image in missing:
            if looks_of(image).unsafe is None:
                self.unreadable.add(image.sha256)
        if settings.SAFETY_AUTO_REJECT:
            _reject_unsafe(missing)
        self.may_be_missing = len(missing) > 0
        return len(missing)


def _reject_unsafe(looked_at: Sequence[Image]) -> None:
    """Reject what is unsafe of these photos, and of those whose file was known: it was sent before, or just opened.

    Of the latter only what nobody has decided on: a moderator's decision stands above a machine's. Under their locks,
    for one may be made just now.
    """
    scores = SafetyScore.objects.filter(sha256=OuterRef("sha256"), model=nudity.MODEL)
    unsafe = Exists(scores.filter(score__gte=settings.SAFETY_THRESHOLD))
    undecided = Q(moderated_at=None) & ~Exists(Decision.objects.filter(image=OuterRef("pk")))
    just_seen = Q(pk__in=[image.pk for image in looked_at])
    images = Image.objects.pending().select_for_update().filter(unsafe, undecided | just_seen).order_by("pk")
    images.set_status(Image.Status.REJECTED, None, UNSAFE, Image.Fault.OFFENSIVE)


def purge_taken_down() -> int:
    """Delete what was taken down longer ago than the grace period: files, rows, and all that was computed of them.

    :return: how many images
    """
    hashes = Image.objects.purge_taken_down()
    kept = set(Image.objects.filter(sha256__in=hashes).values_list("sha256", flat=True))
    gone = set(hashes) - kept
    for model in (Embedding, RegionEmbedding, SuggestedRegions, SafetyScore, FoundFaces):
        model._default_manager.filter(sha256__in=gone).delete()
    if hashes:
        logger.info("%d photos that were taken down are deleted for good.", len(hashes))
    return len(hashes)
