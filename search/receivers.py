"""The one receiver of the gallery's one signal."""

from uuid import UUID

from gallery.signals import images_changed
from search.indexing.changes import record_changes


def images_changed_received(sender, keys: list[UUID], **kwargs) -> None:
    record_changes(keys)


def connect() -> None:
    images_changed.connect(images_changed_received, dispatch_uid="search.images_changed")
