"""The one signal by which records speak to whoever keeps an index of them."""

from collections.abc import Iterable
from uuid import UUID

from django.dispatch import Signal

# Sent inside the transaction that makes the change, with ``keys: list[UUID]`` of the images whose document is now
# different, or gone. A receiver must only write to the database: it runs before the commit.
images_changed = Signal()


def announce(keys: Iterable[UUID]) -> None:
    """Send ``images_changed`` for these image keys, if there are any."""
    keys = list(dict.fromkeys(keys))
    if keys:
        images_changed.send(sender=None, keys=keys)
