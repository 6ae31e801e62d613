"""Compare what the engine holds with what the database says, and repair both ways."""

from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils import timezone

from gallery.models import Image
from search.chunks import chunks
from search.engines import get_engine
from search.generations.building import place_missing
from search.indexing.changes import raise_above, record_changes
from search.models import Change, Generation, Placement


@dataclass(frozen=True)
class Differences:
    """What did not agree. Every list is repaired by the indexing loop after ``reconcile(repair=True)``."""

    missing: list[UUID]  # written according to the database, not in the engine
    stale: list[UUID]  # the engine holds an older version than was written
    ahead: list[UUID]  # the engine holds a version that we never gave
    orphans: list[UUID]  # in the engine, but the image has gone
    unrecorded: list[UUID]  # images without a change, or changes that outlived their image unnoticed

    @property
    def total(self) -> int:
        return sum(len(keys) for keys in vars(self).values())

    def __str__(self) -> str:
        return ", ".join(f"{len(keys)} {name}" for name, keys in vars(self).items())


def reconcile(generation: Generation, *, repair: bool = True) -> Differences:
    """Read the engine first and the database after it, so that a write in between looks like work already done.

    :raises EngineUnavailable, IndexMissing: nothing was changed then
    """
    engine = get_engine(generation.engine)
    held = dict(engine.keys_and_versions(generation.pk))
    written = dict(generation.placements.filter(version__gt=0).values_list("key", "version"))
    changes = {
        key: (version, deleted) for key, version, deleted in Change.objects.values_list("key", "version", "deleted")
    }
    images = set(Image.objects.order_by().values_list("pk", flat=True))

    def is_gone(key: UUID) -> bool:
        return key not in images

    differences = Differences(
        missing=[key for key in written if key not in held and not is_gone(key)],
        stale=[key for key, version in written.items() if key in held and held[key] < version],
        ahead=[key for key, version in held.items() if key in changes and version > changes[key][0]],
        orphans=[key for key, version in held.items() if is_gone(key) and written.get(key, 0) >= version],
        unrecorded=[key for key in images if key not in changes]
        + [key for key, (_version, deleted) in changes.items() if is_gone(key) and not deleted and key not in held]
        + [key for key in held if key not in changes],
    )
    # A deletion that is merely waiting for its turn is no difference.
    waiting = set(generation.placements.filter(behind=True).values_list("key", flat=True))
    differences = Differences(
        **{name: [k for k in keys if k not in waiting] for name, keys in vars(differences).items()}
    )
    if repair:
        _repair(generation, differences, held)
    counts = {name: len(keys) for name, keys in vars(differences).items()}
    Generation.objects.filter(pk=generation.pk).update(
        reconciled_at=timezone.now(), differences=counts, reconcile_requested=False
    )
    return differences


def _repair(generation: Generation, differences: Differences, held: dict[UUID, int]) -> None:
    for keys in chunks(_unique(differences.missing, differences.stale)):
        Placement.objects.filter(generation=generation, key__in=keys).update(
            version=0, behind=True, attempts=0, next_attempt_at=None, claimed_until=None, reason=""
        )
    for keys in chunks(_unique(differences.ahead, differences.orphans, differences.unrecorded)):
        raised = set(raise_above({key: held.get(key, 0) for key in keys}))
        record_changes([key for key in keys if key not in raised])
    place_missing(generation)


def _unique(*lists: list[UUID]) -> list[UUID]:
    return list(dict.fromkeys(chain.from_iterable(lists)))


def mark_missed() -> int:
    """Set ``behind`` and create placements where a rare interleaving with a new generation left them out."""
    marked = 0
    for generation in Generation.objects.kept():
        marked += place_missing(generation)
        newer = Change.objects.filter(key=OuterRef("key"), version__gt=OuterRef("version"))
        behind = generation.placements.filter(Exists(newer), behind=False)
        keys = list(behind.values_list("pk", flat=True)[:10_000])
        for chunk in chunks(keys):
            marked += Placement.objects.filter(pk__in=chunk).update(behind=True)
    return marked
