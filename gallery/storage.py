"""Files of records: names of their own, deletion after the commit, and the sweep of what no row names."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from gallery.keys import new_key


def fresh_name(extension: str) -> str:
    """A storage name that nobody chose: two levels of folders keep directories small. ``extension`` has no dot."""
    key = new_key().hex
    return f"{key[-2:]}/{key[-4:-2]}/{key}.{extension}"


def delete_after_commit(file: FieldFile) -> None:
    """Delete the stored file once the deletion of its row is certain."""
    if file.name:
        transaction.on_commit(partial(file.storage.delete, file.name))


def walk(storage: Storage, folder: str = "") -> Iterator[str]:
    """Every file name in a storage, folder by folder."""
    folders, files = storage.listdir(folder)
    prefix = f"{folder}/" if folder else ""
    for name in files:
        yield prefix + name
    for name in folders:
        yield from walk(storage, prefix + name)


def sweep_unnamed_files(storage_alias: str, named: Iterable[str]) -> int:
    """Delete files older than the grace period that no row names.

    :param named: the names that rows hold; read after the files are listed, so that a row written meanwhile counts
    :return: how many files were deleted
    """
    storage = storages[storage_alias]
    oldest = timezone.now() - timedelta(hours=settings.UNNAMED_FILES_KEPT_HOURS)
    try:
        names = list(walk(storage))
    except FileNotFoundError:  # nothing was ever stored here
        return 0
    unnamed = set(names).difference(named)
    old = [name for name in sorted(unnamed) if storage.get_modified_time(name) < oldest]
    for name in old:
        storage.delete(name)
    return len(old)
