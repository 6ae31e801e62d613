"""Typed words that name a class or a group, in either language."""

from collections.abc import Mapping, Sequence
from functools import cache

from search.recognition.table import classes, concepts
from search.text import analyse


def codes_for_phrases(phrases: Sequence[str]) -> list[tuple[str, ...]]:
    """For each phrase the codes that it names, alone or with its neighbours.

    A name of several words counts as a whole: "coffee mug" gives both its words the mug's code, "coffee" alone does
    not, and "hot dog" is no dog for its first word.

    :param phrases: analysed, as ``search.text.query_phrases`` gives them, in the order in which they were typed
    """
    found: list[set[str]] = [set() for _phrase in phrases]
    for start in range(len(phrases)):
        for end in range(start + 1, min(start + _longest(), len(phrases)) + 1):
            codes = _codes_by_name().get(" ".join(phrases[start:end]), ())
            for place in range(start, end):
                found[place].update(codes)
    return [tuple(sorted(codes)) for codes in found]


@cache
def names_with_a_color(colors: frozenset[str]) -> frozenset[str]:
    """Analysed English names of several words that hold one of these words without meaning the colour of a photo:
    "red panda", "golden retriever"."""
    names = {analyse(each.english) for each in classes()}
    return frozenset(name for name in names if " " in name and not colors.isdisjoint(name.split()))


@cache
def _codes_by_name() -> Mapping[str, frozenset[str]]:
    """Analysed name → codes."""
    by_name: dict[str, set[str]] = {}
    for concept in concepts().values():
        for spelling in concept.spellings:
            by_name.setdefault(analyse(spelling), set()).add(concept.code)
    return {name: frozenset(codes) for name, codes in by_name.items()}


@cache
def _longest() -> int:
    """Words in the longest name."""
    return max(name.count(" ") + 1 for name in _codes_by_name())
