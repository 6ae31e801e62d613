"""The one receiver of the gallery's one signal, and the one that deletes the files of query photos."""

from uuid import UUID

from django.db.models.signals import post_delete

from gallery.signals import images_changed
from gallery.storage import delete_after_commit
from search.indexing.changes import record_changes
from search.models import QueryPhoto


def images_changed_received(sender, keys: list[UUID], **kwargs) -> None:
    record_changes(keys)


def query_photo_deleted(sender, instance: QueryPhoto, **kwargs) -> None:
    delete_after_commit(instance.file)


def connect() -> None:
    images_changed.connect(images_changed_received, dispatch_uid="search.images_changed")
    post_delete.connect(query_photo_deleted, sender=QueryPhoto, dispatch_uid="search.query_photo_deleted")
