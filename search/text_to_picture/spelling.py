"""Words that nobody knows, read as the known word that they are nearest to."""

from collections.abc import Iterable, Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

_SHORTEST = 4  # letters: shorter ones are too near to everything
_LONG = 6  # from so many letters on, two signs may be wrong


def nearest_word(word: str, known: Sequence[str]) -> str | None:
    """The known word with the fewest signs added, left out, changed or exchanged with their neighbour (optimal string
    alignment); None where none is near. Of equally near ones the first with the same first letter, else the first.

    :param word: analysed, of letters of an alphabet
    """
    if len(word) < _SHORTEST or not word.isalpha() or not word.isascii():
        return None
    most = 2 if len(word) >= _LONG else 1
    near = process.extract(word, known, scorer=OSA.distance, processor=None, score_cutoff=most, limit=20)
    if not near:
        return None
    return min(near, key=lambda found: (found[1], found[0][:1] != word[:1], found[2]))[0]


def first_of_each(words: Iterable[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if len(word) >= _SHORTEST - 1 and word.isalpha() and word.isascii()]
