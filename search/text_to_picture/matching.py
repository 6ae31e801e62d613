"""Which entries of a vocabulary some words mean, and how much each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from search.text import analyse
from search.text_to_picture.encoder import TextEncoder
from search.text_to_picture.goods import same_as
from search.text_to_picture.vocabulary import Vocabulary, is_cjk

# Cosines between texts without what their language has in common: 1 for the same name, about 0.3 at most for texts that
# have nothing to do with each other.
NEAR = 0.5  # from here on a name may say what the words look like
NAMED = 0.75  # from here on it is what the words mean
_BESIDE = 0.15  # names that are further from the words than the nearest by more than this say nothing
_TEMPERATURE = 0.05  # of the softmax over those that are left
_MOST_IMAGES = 10  # a label that was learnt from so many weighs so many times as much as a class of the network
_MOST_ENTRIES = 8
# Short Chinese words seem near to each other for one sign that they share.
_SAME_SIGNS = 0.2
_SECOND_NAME = 0.1  # so much less counts a name of an entry that is not its usual one
_CACHED = 1_024  # texts, of 1.5 KiB each


@dataclass(frozen=True)
class Match:
    """``shares``: entry → its share, which sum to 1; empty where the words have no look here. ``absent``: an entry that
    the words mean and that no picture looks like."""

    shares: Mapping[int, float] = field(default_factory=dict)
    absent: int | None = None
    is_named: bool = False  # the words are a name, or as good as one; else what they mean is a guess


class Matcher:
    """Compares words with the names of one vocabulary. Threads share it."""

    def __init__(self, vocabulary: Vocabulary, texts: TextEncoder) -> None:
        self._vocabulary, self._texts = vocabulary, texts
        entries = vocabulary.entries
        has_look = np.linalg.norm(vocabulary.looks, axis=1) > 0 if len(entries) else np.zeros(0, bool)
        self._usable = has_look & np.array([one.is_present for one in entries], dtype=bool)
        self._priors = np.array([min(one.images, _MOST_IMAGES) or 1 for one in entries], dtype=np.float64)
        self._is_own = np.array([entries[owner].is_label for owner in vocabulary.owners.tolist()], dtype=bool)
        self._seldom = np.where(vocabulary.is_usual, 0.0, _SECOND_NAME)
        self.embed = lru_cache(maxsize=_CACHED)(self._embed)

    def _embed(self, text: str) -> np.ndarray:
        """``(t,)`` of unit length. Kept for a while: turning a page or choosing a filter asks the same again.

        :raises EncoderBusy: when too many wait for the encoder
        """
        return self._texts.embed_typed(text)

    def match(self, text: str) -> Match:
        """What the words mean, by the names that are nearest to them."""
        vocabulary = self._vocabulary
        exact = self._called(analyse(text))
        if not exact:
            similarities = vocabulary.centred @ vocabulary.centre(self.embed(text)[None], [text])[0]
            if is_cjk(text):
                similarities = similarities - _SAME_SIGNS * vocabulary.in_cjk
            return self._chosen(vocabulary.nearest(similarities))
        asked = self._translations(exact, text)
        similarities = (vocabulary.centred @ vocabulary.centred[list(asked)].T - list(asked.values())).max(axis=1)
        return self._chosen(vocabulary.nearest(similarities - self._seldom))

    def _called(self, phrase: str) -> tuple[int, ...]:
        """Places of the names that are these words. Where the catalogue itself calls nothing so, also of what it calls
        by another word for the same thing."""
        vocabulary = self._vocabulary
        exact = vocabulary.called(phrase)
        if any(self._is_own[place] for place in exact):
            return exact
        others = [place for name in same_as(phrase) for place in vocabulary.called(name)]
        own = tuple(place for place in others if self._is_own[place])
        return (*exact, *own) if exact or own else tuple(others)

    def _translations(self, exact: Sequence[int], text: str) -> dict[int, float]:
        """These names and what the same entries are called in the other script, the tables say surer than any model:
        places, and by how much each counts less. "裙子" is a skirt's usual name, and one of a dress beside others."""
        vocabulary, script = self._vocabulary, is_cjk(text)
        found = {place: float(self._seldom[place]) for place in exact}
        least = dict[int, float]()
        for place, less in found.items():
            owner = int(vocabulary.owners[place])
            least[owner] = min(less, least.get(owner, less))
        for place in vocabulary.siblings(exact):
            if vocabulary.in_cjk[place] != script:
                found.setdefault(place, least[int(vocabulary.owners[place])] + float(self._seldom[place]))
        return found

    def _chosen(self, similarities: np.ndarray) -> Match:
        if not len(similarities):
            return Match()
        usable = np.where(self._usable, similarities, -1.0)
        best, nearest = float(usable.max()), int(similarities.argmax())
        if similarities[nearest] >= NAMED and best < similarities[nearest] - _BESIDE:
            return Match(absent=nearest)
        if best < NEAR:
            return Match()
        near = np.flatnonzero(usable >= best - _BESIDE)
        weights = np.exp((usable[near] - best) / _TEMPERATURE) * self._priors[near]
        order = np.argsort(-weights, kind="stable")[:_MOST_ENTRIES]
        total = float(weights[order].sum())
        shares = {int(near[place]): float(weights[place]) / total for place in order}
        return Match(shares, is_named=best >= NAMED)
