"""Sentences of classification that several pages share."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from search.classification.samples import LEAST_CATEGORIES, LEAST_PRODUCTS, TooFewLabels


def too_few(error: TooFewLabels) -> str:
    """What is missing, and what to do."""
    needed = _(
        "Categories are suggested once %(categories)d categories have %(products)d products each with an approved, "
        "indexed photo."
    ) % {"categories": LEAST_CATEGORIES, "products": LEAST_PRODUCTS}
    now = ngettext("So far %(n)d category has.", "So far %(n)d categories have.", error.categories) % {
        "n": error.categories
    }
    return f"{needed} {now}"
