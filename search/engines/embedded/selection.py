"""Which rows of a snapshot a request admits: all filters together, and without each of them for its facet."""

from dataclasses import dataclass
from functools import reduce
from typing import Self

import numpy as np

from search.engines.base import Request, Word
from search.engines.counting import PRICE
from search.engines.embedded.snapshot import Snapshot
from search.engines.embedded.words import text_index, tokens

ID_SCORE = 1.0  # of a word that is the name of the document's brand or category


@dataclass(frozen=True)
class Selection:
    """Masks over a snapshot's rows: ``base`` for all but the filters, and one for each filter."""

    base: np.ndarray
    clauses: dict[str, np.ndarray]
    scores: np.ndarray | None  # (n,) float64 of the words, where there are words

    @classmethod
    def of(cls, snapshot: Snapshot, request: Request) -> Self:
        base = snapshot.without(snapshot.visible_to(request.visibility), request.exclude)
        scores = None
        if request.words:
            matching, scores = match_words(snapshot, request.generation, request.words)
            base = base & matching
        if request.vector is not None:
            base = base & snapshot.has_vector
        filters = request.filters
        clauses = {name: snapshot.having(name.split(".", 1)[0], values) for name, values in filters.terms()}
        if filters.has_price:
            clauses[PRICE] = snapshot.priced(filters.price_min, filters.price_max)
        return cls(base, clauses, scores)

    def rows(self, without: str | None = None) -> np.ndarray:
        """The mask of everything together, less one filter."""
        return reduce(np.logical_and, (mask for name, mask in self.clauses.items() if name != without), self.base)


def match_words(snapshot: Snapshot, generation: int, words: tuple[Word, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Rows that match all words, and their scores: ``(n,)`` bool and ``(n,)`` float64.

    Words that only text can match are asked as one question; each word that may also be the name of a brand or a
    category is one of its own. All questions are one statement.
    """
    named = [word for word in words if word.brands or word.categories]
    plain = [tokens(word.text) for word in words if word not in named]
    matching = np.full(len(snapshot), all(plain))
    scores = np.zeros(len(snapshot))
    phrases = [tokens(word.text) for word in named]
    questions = ([plain] if plain and all(plain) else []) + [[phrase] for phrase in phrases if phrase]
    found = text_index().find(generation, questions)
    rows, here = snapshot.rows_of(found["pk"])
    places, text_scores = found["question"][here], found["score"][here]
    place = 0
    if plain and all(plain):
        matching = _mask(len(snapshot), rows[places == place])
        place += 1
    for word, phrase in zip(named, phrases, strict=True):
        matches = snapshot.having("brand", word.brands) | snapshot.having("category", word.categories)
        scores += ID_SCORE * matches
        if phrase:
            matches = matches | _mask(len(snapshot), rows[places == place])
            place += 1
        matching &= matches
    np.add.at(scores, rows, text_scores)
    return matching, scores


def _mask(length: int, rows: np.ndarray) -> np.ndarray:
    mask = np.zeros(length, np.bool_)
    mask[rows] = True
    return mask
