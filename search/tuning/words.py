"""Sentences of tuning that pages, jobs and the command share."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from search.models import Generation, Tuning
from search.tuning.figures import Compared, Figures
from search.tuning.labelled import LEAST_CATEGORIES, LEAST_IN_ALL, LEAST_PRODUCTS, TooFewToTune


def too_few(error: TooFewToTune) -> str:
    """What is missing, and what to do."""
    needed = _(
        "There are too few labels to learn from. Give categories to more products: tuning needs %(categories)d "
        "categories with %(each)d products each, and %(all)d such products in all, with approved, indexed photos."
    ) % {"categories": LEAST_CATEGORIES, "each": LEAST_PRODUCTS, "all": LEAST_IN_ALL}
    now = ngettext("So far %(n)d category has them.", "So far %(n)d categories have them.", error.categories)
    return f"{needed} {now % {'n': error.categories}}"


def verdict(tuning: Tuning) -> str:
    """What became of it and why, in a sentence or two."""
    figures = Figures.from_json(tuning.figures)
    if tuning.verdict == Tuning.Verdict.NOT_BETTER:
        return _(
            "Refused: on products that it had not seen the tuned projection is not better by more than chance makes "
            "(%(gain)s, with 95 %% confidence between %(low)s and %(high)s). Nothing was changed. Check that the "
            "categories say what the photos show."
        ) % _points_of(figures.seen)
    if tuning.verdict == Tuning.Verdict.FIRST_ROW_WORSE:
        return _(
            "Refused: more first rows would hold none of the category (%(gain)s, with 95 %% confidence between %(low)s "
            "and %(high)s), though there are more right ones in all. Nothing was changed."
        ) % _none_of(_worst_first_row(figures))
    if tuning.verdict == Tuning.Verdict.UNSEEN_WORSE and figures.unseen:
        return _(
            "Refused: categories that it had not learnt from would get worse (%(gain)s, with 95 %% confidence between "
            "%(low)s and %(high)s). Nothing was changed."
        ) % _points_of(figures.unseen)
    return _(
        "Better on products that it had not seen: %(gain)s, with 95 %% confidence between %(low)s and %(high)s."
    ) % _points_of(figures.seen)


def follows(generation: Generation) -> str:
    """What happens to the generation that a tuning has led to."""
    State = Generation.State  # noqa: N806
    number = {"number": generation.pk}
    if generation.state == State.LIVE:
        return _("Generation %(number)d, which is made with it, is live.") % number
    if generation.state == State.BUILDING and generation.promote_when_ready:
        return _("Generation %(number)d is built with it, and takes over by itself when it is full.") % number
    if generation.state == State.BUILDING:
        return _("Generation %(number)d is built with it. Compare it when it is ready, and promote it.") % number
    if generation.state == State.READY:
        return _("Generation %(number)d is made with it and ready. Compare it with the live one, and promote it.") % (
            number
        )
    if generation.state == State.RETIRED:
        return _("Generation %(number)d, which is made with it, was live before.") % number
    return _("Generation %(number)d, which was made with it, is dropped.") % number


def _worst_first_row(figures: Figures) -> Compared:
    both = [one for one in (figures.seen, figures.unseen) if one]
    return max(both, key=lambda one: one.none_low)


def _none_of(compared: Compared) -> dict[str, str]:
    return {name: points(getattr(compared, f"none_{name}")) for name in ("gain", "low", "high")}


def _points_of(compared: Compared) -> dict[str, str]:
    return {name: points(getattr(compared, name)) for name in ("gain", "low", "high")}


def points(difference: float) -> str:
    """A difference of shares, in points of a hundred."""
    return f"{'+' if difference >= 0 else '−'}{number_format(round(abs(100 * difference), 1), 1)}"


def kind(name: str) -> str:
    """A kind of label."""
    return {
        "category": _("categories"),
        "product": _("products with several photos"),
        "brand": _("brands"),
        "tags": _("tags"),
    }[name]
