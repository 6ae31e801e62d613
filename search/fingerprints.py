"""Retrieval by binary: the words of a search may be a file's SHA-256, or a perceptual hash, in place of words.

``sha256:<64 hexadecimal digits>``, ``phash:<16 hexadecimal digits>`` and ``phash:<16 digits>~<bits>``; a bare string of
64 or 16 hexadecimal digits is one of these, too. The database answers, not the engine: these are facts of the files.
"""

import re
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gallery.hashes import MOST_BITS
from gallery.models import Image
from gallery.visibility import Visibility
from search.slices import Hit

USUAL_BITS = 6  # re-encoding and scaling change fewer
MOST_FOUND = 240  # photos, as many as a window of results
_TEXT = re.compile(
    r"(?:sha256:)?(?P<sha256>[0-9a-f]{64})|(?:phash:)?(?P<phash>[0-9a-f]{16})(?:~(?P<bits>[0-9]{1,2}))?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True)
class Fingerprint:
    """A hash that is looked for, as it stands in the words of a query."""

    kind: Literal["sha256", "phash"]
    hash: str  # lower case
    bits: int = 0  # that a perceptual hash may differ in
    is_bare: bool = False  # only digits were given: they may be a word, such as an article number

    @classmethod
    def of(cls, text: str) -> "Fingerprint | None":
        """None for any other words, and for more bits than are looked for."""
        found = _TEXT.fullmatch(text.strip())
        if found is None:
            return None
        bare = ":" not in text
        if found["sha256"]:
            return cls("sha256", found["sha256"].lower(), is_bare=bare)
        bits = USUAL_BITS if found["bits"] is None else int(found["bits"])
        return cls("phash", found["phash"].lower(), bits, bare) if bits <= MOST_BITS else None

    def __str__(self) -> str:
        """The words that ask for it."""
        if self.kind == "sha256":
            return f"sha256:{self.hash}"
        return f"phash:{self.hash}" + ("" if self.bits == USUAL_BITS else f"~{self.bits}")

    def distances(self, who: Visibility) -> dict[UUID, int]:
        """Keys of the photos that who asks may see, with the bits that differ, the nearest first."""
        visible = Image.objects.visible_to(who)
        if self.kind == "phash":
            return dict(list(visible.hashed_like(self.hash, self.bits).items())[:MOST_FOUND])
        keys = visible.filter(sha256=self.hash).order_by("pk").values_list("pk", flat=True)[:MOST_FOUND]
        return dict.fromkeys(keys, 0)

    def hits(self, who: Visibility, *, of_products: bool) -> list[Hit]:
        """What was found, as hits without a similarity.

        :param of_products: each product once, by its nearest photo
        """
        distances = self.distances(who)
        products = dict(Image.objects.filter(pk__in=list(distances)).values_list("pk", "product_id"))
        photos: dict[str, list[UUID]] = {}
        for key in distances:
            if key in products:
                photos.setdefault(str(products[key]) if of_products else str(key), []).append(key)
        return [Hit(keys[0], str(products[keys[0]]), photos_matching=len(keys)) for keys in photos.values()]

    def note(self, found: int) -> str:
        """How it was looked for, in a sentence."""
        if self.kind == "sha256":
            if found:
                return _("Found by the SHA-256 of the file: the bytes are the same.")
            return _("No photo has a file with this SHA-256.")
        if not found:
            return ngettext(
                "No photo has a perceptual hash that differs in at most %(n)d bit.",
                "No photo has a perceptual hash that differs in at most %(n)d bits.",
                self.bits,
            ) % {"n": self.bits}
        return ngettext(
            "Found by the perceptual hash: at most %(n)d of 64 bits differs.",
            "Found by the perceptual hash: at most %(n)d of 64 bits differ.",
            self.bits,
        ) % {"n": self.bits}
