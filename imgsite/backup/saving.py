"""Writing an archive: rows out of one snapshot of the database, then the files that they name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from django.core.files.base import File
from django.core.files.storage import storages
from django.db import connection, models
from django.utils import timezone

from gallery.buckets import FAULTS
from gallery.models import Image
from gallery.storage import file_columns
from imgsite.backup import configuration, tables
from imgsite.backup.archive import CHUNK, FILES, FORMAT, Archive, ArchiveWriter, Member
from imgsite.backup.encryption import decrypted, encrypting
from imgsite.backup.places import Place

_NAMED_AT_MOST = 1_000  # faults that the manifest names one by one
Say = Callable[[str], None]


class BackupError(Exception):
    """No archive was made; the text is a sentence for a person."""


@dataclass(frozen=True)
class NamedFile:
    """A file that a row names. ``sha256`` is what the row says of it; empty where rows say nothing."""

    alias: str
    name: str
    label: str
    pk: Any
    sha256: str = ""


@dataclass
class Saved:
    """What went into an archive, and what is wrong with the installation that it was made of."""

    rows: int = 0
    files: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)  # named by a row, and not in storage
    changed: list[str] = field(default_factory=list)  # not the bytes that the row speaks of
    gone: list[str] = field(default_factory=list)  # deleted or replaced since the rows were read


class FilesNamed:
    """Collects the files that rows name while the rows go by."""

    def __init__(self) -> None:
        self._columns: dict[type[models.Model], list[tuple[str, str]]] = {}
        for model, column, alias in file_columns():
            self._columns.setdefault(model, []).append((column.attname, alias))
        self.found: list[NamedFile] = []

    def seen(self, row: models.Model) -> None:
        for attribute, alias in self._columns.get(type(row), ()):
            if name := getattr(row, attribute).name:
                sha256 = row.sha256 if isinstance(row, Image) else ""
                self.found.append(NamedFile(alias, name, row._meta.label, row.pk, sha256))


def save(stream: IO[bytes], say: Say) -> Saved:
    """Write an archive to a stream. Nothing is locked: pages and the indexing loop go on meanwhile.

    :raises BackupError: when a storage cannot be read; the archive is not finished then
    """
    writer, saved = ArchiveWriter(stream), Saved()
    try:
        _save(writer, saved, say)
    except BaseException:
        writer.abandon()
        raise
    return saved


def _save(writer: ArchiveWriter, saved: Saved, say: Say) -> None:
    named, entries = FilesNamed(), []
    with tables.snapshot():
        migrations = tables.applied_migrations()
        for number, model in enumerate(tables.kept_models(), start=1):
            label = model._meta.label
            with writer.member(f"rows/{number:03d}-{label}.jsonl") as (content, member):
                rows = tables.dump(model, tables.TextOnto(content), named.seen)
            entries.append({"model": label, "rows": rows} | member.as_json())
            saved.rows += rows
    say(f"{saved.rows} rows of {len(entries)} tables.")
    listed = _save_files(writer, saved, named.found, say)
    writer.finish(
        {
            "format": FORMAT,
            "made_at": timezone.now().isoformat(),
            "database": connection.vendor,
            "migrations": migrations,
            "tables": entries,
            "files": {"count": saved.files} | listed.as_json(),
            "missing": saved.missing[:_NAMED_AT_MOST],
            "changed": saved.changed[:_NAMED_AT_MOST],
            "gone": saved.gone[:_NAMED_AT_MOST],
            "settings": configuration.told(),
        }
    )


def _save_files(writer: ArchiveWriter, saved: Saved, named: list[NamedFile], say: Say) -> Member:
    """
    :return: the member that lists them
    """
    lines: list[dict[str, Any]] = []
    for file in {(file.alias, file.name): file for file in named}.values():
        entry = _save_file(writer, file)
        if entry is None:
            # Where no row names it any more, the photo was deleted or replaced since the snapshot: nothing is wrong.
            (saved.missing if _is_named(file) else saved.gone).append(f"{file.alias}/{file.name}")
            continue
        if file.sha256 and entry["sha256"] != file.sha256:
            saved.changed.append(f"{file.alias}/{file.name}")
        lines.append(entry)
        saved.files += 1
        saved.bytes += entry["bytes"]
        if saved.files % 1_000 == 0:
            say(f"{saved.files} files.")
    with writer.member(FILES) as (content, member):
        text = tables.TextOnto(content)
        for entry in lines:
            text.write(tables.json_line(entry))
    return member


def _save_file(writer: ArchiveWriter, file: NamedFile) -> dict[str, Any] | None:
    """The entry of a file that is now in the archive; None where storage does not have it."""
    try:
        opened = storages[file.alias].open(file.name, "rb")
    except FileNotFoundError:
        return None
    except (OSError, *FAULTS) as error:
        raise _cannot_be_read(file, error) from error
    with opened, writer.member(f"files/{file.alias}/{file.name}", packed=False) as (content, member):
        for chunk in _chunks(opened, file):
            content.write(chunk)
    return member.as_json() | {"storage": file.alias, "name": file.name}


def _chunks(opened: File, file: NamedFile) -> Iterator[bytes]:
    """:raises BackupError: for a fault of the storage; the archive's own place may fail in other ways"""
    try:
        yield from opened.chunks(CHUNK)
    except (OSError, *FAULTS) as error:
        raise _cannot_be_read(file, error) from error


def _cannot_be_read(file: NamedFile, error: Exception) -> BackupError:
    return BackupError(f"{file.alias}/{file.name} cannot be read from storage: {error}")


def _is_named(file: NamedFile) -> bool:
    return any(
        model._base_manager.filter(pk=file.pk, **{column.attname: file.name}).exists()
        for model, column, alias in file_columns()
        if (model._meta.label, alias) == (file.label, file.alias)
    )


def back_up(target: Place, say: Say, *, verify: bool = True, passphrase: str = "") -> Saved:
    """Write an archive and read it back. It is there only when it is whole.

    :param passphrase: encrypt the archive with it
    :raises imgsite.backup.places.PlaceError, imgsite.backup.archive.ArchiveError, BackupError: nothing is there then
    """
    with target.writing() as stream:
        if passphrase:
            with encrypting(stream, passphrase) as encrypted:
                saved = save(encrypted, say)
        else:
            saved = save(stream, say)
    if verify:
        try:
            with target.reading() as stream:
                whole = decrypted(stream, str(target), passphrase) if passphrase else stream
                members = Archive(whole, str(target)).verify()
        except Exception:
            target.delete()
            raise
        say(f"{members} members were read back and are as they were written.")
    return saved
