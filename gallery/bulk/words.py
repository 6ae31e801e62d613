"""Bulk edits in words: what one does, and what a product has before and after."""

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery.bulk.values import Action, Values
from gallery.models import BulkEdit, Category, Product
from gallery.models.categories import CategoryTree
from gallery.prices import money

ROUNDING_LABELS = {
    "cent": gettext_lazy("To the cent"),
    "tenth": gettext_lazy("To 10 cents"),
    "half": gettext_lazy("To 50 cents"),
    "whole": gettext_lazy("To whole amounts"),
    "99": gettext_lazy("To end in .99"),
    "95": gettext_lazy("To end in .95"),
}


class Words:
    """Reads the categories once for all that is said of one page."""

    def __init__(self, tree: CategoryTree | None = None):
        self.tree = tree or Category.objects.tree()

    def edit(self, edit: BulkEdit) -> str:
        """What the edit does: ``Change the price: +10 %``."""
        if not edit.action:
            return _("Bulk edit")
        what = self.parameters(edit.action, edit.parameters)
        return f"{edit.get_action_display()}: {what}" if what else edit.get_action_display()

    def parameters(self, action: str, parameters: Values) -> str:
        if action == Action.PRICE:
            value = Decimal(parameters["value"])
            shown = number_format(value.normalize() if value else 0, use_l10n=True)
            if parameters["how"] == "set":
                return shown
            sign = "+" if value >= 0 else ""
            return f"{sign}{shown} %" if parameters["how"] == "percent" else f"{sign}{shown}"
        if action == Action.CATEGORY:
            return self.category(parameters["category"])
        if action == Action.AVAILABILITY:
            return str(Product.Availability(parameters["availability"]).label)
        return ", ".join(parameters.get("tags", ()))

    def values(self, values: Values) -> str:
        """What a product has, as its list shows it."""
        if "price" in values:
            return _("no price") if values["price"] is None else money(Decimal(values["price"]), values["currency"])
        if "category_id" in values:
            return self.category(values["category_id"])
        if "availability" in values:
            return str(Product.Availability(values["availability"]).label)
        if "published" in values:
            return _("Published") if values["published"] else _("Draft")
        return ", ".join(values.get("tags", ())) or _("no tags")

    def category(self, key: int | None) -> str:
        path = self.tree.ancestors(key)
        return " / ".join(step.label for step in path) or (_("no category") if key is None else _("a deleted category"))
