"""An installation made again from an archive: everything is read and checked before anything is written."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.core.files.base import File
from django.core.files.storage import storages
from django.core.serializers.base import DeserializationError
from django.db import DatabaseError, models, transaction
from django.utils.translation import gettext as _

from gallery.buckets import FAULTS
from gallery.models import Image, Job
from gallery.storage import file_columns, sha256_of
from imgsite.backup import configuration, tables
from imgsite.backup.archive import Archive, ArchiveError
from search.engines.base import EngineError
from search.generations.restoring import fill_from_stored, free_number, succeed
from search.models import Generation

Say = Callable[[str], None]


class RestoreError(Exception):
    """Nothing was restored; the text is a sentence for a person that says what to do."""


@dataclass
class Restored:
    rows: int = 0
    files: int = 0
    generation: Generation | None = None  # live, and without an index yet
    notes: list[str] = field(default_factory=list)  # what a person should know


def restore(archive: Archive, say: Say) -> Restored:
    """Bring the files back, then all rows in one transaction. The index is filled afterwards (``fill_index``).

    :raises RestoreError, ArchiveError: nothing has changed then: files that were written are deleted again
    :raises EngineError: when the engine of the settings cannot be reached, before anything is written
    """
    _check_here(archive)
    number = free_number(1 + _highest_generation(archive))
    say(f"{archive.verify()} members were read and are as they were written.")
    restored = Restored(notes=configuration.differences(archive.manifest["settings"]))
    written: list[tuple[str, str]] = []
    try:
        for alias, name in _files(archive):
            written.append((alias, name))
            restored.files += 1
            if restored.files % 1_000 == 0:
                say(f"{restored.files} files.")
        restored.rows, restored.generation = _load(archive, number)
    except BaseException as error:
        left = _delete_again(written)
        if isinstance(error, DatabaseError | DeserializationError | ValidationError):
            raise RestoreError(f"The rows do not fit this database: {error} {left}") from error
        if isinstance(error, (OSError, *FAULTS)):
            raise RestoreError(f"The files cannot be written: {error} {left}") from error
        raise
    if missing := archive.manifest["missing"]:
        restored.notes.append(f"{len(missing)} files were missing already when the backup was made: {missing[0]}…")
    if gone := archive.manifest.get("gone"):
        restored.notes.append(
            f"{len(gone)} files were deleted or replaced while the backup was made, and are missing: {gone[0]}…"
        )
    return restored


def _delete_again(written: list[tuple[str, str]]) -> str:
    """
    :return: a sentence that says what is left
    """
    left = 0
    for alias, name in written:
        try:
            if storages[alias].exists(name):  # the last one may not have been begun
                storages[alias].delete(name)
        except (OSError, *FAULTS):
            left += 1
    return f"{left} files could not be deleted again; no row was written." if left else "Nothing was changed."


def _check_here(archive: Archive) -> None:
    """:raises RestoreError: when this installation is not empty, or is of another release"""
    then, now = set(archive.manifest["migrations"]), set(tables.applied_migrations())
    if then != now:
        only = sorted(then - now)[:1] or sorted(now - then)[:1]
        where = "the backup" if then - now else "this installation"
        raise RestoreError(
            f"The backup is of another release: {only[0]} is applied in {where} alone. Install the release that made "
            "the backup, run manage.py migrate, restore, and update after that."
        )
    known = {model._meta.label for model in tables.kept_models()}
    if unknown := {entry["model"] for entry in archive.tables} ^ known:
        raise RestoreError(f"The backup and this installation differ in a table: {sorted(unknown)[0]}.")
    if filled := tables.filled():
        first = sorted(filled.items(), key=lambda item: ("Historical" in item[0], item[0]))[:4]
        rows = ", ".join(f"{count} of {label}" for label, count in first)
        raise RestoreError(
            f"This installation is not empty: it has {rows}. Set DATABASE_URL to a new database, and DATA_DIR or "
            "S3_BUCKET to an empty place, run manage.py migrate, and restore there."
        )


def _highest_generation(archive: Archive) -> int:
    (entry,) = (entry for entry in archive.tables if entry["model"] == "search.Generation")
    return max((int(row["pk"]) for row in archive.lines(entry["member"])), default=0)


def _files(archive: Archive) -> Iterator[tuple[str, str]]:
    """Write the files that are not there yet; gives each as soon as it may have to be deleted again."""
    known = {alias for _model, _field, alias in file_columns()}
    for entry in archive.files():
        alias, name = entry["storage"], entry["name"]
        if alias not in known:
            raise ArchiveError(f"{archive.name} holds files of a storage that is unknown here: {alias}.")
        storage = storages[alias]
        try:
            there = sha256_of(storage, name)
        except FileNotFoundError:
            pass
        except SuspiciousOperation as error:  # folders and buckets raise different ones
            raise ArchiveError(f"{archive.name} names a file outside of its storage: {name}.") from error
        else:
            if there == (entry["sha256"], entry["bytes"]):
                continue  # of a restore that was stopped
            raise RestoreError(
                f"{alias} has another file of the name {name}. Set DATA_DIR or S3_BUCKET to an empty place."
            )
        yield alias, name
        with archive.reading(entry["member"]) as content:
            saved = storage.save(name, File(content))
        if saved != name:
            with suppress(OSError, *FAULTS):
                storage.delete(saved)
            raise RestoreError(f"{alias} does not take the name {name}.")


@transaction.atomic
def _load(archive: Archive, number: int) -> tuple[int, Generation | None]:
    tables.empty(tables.OF_MIGRATIONS)
    loaded: list[type[models.Model]] = []
    rows = 0
    members: dict[str, dict[str, Any]] = {entry["model"]: entry for entry in archive.tables}
    for label, entry in members.items():
        model = apps.get_model(label)
        rows += tables.load(model, archive.lines(entry["member"]))
        loaded.append(model)
    Job.objects.give_up(_("The installation was restored from a backup. Start it again."))
    tables.settle(loaded)
    successor = succeed(number)
    tables.settle([Generation])
    return rows, successor


def fill_index(generation: Generation, say: Say) -> None:
    """Write the new generation's index from stored embeddings. What cannot be done now the indexing loop does."""
    try:
        written = fill_from_stored(generation)
    except EngineError as error:
        say(f"The index was not filled: {error} The indexing loop does it: manage.py index run")
        return
    left = Image.objects.count() - generation.placements.filter(behind=False).count()
    rest = f" {left} others are indexed by the loop: manage.py index run" if left > 0 else ""
    say(f"Generation {generation.pk} is live, with {written} images, and no model was run.{rest}")
