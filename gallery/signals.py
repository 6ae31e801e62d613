"""The signals by which records speak to whoever keeps an index of them, or rows about them."""

from collections.abc import Iterable
from uuid import UUID

from django.dispatch import Signal

# Sent inside the transaction that makes the change, with ``keys: list[UUID]`` of the images whose document is now
# different, or gone. A receiver must only write to the database: it runs before the commit.
images_changed = Signal()
# Sent inside the transaction that merges, before the dropped row is deleted, with ``kept: UUID`` and ``dropped: UUID``:
# rows elsewhere that name the dropped one move to the kept one. The same holds for receivers.
images_merged = Signal()
products_merged = Signal()

# Sent inside the transaction that records an imported image, with ``vector: gallery.importing.vectors.Vector`` and the
# ``sha256`` of its file; and once before, with an empty hash, to be judged alone. A receiver that keeps vectors returns
# an empty text, or why it does not take this one. With a hash it must only write to the database.
vector_offered = Signal()


def announce(keys: Iterable[UUID]) -> None:
    """Send ``images_changed`` for these image keys, if there are any."""
    keys = list(dict.fromkeys(keys))
    if keys:
        images_changed.send(sender=None, keys=keys)
