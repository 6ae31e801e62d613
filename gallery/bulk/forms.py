"""What a person chooses to do to many products."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gallery.bulk.values import Action, Values
from gallery.bulk.words import ROUNDING_LABELS
from gallery.models import BulkEdit, Category, Product
from gallery.product_forms import CategoryField, TagsField


class ActionForm(forms.Form):
    """One action with what it needs. Fields of other actions are ignored, whatever is in them."""

    action = forms.ChoiceField(label=_("What to do"), choices=[("", _("Choose")), *BulkEdit.Action.choices])
    how = forms.ChoiceField(
        label=_("How"),
        choices=[
            ("percent", _("Raise or lower by percent")),
            ("amount", _("Raise or lower by an amount")),
            ("set", _("Set to an amount")),
        ],
        required=False,
    )
    value = forms.DecimalField(
        label=_("Percent, amount or price"),
        max_digits=12,
        decimal_places=2,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        help_text=_("-10 lowers by ten."),
    )
    rounding = forms.ChoiceField(label=_("Round"), choices=list(ROUNDING_LABELS.items()), required=False)
    category = CategoryField(label=_("Category"))
    tags = TagsField(label=_("Tags"), help_text=_("Separated by commas."))
    availability = forms.ChoiceField(label=_("Availability"), choices=Product.Availability.choices, required=False)

    NEEDS: dict[str, tuple[str, ...]] = {
        Action.PRICE: ("how", "value", "rounding"),
        Action.CATEGORY: ("category",),
        Action.ADD_TAGS: ("tags",),
        Action.REMOVE_TAGS: ("tags",),
        Action.AVAILABILITY: ("availability",),
    }

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        category = self.fields["category"]
        assert isinstance(category, CategoryField)
        category.show(Category.objects.tree())
        for name in self.fields:
            if name != "action":
                needed = [action for action, names in self.NEEDS.items() if name in names]
                self.fields[name].widget.attrs["data-for"] = " ".join(needed)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        action = values.get("action", "")
        needed = self.NEEDS.get(action, ())
        for name in [name for name in self.errors if name != "action" and name not in needed]:
            del self.errors[name]
        if "value" in needed and "value" not in self.errors:
            self._check_value(values.get("how") or "percent", values.get("value"))
        if "tags" in needed and not values.get("tags") and "tags" not in self.errors:
            self.add_error("tags", _("Write at least one tag."))
        if "availability" in needed and not values.get("availability"):
            self.add_error("availability", _("Choose one."))
        return values

    def _check_value(self, how: str, value: Decimal | None) -> None:
        if value is None:
            self.add_error("value", _("Write a number."))
        elif how == "set" and value < 0:
            self.add_error("value", _("A price is not below zero."))
        elif how == "percent" and not -100 <= value <= 1_000:
            self.add_error("value", _("Write a percentage from -100 to 1000."))

    @property
    def parameters(self) -> Values:
        """What the action needs, as JSON holds it. The form is valid."""
        values = self.cleaned_data
        if values["action"] == Action.PRICE:
            how, rounding = values["how"] or "percent", values["rounding"] or "cent"
            return {"how": how, "value": str(values["value"]), "rounding": rounding}
        if values["action"] == Action.CATEGORY:
            return {"category": values["category"].pk if values["category"] else None}
        return {name: values[name] for name in self.NEEDS.get(values["action"], ())}
