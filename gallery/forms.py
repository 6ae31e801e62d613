"""What staff say of a batch of uploads."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from gallery.models import Product
from gallery.models.products import validate_currency


class BatchForm(forms.Form):
    """Metadata for every product that a batch of uploads makes."""

    category = forms.CharField(
        label=_("Category"), max_length=200, required=False, help_text=_("A path, like Clothing/Dresses.")
    )
    brand = forms.CharField(label=_("Brand"), max_length=80, required=False)
    price = forms.DecimalField(label=_("Price"), max_digits=12, decimal_places=2, min_value=0, required=False)
    currency = forms.CharField(label=_("Currency"), required=False, max_length=3, validators=[validate_currency])
    availability = forms.ChoiceField(
        label=_("Availability"), choices=Product.Availability.choices, required=False, initial="in_stock"
    )
    tags = forms.CharField(label=_("Tags"), max_length=300, required=False, help_text=_("Separated by commas."))
    published = forms.BooleanField(
        label=_("Publish at once"), required=False, help_text=_("Otherwise the products wait as drafts.")
    )

    def clean_category(self) -> str:
        return "/".join(filter(None, (step.strip()[:80] for step in self.cleaned_data["category"].split("/"))))

    def clean_tags(self) -> list[str]:
        names = (name.strip()[:100] for name in self.cleaned_data["tags"].replace("，", ",").split(","))
        return list(dict.fromkeys(filter(None, names)))

    def clean_currency(self) -> str:
        return self.cleaned_data["currency"] or settings.SHOP_CURRENCY

    def clean_availability(self) -> str:
        return self.cleaned_data["availability"] or Product.Availability.IN_STOCK


class GroupForm(forms.Form):
    """Which files are one product: those that name one group. Without it each file is a product of its own."""

    group = forms.UUIDField(required=False)
    group_name = forms.CharField(max_length=150, required=False)
    place = forms.IntegerField(min_value=0, max_value=100_000, required=False)
