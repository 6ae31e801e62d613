"""The indexing loop's part: the live generation's vocabulary is made anew after the catalogue has changed, a piece at a
time while there is nothing else to do."""

import logging
import time
from collections.abc import Iterator

from django.db import DatabaseError

from search.encoders import EncoderError, encoder_for
from search.models import Generation, PictureVocabulary
from search.text_to_picture.making import making, source_of, text_encoder_for

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 30  # between two looks whether anything has changed
_FAILED_REST = 600  # before another try where an encoder could not be loaded: the catalogue is read before it is asked
_REST = 20  # times as long as making took, before it is made again: a busy catalogue costs a twentieth of a core


class VocabularyUpkeep:
    """Makes what is due, a piece whenever ``make_some`` is called."""

    def __init__(self) -> None:
        self._pieces: Iterator[None] | None = None
        self._until = 0.0
        self._tried: int | None = None  # a generation that had none

    def make_some(self) -> int:
        """One piece; 0 when there is nothing to do."""
        if self._pieces is None and (time.monotonic() >= self._until or self._is_missing()):
            self._until = time.monotonic() + _LOOK_SECONDS
            self._pieces = self._begun()
        if self._pieces is None:
            return 0
        try:
            next(self._pieces)
        except StopIteration:
            self._pieces = None
            self._until = time.monotonic() + self._rest()
        except (DatabaseError, EncoderError, LookupError) as error:
            logger.warning("What words look like was not learnt: %s", error)
            self._pieces = None
            if isinstance(error, EncoderError):
                self._until = time.monotonic() + _FAILED_REST
        return 1

    def _is_missing(self) -> bool:
        """Whether another generation is live that has none: words are text till then. Tried once, then at leisure."""
        bare = Generation.objects.filter(state=Generation.State.LIVE, vocabulary_at=None)
        missing = bare.values_list("pk", flat=True).first()
        is_new = missing is not None and missing != self._tried
        self._tried = missing
        return is_new

    @staticmethod
    def _begun() -> Iterator[None] | None:
        """Making for the live generation, where what it is made from has changed."""
        generation = Generation.objects.live()
        if generation is None:
            return None
        try:
            texts = text_encoder_for(encoder_for(generation.encoder))
        except LookupError:
            return None
        if texts is None:
            return None
        source = source_of(generation, texts)
        if PictureVocabulary.objects.filter(generation=generation, source=source).exists():
            return None
        return making(generation, texts, source)

    @staticmethod
    def _rest() -> float:
        seconds = PictureVocabulary.objects.order_by("-pk").values_list("seconds", flat=True).first()
        return max(_LOOK_SECONDS, _REST * (seconds or 0.0))
