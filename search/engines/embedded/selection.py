"""Which rows of a snapshot a request admits: all filters together, and without each of them for its facet."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Self

import numpy as np

from search.engines.base import ID_SCORE, LABEL_SCORE, Request, Word
from search.engines.counting import LABELS, PRICE
from search.engines.embedded.snapshot import Snapshot
from search.engines.embedded.words import text_index, tokens


@dataclass(frozen=True)
class Selection:
    """Masks over a snapshot's rows: ``base`` for all but the filters, and one for each filter."""

    base: np.ndarray
    clauses: dict[str, np.ndarray]
    scores: np.ndarray | None  # (n,) float64 of the words, where they rank

    @classmethod
    def of(cls, snapshot: Snapshot, request: Request, word_matches: "WordMatches | None" = None) -> Self:
        found = word_matches or WordMatches(snapshot, request.generation)
        base = snapshot.without(snapshot.visible_to(request.visibility), request.exclude)
        scores = None
        if request.vector is not None:
            base = base & snapshot.has_vector
        if request.words:
            ranks = request.vector is None and request.sort == "relevance"
            matching, scores = found.of(request.words, ranks)
            base = base & matching
        if request.without_words:
            base = base & ~found.of(request.without_words, False)[0]
        filters = request.filters
        clauses = {name: snapshot.having(name.split(".", 1)[0], values) for name, values in filters.terms()}
        if filters.has_price:
            clauses[PRICE] = snapshot.priced(filters.price_min, filters.price_max)
        return cls(base, clauses, scores)

    def rows(self, without: str | None = None) -> np.ndarray:
        """The mask of everything together, less one filter."""
        return reduce(np.logical_and, (mask for name, mask in self.clauses.items() if name != without), self.base)


class WordMatches:
    """Rows that match words, looked up once however many questions of one moment hold the same words."""

    def __init__(self, snapshot: Snapshot, generation: int) -> None:
        self._snapshot, self._generation = snapshot, generation
        self._known: dict[tuple[Word, ...], tuple[np.ndarray, np.ndarray | None]] = {}

    def of(self, words: Sequence[Word], ranks: bool) -> tuple[np.ndarray, np.ndarray | None]:
        """As ``match_words`` gives them; scores are None where the words do not rank."""
        asked = tuple(words)
        known = self._known.get(asked)
        if known is None or (ranks and known[1] is None):
            known = self._known[asked] = match_words(self._snapshot, self._generation, words, ranks)
        return known[0], known[1] if ranks else None


def match_words(
    snapshot: Snapshot, generation: int, words: Sequence[Word], ranks: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Rows that match all words, and their scores where the words rank: ``(n,)`` bool and ``(n,)`` float64.

    Words that only text can match make one question to the database; each word that may also be the name of a brand, a
    category or a thing that is recognised makes one of its own. All of them are one statement.
    """
    plain = [tokens(word.text) for word in words if not _has_ids(word)]
    named = [(word, tokens(word.text)) for word in words if _has_ids(word)]
    if not all(plain):  # nothing to look for in a word, as in one of signs alone: no text has it
        return np.zeros(len(snapshot), np.bool_), np.zeros(len(snapshot)) if ranks else None
    questions = [plain] if plain else []
    questions += [[phrase] for _word, phrase in named if phrase]
    found = text_index().find(generation, questions, scored=ranks)
    rows, here = snapshot.rows_of(found["pk"])
    found = found[here]
    by_question = iter([_mask(len(snapshot), rows[found["question"] == place]) for place in range(len(questions))])
    scores = np.bincount(rows, found["score"], minlength=len(snapshot)).astype(np.float64)
    matching = next(by_question) if plain else np.ones(len(snapshot), np.bool_)
    for word, phrase in named:
        by_id = snapshot.having("brand", word.brands) | snapshot.having("category", word.categories)
        by_label = snapshot.having(LABELS, word.labels)
        scores += ID_SCORE * by_id + LABEL_SCORE * by_label
        other = by_id | by_label
        matching = matching & (other | next(by_question) if phrase else other)
    return matching, scores if ranks else None


def _has_ids(word: Word) -> bool:
    return bool(word.brands or word.categories or word.labels)


def _mask(length: int, rows: np.ndarray) -> np.ndarray:
    mask = np.zeros(length, np.bool_)
    mask[rows] = True
    return mask
