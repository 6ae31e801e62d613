"""Whether what rows name is in storage: originals that are missing are noted, lost renditions are made again."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.core.files.storage import Storage, storages

from gallery.buckets import FAULTS
from gallery.models import Image, Rendition
from gallery.storage import sha256_of, walk

logger = logging.getLogger(__name__)

_CHUNK = 500  # keys in one statement


@dataclass
class Checked:
    """What was found. ``missing`` and ``changed`` are keys of images."""

    originals: int = 0
    missing: list[UUID] = field(default_factory=list)
    changed: list[UUID] = field(default_factory=list)  # other bytes than those that were uploaded
    found_again: int = 0
    renditions_lost: int = 0


def check_storage(*, hashes: bool = False) -> Checked:
    """Look for every file that a row names.

    :param hashes: also read every original and compare it with its SHA-256
    :raises OSError: (or ``gallery.buckets.FAULTS``) when a storage cannot be read; nothing was noted then
    """
    checked = Checked()
    originals = storages["originals"]
    rows = list(Image.objects.order_by("pk").values_list("pk", "original", "sha256"))
    missing_names = _not_there(originals, (name for _pk, name, _sha256 in rows))
    checked.originals = len(rows)
    checked.missing = [pk for pk, name, _sha256 in rows if name in missing_names]
    if hashes:
        there = (row for row in rows if row[1] not in missing_names)
        checked.changed = [pk for pk, name, sha256 in there if sha256_of(originals, name)[0] != sha256]
    for pks in chunks(checked.missing):
        Image.objects.filter(pk__in=pks).note_missing()
    again = set(Image.objects.without_original().primary_keys()) - set(checked.missing)
    for pks in chunks(sorted(again)):
        checked.found_again += Image.objects.filter(pk__in=pks).note_found()
    checked.renditions_lost = _forget_lost_renditions()
    return checked


def look_for_originals() -> None:
    """``check_storage`` for the schedule: a storage that does not answer is asked again the next time."""
    try:
        checked = check_storage()
    except (OSError, *FAULTS) as error:
        logger.warning("The storage was not checked: %s", error)
        return
    if checked.missing:
        logger.error("%d originals are missing from storage. See: manage.py storage check", len(checked.missing))


def _forget_lost_renditions() -> int:
    rows = dict(Rendition.objects.order_by("pk").values_list("file", "pk"))
    lost = [rows[name] for name in _not_there(storages["renditions"], rows)]
    for pks in chunks(lost):
        Rendition.objects.filter(pk__in=pks).delete()
    return len(lost)


def chunks(keys: Sequence) -> Iterator[Sequence]:
    return (keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK))


def _not_there(storage: Storage, names: Iterable[str]) -> set[str]:
    """Those that storage does not have: one listing, and a second look at what came while it was read."""
    try:
        listed = set(walk(storage))
    except FileNotFoundError:  # nothing was ever stored here
        listed = set()
    return {name for name in names if name not in listed and not storage.exists(name)}
