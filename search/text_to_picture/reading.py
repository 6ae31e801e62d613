"""From typed words to a look: which of them have one, which are text alone, and what they were read as."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from search.colors import QUOTES, stretches
from search.encoders import EncoderError, encoder_for
from search.models import Generation, PictureVocabulary
from search.names import Names
from search.projection import unit
from search.recognition.table import concepts
from search.text import analyse
from search.text_to_picture.encoder import TextEncoder
from search.text_to_picture.making import text_encoder_for
from search.text_to_picture.matching import Matcher
from search.text_to_picture.spelling import first_of_each, nearest_word
from search.text_to_picture.vocabulary import DEEP, FLOOR_OF_CLASSES, OF_THE_NETWORK, Vocabulary

logger = logging.getLogger(__name__)

_TOLD = 0.1  # of the largest share: what counts for less is not told
_OWN = 0.5  # of the shares
_SHOWN = 3  # names that are told
_QUOTED = 6  # words that are told
_MOST_STRETCHES = 6  # that are read one by one where they mean nothing together


@dataclass(frozen=True)
class Reading:
    """How typed words were read.

    ``direction``: ``(d,)`` float32 of unit length in the projected part ``deep``, and ``line`` the cosine from which on
    a picture is a match; None where no word has a look.
    """

    text: str
    looks: tuple[str, ...] = ()  # what the words that have a look are taken for, the likeliest first
    look_words: tuple[str, ...] = ()
    text_words: tuple[str, ...] = ()  # words that are only searched for as text
    unread: tuple[str, ...] = ()  # those of them that were not meant as text, as far as can be told
    left_out: tuple[str, ...] = ()  # words that were not searched for at all
    absent: tuple[str, ...] = ()  # what words mean that nothing here looks like
    direction: np.ndarray | None = None
    line: float = 1.0
    is_guess: bool = False  # no name is these words; one that is near to them in meaning was taken
    is_own: bool = False  # the catalogue itself says what the words look like, more than the network does
    corrected: tuple[tuple[str, str], ...] = ()  # as typed, as read

    @property
    def sentence(self) -> str:
        """For a person: ``Matched by look: dress. By text: “Velluto”.``"""
        if self.direction is None:
            return ""
        said = _("Matched by look: %(names)s.") % {"names": ", ".join(self.looks)}
        if self.text_words:
            said += " " + _("By text: %(words)s.") % {"words": _quoted(self.text_words)}
        return said

    @property
    def correction(self) -> str:
        return " ".join(
            _("“%(typed)s” was read as “%(read)s”.") % {"typed": typed, "read": known}
            for typed, known in self.corrected
        )

    @property
    def without_unread(self) -> "Reading | None":
        """The same without words that have no look, for when no text holds them either; None where there are none, or
        nothing is left."""
        if self.direction is None or not self.unread:
            return None
        kept = [stretch for stretch, _quotes in stretches(self.text) if stretch not in self.unread]
        texts = tuple(word for word in self.text_words if word not in self.unread)
        return replace(self, text=" ".join(kept), text_words=texts, unread=(), left_out=self.unread)

    @property
    def omission(self) -> str:
        words = _quoted(self.left_out)
        return _("Nothing here is called so, so it was left out: %(words)s.") % {"words": words}

    @property
    def nothing(self) -> str:
        """Why nothing was found, for words that no text holds."""
        if self.absent:
            return _("Nothing here looks like this: %(names)s.") % {"names": ", ".join(self.absent)}
        words = _quoted(self.text_words)
        if self.direction is not None:
            if not self.text_words:
                return _("Nothing here looks like this: %(names)s.") % {"names": ", ".join(self.looks)}
            looks = _quoted(self.look_words)
            return _("Nothing that looks like %(looks)s also matches %(words)s.") % {"looks": looks, "words": words}
        if len(set(self.text_words)) > 1:  # each by itself may well be found: a brand and a word of another's title
            return _("Nothing here matches all of this: %(words)s.") % {"words": words}
        return _("Nothing here is called %(words)s, and it is not known what that looks like.") % {"words": words}

    @property
    def as_text(self) -> str:
        """The same words, to be searched for as text alone."""
        return " ".join(f"“{one}”" if one[0] not in QUOTES else one for one, _quotes in stretches(self.text))


def _quoted(words: Sequence[str]) -> str:
    """The first of them, each once: somebody may have pasted a whole page."""
    told = list(dict.fromkeys(f"“{word.strip(QUOTES)}”" for word in words))
    return ", ".join(told[:_QUOTED]) + (" …" if len(told) > _QUOTED else "")


def read(text: str, generation: Generation, names: Names) -> Reading | None:
    """Read what was typed, less the words for colours; None where words are not read for their looks, or cannot be now:
    they are found as text all the same.

    :raises EncoderBusy: when too many wait for a network whose text tower reads them
    """
    reader = _reader_of(generation)
    if reader is None:
        return None
    try:
        return reader.read(text, names)
    except EncoderError as error:
        logger.warning("Words are searched as text alone: %s", error)
        return None


def corrected(reading: Reading, generation: Generation, names: Names) -> Reading | None:
    """The same with words that nobody knows read as the known ones that they are nearest to; None if there are none.

    Where what they look like could be guessed, only as brands: a guess at what "warm" means is better than "worm".
    """
    reader = _reader_of(generation)
    if reader is None:
        return None
    try:
        return reader.corrected(reading, names)
    except EncoderError as error:
        logger.warning("Misspelt words are searched as they are: %s", error)
        return None


def warm(generation: Generation) -> None:
    """Load what the first words would wait for.

    :raises EncoderBusy: when too many wait for the network whose text tower reads words
    :raises EncoderError: when the text encoder cannot be loaded
    """
    reader = _reader_of(generation)
    if reader is not None:
        reader.warm()


def forget_texts(generation: Generation) -> None:
    """Forget what the text encoder said of typed words: for measurements."""
    reader = _reader_of(generation)
    if reader is not None:
        reader.forget_texts()


def _reader_of(generation: Generation) -> "_Reader | None":
    vocabulary = PictureVocabulary.of(generation)
    if vocabulary is None or not vocabulary.names:
        return None
    try:
        texts = text_encoder_for(encoder_for(generation.encoder))
    except LookupError:
        return None
    if texts is None or texts.identity != vocabulary.encoder:
        return None
    return _reader(vocabulary, texts.identity, generation)


# A vocabulary is known by itself: a new one, a new object.
@lru_cache(maxsize=2)
def _reader(vocabulary: Vocabulary, identity: str, generation: Generation) -> "_Reader":
    texts = text_encoder_for(encoder_for(generation.encoder))
    if texts is None:
        raise LookupError("Words are not read for their looks.")
    return _Reader(vocabulary, texts, generation)


class _Reader:
    def __init__(self, vocabulary: Vocabulary, texts: TextEncoder, generation: Generation) -> None:
        self._vocabulary, self._texts = vocabulary, texts
        self._matcher = Matcher(vocabulary, texts)
        self._part = next(part for part in generation.projection.parts if part.name == DEEP)

    def warm(self) -> None:
        self._texts.load()
        self._matcher.match("warm")

    def forget_texts(self) -> None:
        self._matcher.embed.cache_clear()

    def read(self, text: str, names: Names) -> Reading:
        seen: list[str] = []
        plain: list[str] = []
        brands = _brand_words(text, names)
        for stretch, is_quoted in stretches(text):
            phrase = analyse(stretch)
            is_text = is_quoted or phrase in brands or any(sign.isdigit() for sign in phrase)
            if phrase:
                (plain if is_text else seen).append(stretch)
        reading = Reading(text, text_words=tuple(plain))
        return self._looked_at(reading, seen) if seen else reading

    def _looked_at(self, reading: Reading, seen: Sequence[str]) -> Reading:
        if self._vocabulary.direct:
            return self._seen_by_the_tower(reading, seen)
        whole = self._matcher.match(" ".join(seen))
        matches = [(" ".join(seen), whole)]
        if not whole.shares and whole.absent is None and len(seen) > 1:
            matches = [(stretch, self._matcher.match(stretch)) for stretch in seen[:_MOST_STRETCHES]]
        absent = tuple(self._name(match.absent) for _words, match in matches if match.absent is not None)
        found = [(words, match.shares) for words, match in matches if match.shares]
        shares: dict[int, float] = {}
        for _words, each in found:
            for place, share in each.items():
                shares[place] = shares.get(place, 0.0) + share / len(found)
        towards = self._vocabulary.towards(list(shares), list(shares.values())) if shares else None
        if towards is None:
            return replace(reading, text_words=(*reading.text_words, *seen), absent=absent)
        looked = {stretch for words, _shares in found for stretch in words.split()}
        return replace(
            reading,
            looks=self._shown(shares),
            look_words=tuple(stretch for stretch in seen if stretch in looked),
            text_words=(*reading.text_words, *(stretch for stretch in seen if stretch not in looked)),
            unread=tuple(stretch for stretch in seen if stretch not in looked),
            absent=absent,
            direction=towards[0],
            line=towards[1],
            is_guess=not all(match.is_named for _words, match in matches if match.shares),
            is_own=sum(share for place, share in shares.items() if self._vocabulary.entries[place].is_label) > _OWN,
        )

    def _seen_by_the_tower(self, reading: Reading, seen: Sequence[str]) -> Reading:
        """The text tower of the pictures' own network knows what words look like; names are only for spelling.

        Texts have a mean of their own, away from that of pictures, which says nothing of what they mean.
        """
        words = " ".join(seen)
        text = self._matcher.embed(words) - self._vocabulary.texts.mean(axis=0)
        direction = unit(text if self._part.matrix is None else text @ self._part.matrix)
        if direction is None:
            return replace(reading, text_words=(*reading.text_words, *seen))
        line = self._vocabulary.line(direction, FLOOR_OF_CLASSES)
        return replace(reading, looks=(words,), look_words=tuple(seen), direction=direction, line=line)

    def _shown(self, shares: dict[int, float]) -> tuple[str, ...]:
        least = _TOLD * max(shares.values())
        ranked = sorted((place for place in shares if shares[place] >= least), key=lambda place: -shares[place])
        shown: list[str] = []
        told: set[str] = set()  # names of what is shown, in any language: a class and a tag may be one thing
        for place in ranked:
            names = {analyse(name) for name in (self._name(place), *self._vocabulary.names_of(place))}
            if told.isdisjoint(names):
                shown.append(self._name(place))
            told |= names
        return tuple(shown)[:_SHOWN]

    def _name(self, place: int) -> str:
        """What an entry is called, in the active language as far as that is known."""
        entry = self._vocabulary.entries[place]
        if entry.kind in OF_THE_NETWORK and entry.code in concepts():
            return concepts()[entry.code].name
        return self._vocabulary.name_of(place, get_language() or "")

    def corrected(self, reading: Reading, names: Names) -> Reading | None:
        known = self._spellings
        brands = {word for name in names.all_brands().values() for word in analyse(name).split()}
        choices = [*(() if reading.is_guess else known), *first_of_each(sorted(brands - known.keys()))]
        changes: dict[str, str] = {}
        for stretch, is_quoted in stretches(reading.text):
            phrase = analyse(stretch)
            if not is_quoted and phrase not in known and phrase not in brands:
                nearest = nearest_word(phrase, choices)
                if nearest is not None:
                    changes[stretch] = known.get(nearest, nearest)
        if not changes:
            return None
        text = " ".join(changes.get(stretch, stretch) for stretch, _quoted in stretches(reading.text))
        return replace(self.read(text, names), corrected=tuple(changes.items()))

    @cached_property
    def _spellings(self) -> dict[str, str]:
        """Analysed words that are right → how they are written. Names of what is here come first."""
        vocabulary = self._vocabulary
        here = [vocabulary.entries[owner].is_present for owner in vocabulary.owners.tolist()]
        ordered = [
            name for wanted in (True, False) for name, one in zip(vocabulary.names, here, strict=True) if one == wanted
        ]
        words = [word for name in ordered for word in name.lower().split()]
        written = {analysed: word for word in [*words, *vocabulary.spellings][::-1] if (analysed := analyse(word))}
        return {word: written[word] for word in first_of_each(list(written)[::-1])}


def _brand_words(text: str, names: Names) -> set[str]:
    """The words of brands that the text holds by their whole name."""
    whole = f" {analyse(text)} "
    called = (analyse(name) for name in names.all_brands().values())
    return {word for name in called if name and f" {name} " in whole for word in (name, *name.split())}
