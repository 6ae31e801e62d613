"""From a network's probabilities to what is stored, indexed and shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings

from search.recognition.lexicon import codes_for_phrases
from search.recognition.table import classes, concepts, groups_of, word_for
from search.text import query_phrases

MOST_KEPT = 5
LEAST_KEPT = 0.05
MOST_CHIPS = 3

# [code of a class, confidence from 0 to 1], the most confident first, as ``EncodedPicture.labels`` holds it; None where
# the encoder names nothing, or named nothing yet when the picture was encoded.
Stored = Sequence[Sequence[Any]] | None


@dataclass(frozen=True)
class Label:
    """What a picture looks like: a class, or a group whose classes together are believed in."""

    code: str
    name: str  # in the active language
    confidence: float  # from 0 to 1


def kept(probabilities: np.ndarray) -> list[tuple[str, float]]:
    """What is worth storing of one picture's ``(CLASSES,)`` probabilities."""
    best = np.argsort(-probabilities, kind="stable")[:MOST_KEPT]
    return [
        (classes()[place].code, round(float(probabilities[place]), 3))
        for place in best.tolist()
        if probabilities[place] >= LEAST_KEPT
    ]


def codes_of(stored: Stored) -> tuple[str, ...]:
    """The codes that the image can be found by."""
    return tuple(sorted(_believed(stored)))


def labels_of(stored: Stored) -> list[Label]:
    """What a person would call it, the surest first; of equally sure ones the broader: "cat", then "Siamese cat"."""
    believed = _believed(stored)
    ranked = sorted(believed, key=lambda code: (-believed[code], not _is_group(code), code))
    labels: dict[str, Label] = {}
    for code in ranked:
        concept = concepts()[code]
        if concept.is_basic:
            labels.setdefault(concept.name, Label(code, concept.name, believed[code]))
    return list(labels.values())


def chips(stored: Stored, typed: str = "", limit: int = MOST_CHIPS) -> list[Label]:
    """The labels whose words may be added to what is typed; those that its words name already are left out."""
    named = {code for codes in codes_for_phrases(query_phrases(typed)) for code in codes}
    words = set(query_phrases(typed))
    return [
        label
        for label in labels_of(stored)
        if label.code not in named and not words.issuperset(query_phrases(word_for(label.code)))
    ][:limit]


def as_json(stored: Stored) -> list[dict[str, str | float]]:
    """The labels as the API gives them."""
    return [{"name": label.name, "confidence": label.confidence} for label in labels_of(stored)]


def _believed(stored: Stored) -> dict[str, float]:
    """Code → confidence of every class and group that passes ``RECOGNITION_CONFIDENCE``.

    Classes exclude each other, so a group is as likely as its classes together: a network that hesitates between five
    breeds is sure of the cat.
    """
    sums: dict[str, float] = {}
    for code, confidence in stored or ():
        if code in concepts():  # a later release may have stored what this one does not know
            for each in (code, *groups_of(code)):
                sums[each] = sums.get(each, 0.0) + confidence
    return {code: round(min(total, 1.0), 3) for code, total in sums.items() if total >= settings.RECOGNITION_CONFIDENCE}


def _is_group(code: str) -> bool:
    return code.startswith("any-")
