"""Images that are not in a generation, gathered by the reason of their last failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from gallery.models import Image
from search.chunks import chunks
from search.indexing.claims import retry
from search.indexing.coverage import idle
from search.models import Generation, Placement
from search.views.index.words import until

PER_REASON = 24  # photos that are shown
MOST_REASONS = 20


@dataclass(frozen=True)
class FailedImage:
    image: Image
    attempts: int
    next_attempt_at: datetime | None  # None: at once, or never again by itself where it was given up

    @property
    def gave_up(self) -> bool:
        return self.attempts >= settings.SEARCH_MAX_ATTEMPTS

    @property
    def next_attempt(self) -> str:
        """How long it is until then; nothing where it is due."""
        at = self.next_attempt_at
        return until(at) if at is not None and at > timezone.now() else ""


@dataclass(frozen=True)
class ReasonGroup:
    """Images with one reason: how many there are, and the first of them."""

    reason: str
    count: int
    images: Sequence[FailedImage]

    @property
    def more(self) -> int:
        return self.count - len(self.images)


def failed(generation: Generation) -> "QuerySet[Placement]":
    """Placements whose last attempt failed. Those that somebody works on right now, and deletions, are left out."""
    present = generation.placements.filter(idle(), behind=True, key__in=Image.objects.order_by().values("pk"))
    return present.exclude(reason="")


def by_reason(generation: Generation) -> list[ReasonGroup]:
    """The commonest reasons first, each with the images that were given up first. Three statements."""
    placements = failed(generation).order_by()
    counts = dict(
        placements.values_list("reason").annotate(images=Count("pk")).order_by("-images", "reason")[:MOST_REASONS]
    )
    numbered = placements.filter(reason__in=list(counts)).annotate(
        place=Window(RowNumber(), partition_by="reason", order_by=["-attempts", "key"])
    )
    shown = list(numbered.filter(place__lte=PER_REASON).order_by("place"))
    images = Image.objects.select_related("product").in_bulk([one.key for one in shown])
    groups: dict[str, list[FailedImage]] = {reason: [] for reason in counts}
    for one in shown:
        if one.key in images:
            groups[one.reason].append(FailedImage(images[one.key], one.attempts, one.next_attempt_at))
    return [ReasonGroup(reason, counts[reason], members) for reason, members in groups.items()]


def retry_reason(generation: Generation, reason: str) -> int:
    """Try all images with this reason again, in every generation that is kept.

    :return: how many placements will be tried
    """
    keys = list(failed(generation).filter(reason=reason).values_list("key", flat=True))
    return sum(retry_in_all(chunk) for chunk in chunks(keys))


def retry_in_all(keys: Sequence[UUID] | None = None) -> int:
    """Try failed images again, these or all of them: what was mended for one generation is mended for the others."""
    return retry(list(Generation.objects.kept().values_list("pk", flat=True)), keys)
