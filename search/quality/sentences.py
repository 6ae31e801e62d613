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
    is_more: bool = False  # behind "More figures"


_MRR = gettext_lazy("Mean reciprocal rank (MRR)")
# What every task has, as far as its queries have several right answers.
_OF_TEN = Measure(gettext_lazy("Right among the first ten (P@10)"))
_RECALL = Measure(gettext_lazy("Of all right ones, among the first hundred (recall@100)"), is_more=True)
_MAP = Measure(gettext_lazy("Mean average precision (mAP@100)"), as_share=False, is_more=True)
_NDCG = Measure(gettext_lazy("nDCG@10"), as_share=False, is_more=True)
MEASURES: Mapping[str, Mapping[str, Measure]] = {
    CATEGORY: {
        "precision_at_10": _OF_TEN,
        "first_row_right": Measure(gettext_lazy("Right among the first four")),
        "first_row_none": Measure(gettext_lazy("None right among the first four"), less_is_better=True),
        "recall_at_100": _RECALL,
        "mean_average_precision": _MAP,
        "ndcg_at_10": _NDCG,
        "mean_reciprocal_rank": Measure(_MRR, as_share=False, is_more=True),
    },
    PRODUCT: {
        "first_right": Measure(gettext_lazy("Another photo comes first (P@1)")),
        "recall_at_10": Measure(gettext_lazy("Other photos among the first ten (recall@10)")),
        "precision_at_10": _OF_TEN._replace(is_more=True),
        "mean_average_precision": _MAP,
        "ndcg_at_10": _NDCG,
        "mean_reciprocal_rank": Measure(_MRR, as_share=False, is_more=True),
    },
    ROBUSTNESS: {
        "recall_at_1": Measure(gettext_lazy("The original comes first (recall@1)")),
        "mean_reciprocal_rank": Measure(_MRR, as_share=False),
        "recall_at_10": Measure(gettext_lazy("The original is among the first ten (recall@10)"), is_more=True),
        "ndcg_at_10": _NDCG,
    },
    WORDS: {
        "precision_at_20": Measure(gettext_lazy("Right among the first twenty, or as many as there are (P@20)")),
        "mean_reciprocal_rank": Measure(_MRR, as_share=False),
        "recall_at_100": _RECALL,
        "mean_average_precision": _MAP,
        "ndcg_at_10": _NDCG,
    },
    JUDGEMENTS: {
        "ndcg_at_10": _NDCG._replace(is_more=False),
        "judged_precision": Measure(gettext_lazy("Good, of what was judged among the first ten")),
        "judged_share": Measure(gettext_lazy("Judged, of the first ten"), says_quality=False),
        "clicked_recall_at_10": Measure(gettext_lazy("Opened after the search: among the first ten")),
        "precision_at_10": Measure(gettext_lazy("Good among the first ten (P@10)"), is_more=True),
        "recall_at_10": Measure(gettext_lazy("Of all good ones, among the first ten (recall@10)"), is_more=True),
        "mean_average_precision": _MAP,
        "mean_reciprocal_rank": Measure(gettext_lazy("MRR of the first good one"), as_share=False, is_more=True),
        "clicked_reciprocal_rank": Measure(gettext_lazy("Opened after the search: MRR"), as_share=False, is_more=True),
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
