"""Files of records: names of their own, deletion after the commit, and the sweep of what no row names."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from django.apps import apps
from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models, transaction
from django.db.models.fields.files import FieldFile
from django.utils import timezone
from storages.backends.s3 import S3Storage

from gallery.keys import new_key

_CHUNK = 1024 * 1024  # bytes


def fresh_name(extension: str) -> str:
    """A storage name that nobody chose: two levels of folders keep directories small. ``extension`` has no dot."""
    key = new_key().hex
    return f"{key[-2:]}/{key[-4:-2]}/{key}.{extension}"


def delete_after_commit(file: FieldFile) -> None:
    """Delete the stored file once the deletion of its row is certain."""
    if file.name:
        transaction.on_commit(partial(file.storage.delete, file.name))


class FileColumn(NamedTuple):
    """A column that names files, and the alias in ``STORAGES`` of where they lie."""

    model: type[models.Model]
    field: models.FileField
    alias: str


def file_columns() -> list[FileColumn]:
    """Every column of every table that names files."""
    aliases = {id(storages[alias]): alias for alias in settings.STORAGES}
    return [
        FileColumn(model, field, aliases[id(_storage_of(field))])
        for model in apps.get_models()
        if not model._meta.proxy
        for field in model._meta.concrete_fields
        if isinstance(field, models.FileField)
    ]


def _storage_of(field: models.FileField) -> Storage:
    """The storage as the settings have it now; the field itself keeps the one that it first had."""
    storage = field.deconstruct()[3].get("storage", storages["default"])
    return storage() if callable(storage) else storage


def sha256_of(storage: Storage, name: str) -> tuple[str, int]:
    """Hash and length of a stored file.

    :raises OSError: when it is missing (``FileNotFoundError``) or cannot be read
    """
    digest, size = hashlib.sha256(), 0
    with storage.open(name, "rb") as file:
        for chunk in file.chunks(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def walk(storage: Storage, folder: str = "") -> Iterator[str]:
    """Every file name in a storage. A bucket is listed at once, anything else folder by folder."""
    if isinstance(storage, S3Storage) and not folder:
        prefix = f"{storage.location.strip('/')}/" if storage.location else ""
        yield from (item.key.removeprefix(prefix) for item in storage.bucket.objects.filter(Prefix=prefix))
        return
    folders, files = storage.listdir(folder)
    prefix = f"{folder}/" if folder else ""
    for name in files:
        yield prefix + name
    for name in folders:
        yield from walk(storage, prefix + name)


def sweep_unnamed_files(storage_alias: str, named: Iterable[str], folder: str = "") -> int:
    """Delete files older than the grace period that no row names.

    :param named: the names that rows hold; read after the files are listed, so that a row written meanwhile counts
    :param folder: only in it, where the storage holds other things, too
    :return: how many files were deleted
    """
    storage = storages[storage_alias]
    oldest = timezone.now() - timedelta(hours=settings.UNNAMED_FILES_KEPT_HOURS)
    try:
        names = list(walk(storage, folder))
    except FileNotFoundError:  # nothing was ever stored here
        return 0
    unnamed = set(names).difference(named)
    old = [name for name in sorted(unnamed) if storage.get_modified_time(name) < oldest]
    for name in old:
        storage.delete(name)
    return len(old)
