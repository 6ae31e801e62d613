"""Keys of records: UUIDs of version 7, whose order is the order of creation (RFC 9562)."""

import uuid

from uuid_utils import compat


def new_key() -> uuid.UUID:
    """A fresh UUIDv7 as the standard library's type."""
    return compat.uuid7()
