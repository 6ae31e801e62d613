"""How much of the catalogue is in the index, counted from the rows themselves."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db.models import BigIntegerField, Count, F, Min, OuterRef, Q, Subquery
from django.utils import timezone

from gallery.models import Image
from search.engines import get_engine
from search.generations.samples import count_to_embed
from search.models import Change, Generation, Placement
from search.outside.learning import learns_from_outside


@dataclass(frozen=True)
class Progress:
    """For a page: images in all, and how far the live generation is with them."""

    images: int
    indexed: int
    waiting: int
    failed: int

    @property
    def percent(self) -> int:
        return 100 * self.indexed // self.images if self.images else 100


@dataclass(frozen=True)
class Coverage:
    """One generation's account. ``indexed`` is up to date; ``stale`` is in the index in an older version."""

    generation: int
    state: str
    engine: str
    encoder: str
    dimension: int
    images: int
    indexed: int
    waiting: int
    stale: int
    failed: int
    deletions_waiting: int
    orphans: int | None  # documents without an image when the engine was last compared; None before that
    paused: bool
    preparing: bool  # the sample that its projection is fitted on is being embedded
    to_embed: int  # files that the encoder still has to be run on
    seconds_left: float | None  # an estimate while it is being built; None where there is nothing to go by
    oldest_waiting: datetime | None
    reasons: dict[str, int] = field(default_factory=dict)
    engine_detail: str = ""
    engine_ok: bool = True
    originals_missing: int = 0  # from storage, when they were last looked for
    documents: int | None = None
    bytes: int | None = None
    similarity: dict[str, dict[str, float]] = field(default_factory=dict)  # kind of known pair → band → share in it
    learns_outside: bool | None = None  # of the live one: whether photos unlike the catalogue are learnt from

    @property
    def percent(self) -> int:
        """How much of the catalogue is up to date in it."""
        return 100 * self.indexed // self.images if self.images else 100

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"oldest_waiting": self.oldest_waiting.isoformat() if self.oldest_waiting else None}


def live_progress() -> Progress:
    """Cheap enough for every page: two counts over the small index of placements that are behind."""
    images = Image.objects.count()
    behind = Placement.objects.filter(generation__state=Generation.State.LIVE, behind=True).aggregate(
        waiting=Count("pk", filter=Q(attempts__lt=settings.SEARCH_MAX_ATTEMPTS)),
        failed=Count("pk", filter=Q(attempts__gte=settings.SEARCH_MAX_ATTEMPTS)),
    )
    waiting, failed = min(behind["waiting"], images), min(behind["failed"], images)
    return Progress(images, max(0, images - waiting - failed), waiting, failed)


@dataclass(frozen=True)
class IndexState:
    """Where one image is on its way into the live generation."""

    code: Literal["indexed", "waiting", "failed"]
    reason: str = ""


def states_of(keys: Sequence[UUID]) -> list[IndexState]:
    """The state of each of these images, in their order."""
    live = Placement.objects.filter(generation__state=Generation.State.LIVE, key__in=keys)
    placements = {placement.key: placement for placement in live}
    return [_state_of(placements.get(key)) for key in keys]


def _state_of(placement: Placement | None) -> IndexState:
    if placement is None or (placement.behind and placement.attempts < settings.SEARCH_MAX_ATTEMPTS):
        return IndexState("waiting", placement.reason if placement else "")
    return IndexState("failed", placement.reason) if placement.behind else IndexState("indexed")


def coverage(generation: Generation) -> Coverage:
    """Count a generation's placements against the changes, without trusting the ``behind`` mark."""
    change = Change.objects.filter(key=OuterRef("key"))
    placements = generation.placements.annotate(
        current=Subquery(change.values("version"), output_field=BigIntegerField()),
        changed_at=Subquery(change.values("changed_at")),
        exists=Subquery(Image.objects.filter(pk=OuterRef("key")).values("revision")),
    )
    present = Q(exists__isnull=False)
    behind = Q(version__lt=F("current"))
    failed = Q(attempts__gte=settings.SEARCH_MAX_ATTEMPTS)
    counts = placements.aggregate(
        indexed=Count("pk", filter=present & ~behind),
        waiting=Count("pk", filter=present & behind & ~failed),
        stale=Count("pk", filter=present & behind & Q(version__gt=0)),
        failed=Count("pk", filter=present & behind & failed),
        deletions_waiting=Count("pk", filter=Q(exists__isnull=True) & behind),
        oldest_waiting=Min("changed_at", filter=behind),
    )
    images = Image.objects.count()
    placed = counts["indexed"] + counts["waiting"] + counts["failed"]
    counts["waiting"] += max(0, images - placed)  # not even placed yet
    reasons = dict(
        placements.filter(behind & idle())
        .exclude(reason="")
        .values_list("reason")
        .annotate(images=Count("pk"))
        .order_by("-images")[:20]
    )
    to_embed = count_to_embed(generation.encoder)
    health = get_engine(generation.engine).health(generation.pk)
    return Coverage(
        generation=generation.pk,
        state=generation.state,
        engine=generation.engine,
        encoder=generation.encoder,
        dimension=generation.dimension,
        images=images,
        orphans=None if generation.differences is None else generation.differences.get("orphans", 0),
        paused=generation.paused,
        preparing=generation.preparing,
        to_embed=to_embed,
        seconds_left=_seconds_left(generation, counts["waiting"], to_embed),
        reasons=reasons,
        originals_missing=Image.objects.without_original().count(),
        similarity=generation.scale_shares,
        learns_outside=learns_from_outside(generation) if generation.state == Generation.State.LIVE else None,
        engine_detail=health.detail,
        engine_ok=health.ok,
        documents=health.documents,
        bytes=health.bytes,
        **counts,
    )


def idle() -> Q:
    """Not being worked on now: what is has a reason in advance, for the case that it kills the process."""
    return Q(claimed_until=None) | Q(claimed_until__lte=timezone.now())


def _seconds_left(generation: Generation, waiting: int, to_embed: int) -> float | None:
    write, embed = generation.seconds_per_document, generation.seconds_per_embedding
    if generation.state != Generation.State.BUILDING or generation.paused:
        return None
    if (waiting and write is None and not generation.preparing) or (to_embed and embed is None):
        return None
    return waiting * (write or 0.0) + to_embed * (embed or 0.0)
