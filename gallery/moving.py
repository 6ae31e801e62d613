"""Files from one storage to another: only what rows name, each read back and compared before it counts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage
from storages.backends.s3 import S3Storage

from gallery.buckets import FAULTS
from gallery.models import Image
from gallery.storage import file_columns, sha256_of, walk

GIVE_UP_AFTER = 20  # files in a row that fail: then it is the storage, and not the files
Say = Callable[[str], None]


class MoveError(Exception):
    """Nothing can be moved; the text is a sentence for a person."""


@dataclass
class Moved:
    copied: int = 0
    bytes: int = 0
    there: int = 0  # in place already, byte for byte
    deleted: int = 0
    failed: list[str] = field(default_factory=list)  # a sentence for each file


def aliases() -> list[str]:
    """Storages that rows name files in."""
    return sorted({alias for _model, _field, alias in file_columns()})


def other_storage(address: str, alias: str) -> Storage:
    """The storage that an installation would have under this alias with its files at ``s3://bucket`` or
    ``file:///folder`` (what ``S3_BUCKET`` or ``DATA_DIR`` would name).

    :raises MoveError: for another kind of address
    """
    parts = urlsplit(address)
    if parts.scheme == "s3" and parts.netloc and parts.path in ("", "/"):
        options = settings.S3_CONNECTION | {"bucket_name": parts.netloc, "location": alias}
        return S3Storage(**options, default_acl=None, file_overwrite=False)
    if parts.scheme == "file" and not parts.netloc and len(parts.path) > 1:
        return FileSystemStorage(location=str(Path(unquote(parts.path)) / alias), base_url=None)
    raise MoveError(f"{address} is neither s3://bucket nor file:///folder.")


def is_same(one: Storage, other: Storage) -> bool:
    if isinstance(one, FileSystemStorage) and isinstance(other, FileSystemStorage):
        return Path(one.location).resolve() == Path(other.location).resolve()
    if isinstance(one, S3Storage) and isinstance(other, S3Storage):
        places = [(each.endpoint_url, each.bucket_name, each.location) for each in (one, other)]
        return places[0] == places[1]
    return False


def named_files(alias: str) -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of the files that rows name in a storage; the hash is empty where rows do not know it."""
    for model, column, where in file_columns():
        if where != alias:
            continue
        rows = model._base_manager.exclude(**{column.attname: ""}).order_by("pk")
        if model is Image:
            yield from rows.values_list(column.attname, "sha256").iterator()
        else:
            yield from ((name, "") for name in rows.values_list(column.attname, flat=True).iterator())


def move(alias: str, source: Storage, target: Storage, moved: Moved, say: Say, *, delete: bool, dry_run: bool) -> None:
    """Bring one storage's files over. A file that fails is told of and passed over, and nothing of it stays behind.

    :param delete: also delete each file at the source, once it is known to be at the target byte for byte
    :raises MoveError: when so many files fail one after another that the storage itself must be at fault
    """
    in_a_row = 0
    for name, sha256 in named_files(alias):
        try:
            _move_one(name, sha256, source, target, moved, delete=delete, dry_run=dry_run)
            in_a_row = 0
        except (OSError, *FAULTS) as error:
            # A storage that has other files has lost this one: that stops no move, however many are lost.
            in_a_row += not (isinstance(error, FileNotFoundError) and _has_files(source))
            moved.failed.append(f"{alias}/{name}: {error}")
            say(moved.failed[-1])
            if in_a_row >= GIVE_UP_AFTER:
                raise MoveError(
                    f"{in_a_row} files failed one after another. Mend the storage, and run this again: it goes on "
                    "where it stopped."
                ) from error


def _has_files(storage: Storage) -> bool:
    try:
        return next(walk(storage), None) is not None
    except (OSError, *FAULTS):
        return False


def _move_one(
    name: str, sha256: str, source: Storage, target: Storage, moved: Moved, *, delete: bool, dry_run: bool
) -> None:
    wanted, there = sha256 or _hash(source, name), _hash(target, name)
    if wanted is None and there is not None:
        wanted = there  # moved and deleted at the source by an earlier run
    if wanted is None:
        raise FileNotFoundError("it is in neither of the two storages")
    if there == wanted:
        moved.there += 1
    elif dry_run:
        moved.copied += 1
        moved.bytes += source.size(name)
    else:
        moved.bytes += _copy(name, wanted, source, target, replace=there is not None)
        moved.copied += 1
    if delete and not dry_run and source.exists(name):
        source.delete(name)
        moved.deleted += 1


def _copy(name: str, wanted: str, source: Storage, target: Storage, *, replace: bool) -> int:
    """
    :return: how many bytes there were
    :raises OSError: when the file is not at the target as it should be; then nothing of that name is
    """
    if _hash(source, name) != wanted:
        if not source.exists(name):
            raise FileNotFoundError("it is missing from storage")
        raise OSError("it is not the file that was uploaded: its SHA-256 is another one")
    if replace:
        target.delete(name)  # half of it, or of another file: ours is whole
    try:
        with source.open(name, "rb") as content:
            saved = target.save(name, File(content))
        if saved != name:
            target.delete(saved)
            raise OSError(f"the target gave it another name: {saved}")
        sha256, size = sha256_of(target, name)
        if sha256 != wanted:
            raise OSError("the target gave back other bytes than were written")
    except BaseException:
        _delete_quietly(target, name)
        raise
    return size


def _hash(storage: Storage, name: str) -> str | None:
    """None where there is no such file."""
    try:
        return sha256_of(storage, name)[0]
    except FileNotFoundError:
        return None


def _delete_quietly(storage: Storage, name: str) -> None:
    try:
        storage.delete(name)
    except (OSError, *FAULTS):
        return  # the failure that led here is the one to tell of
