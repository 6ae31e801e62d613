"""Photos of cards, made ahead of time while the indexing loop has nothing else to do."""

import logging

from gallery.models import Image, Rendition
from gallery.renditions import CARD_WIDTH, rendition

logger = logging.getLogger(__name__)


class CardRenditions:
    """Makes the photos of cards ahead of time, so that a results page need not: only when nothing else is due."""

    AT_ONCE = 8

    def __init__(self) -> None:
        self.may_be_missing = True
        self.unreadable: set[str] = set()  # hashes of files that were reported

    def seen(self, worked: int) -> None:
        """Indexing was at work, so there may be new files."""
        self.may_be_missing = self.may_be_missing or worked > 0

    def make_some(self) -> int:
        """Make a few that are missing.

        :return: how many were made; 0 when none is missing
        """
        if not self.may_be_missing:
            return 0
        without = Image.objects.without_rendition(Rendition.Format.WEBP, CARD_WIDTH)
        missing = list(without.exclude(sha256__in=self.unreadable)[: self.AT_ONCE])
        made = 0
        for image in missing:
            try:
                rendition(image, Rendition.Format.WEBP, CARD_WIDTH)
                made += 1
            except OSError as error:
                logger.warning("No card photo can be made of image %s: %s", image.pk, error)
                self.unreadable.add(image.sha256)
        self.may_be_missing = len(missing) > 0
        return made
