"""Vectors that come along with pictures: whoever keeps vectors may take them, so that no model has to run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from gallery.signals import vector_offered


@dataclass(frozen=True)
class Vector:
    """What a row says of its picture's vector, as JSON gave it: nothing of it is checked."""

    encoder: Any  # "name@version", or an object of name and version
    numbers: Any
    parts: Any = None  # name of a part → [start, end] in the numbers; all parts in their order if left out

    @property
    def identity(self) -> str:
        """The encoder as ``name@version``; empty where none can be read."""
        if isinstance(self.encoder, Mapping):
            name, version = self.encoder.get("name"), self.encoder.get("version")
            return f"{name}@{version}" if name and version else ""
        return self.encoder if isinstance(self.encoder, str) else ""


def offer_vector(vector: Vector | None, sha256: str) -> str:
    """Offer a vector for the file of this hash, inside the transaction that records it.

    :param sha256: empty before that: the vector is only judged then
    :return: why it is not used, in a sentence; empty where it is, or where there is none
    """
    if vector is None:
        return ""
    notes = [str(note) for _receiver, note in vector_offered.send(sender=None, vector=vector, sha256=sha256)]
    if not notes:
        return _("Nothing here takes vectors; the picture is embedded.")
    return "" if "" in notes else notes[0]
