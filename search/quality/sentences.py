"""What tasks, figures and groups are called, and why something was not measured, in words."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

CATEGORY, PRODUCT, ROBUSTNESS, WORDS, JUDGEMENTS = "category", "product", "robustness", "words", "judgements"
TASKS: Mapping[str, str | Promise] = {
    CATEGORY: gettext_lazy("Same category"),
    PRODUCT: gettext_lazy("Another photo of the product"),
    ROBUSTNESS: gettext_lazy("Changed copies of a photo"),
    WORDS: gettext_lazy("Words to pictures"),
    JUDGEMENTS: gettext_lazy("Judged results"),
}
HOW: Mapping[str, str | Promise] = {
    CATEGORY: gettext_lazy(
        "Each photo asks; products of its category are right, other photos of its product left out."
    ),
    PRODUCT: gettext_lazy("One photo of each product asks; its other photos are right."),
    ROBUSTNESS: gettext_lazy("A copy asks: cropped, small, compressed, mirrored, in other light, on a screen."),
    WORDS: gettext_lazy("Names of categories are typed; products of the category are right."),
    JUDGEMENTS: gettext_lazy("What staff have called good is right; all that nobody has judged counts as wrong."),
}


class Measure(NamedTuple):
    """One figure. ``as_share`` is told in percent, others as numbers from 0 to 1."""

    label: str | Promise
    as_share: bool = True
    less_is_better: bool = False
    says_quality: bool = True  # False where neither more nor less is better


_MRR = gettext_lazy("Mean reciprocal rank (MRR)")
_NDCG = gettext_lazy("nDCG@10")
_MAP = gettext_lazy("Mean average precision (mAP@100)")
MEASURES: Mapping[str, Mapping[str, Measure]] = {
    CATEGORY: {
        "precision_at_10": Measure(gettext_lazy("Right among the first ten (P@10)")),
        "first_row_right": Measure(gettext_lazy("Right among the first four")),
        "first_row_none": Measure(gettext_lazy("None right among the first four"), less_is_better=True),
        "recall_at_100": Measure(gettext_lazy("Of all right ones, among the first hundred (recall@100)")),
        "mean_average_precision": Measure(_MAP, as_share=False),
        "ndcg_at_10": Measure(_NDCG, as_share=False),
        "mean_reciprocal_rank": Measure(_MRR, as_share=False),
    },
    PRODUCT: {
        "first_right": Measure(gettext_lazy("Another photo comes first (P@1)")),
        "recall_at_10": Measure(gettext_lazy("Other photos among the first ten (recall@10)")),
        "mean_average_precision": Measure(_MAP, as_share=False),
        "ndcg_at_10": Measure(_NDCG, as_share=False),
        "mean_reciprocal_rank": Measure(_MRR, as_share=False),
    },
    ROBUSTNESS: {
        "recall_at_1": Measure(gettext_lazy("The original comes first (recall@1)")),
        "mean_reciprocal_rank": Measure(_MRR, as_share=False),
    },
    WORDS: {
        "precision_at_20": Measure(gettext_lazy("Right among the first twenty, or as many as there are (P@20)")),
        "mean_reciprocal_rank": Measure(_MRR, as_share=False),
    },
    JUDGEMENTS: {
        "ndcg_at_10": Measure(_NDCG, as_share=False),
        "judged_precision": Measure(gettext_lazy("Good, of what was judged among the first ten")),
        "mean_reciprocal_rank": Measure(gettext_lazy("MRR of the first good one"), as_share=False),
        "judged_share": Measure(gettext_lazy("Judged, of the first ten"), says_quality=False),
        "clicked_recall_at_10": Measure(gettext_lazy("Opened after the search: among the first ten")),
        "clicked_reciprocal_rank": Measure(gettext_lazy("Opened after the search: MRR"), as_share=False),
    },
}
COPIES: Mapping[str, str | Promise] = {
    "crop": gettext_lazy("cropped"),
    "resize": gettext_lazy("small"),
    "jpeg": gettext_lazy("compressed"),
    "flip": gettext_lazy("mirrored"),
    "brightness": gettext_lazy("in other light"),
    "screenshot": gettext_lazy("on a screen"),
}
LANGUAGES: Mapping[str, str | Promise] = {
    "name": pgettext_lazy("language", "As the shop writes it"),
    "zh-hans": pgettext_lazy("language", "Chinese"),
}


def why_not(stored: Mapping[str, Any]) -> str:
    """Why a task was not measured, and what to do about it."""
    code, needed = stored.get("code"), stored.get("needed", 0)
    if code == "few-labels":
        return ngettext(
            "%(n)d photo with a category is too few; at least %(needed)d are needed. Give products a category.",
            "%(n)d photos with a category are too few; at least %(needed)d are needed. Give products a category.",
            stored["images"],
        ) % {"n": stored["images"], "needed": needed}
    if code == "one-category":
        return _("All photos have the same category, so every answer would be right. Use a second category.")
    if code == "few-photos":
        return ngettext(
            "%(n)d product has two different photos; at least %(needed)d are needed. Add photos to products.",
            "%(n)d products have two different photos; at least %(needed)d are needed. Add photos to products.",
            stored["products"],
        ) % {"n": stored["products"], "needed": needed}
    if code == "few-images":
        return ngettext(
            "%(n)d photo is too few; at least %(needed)d are needed. Add products.",
            "%(n)d photos are too few; at least %(needed)d are needed. Add products.",
            stored["images"],
        ) % {"n": stored["images"], "needed": needed}
    sentences = {
        "few-named": _("No category has %(needed)d products with a photo yet, so no name was typed.")
        % {"needed": needed},
        "nothing-embedded": _("None of the photos is indexed yet. Wait for the indexing loop, then measure again."),
        "no-encoder": _("The encoder of this generation is not installed here, so copies cannot be encoded."),
        "no-files": _("No original could be opened. Look for missing files with: manage.py storage check"),
        "nothing-judged": _("Nobody has judged a result yet. Do so in the menu of a result’s card."),
    }
    return sentences.get(str(code), _("It was not measured."))


def no_better_than_chance(figures: Mapping[str, Any], facts: Mapping[str, float]) -> bool:
    """Whether the photos of a category are found no more often than at random: its labels say nothing of looks."""
    precision = figures.get("precision_at_10")
    return precision is not None and precision["low"] <= facts.get("chance", 0.0)
