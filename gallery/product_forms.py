"""What staff edit of a product: the few fields of a row in the list, and all of them on a page."""

import json
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from gallery.models import Category, Product, ProductRedirect
from gallery.models.categories import CategoryTree
from gallery.models.products import ProductTag
from gallery.prices import NO_MINOR_UNIT
from gallery.product_filters import category_choices

TAG_LENGTH = ProductTag._meta.get_field("name").max_length or 100


def tag_names(text: str) -> list[str]:
    """Names that stand between commas of either script, each once."""
    names = (" ".join(name.split()) for name in text.replace("，", ",").split(","))
    return list(dict.fromkeys(filter(None, names)))


class TagsField(forms.CharField):
    """Names separated by commas, as a list; a name that is too long is told, not cut."""

    def __init__(self, **kwargs: Any):
        super().__init__(required=kwargs.pop("required", False), max_length=1_000, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else ", ".join(value)

    def clean(self, value: Any) -> Any:
        names = tag_names(super().clean(value))
        if any(len(name) > TAG_LENGTH for name in names):
            raise ValidationError(_("A tag has at most %(most)d characters."), params={"most": TAG_LENGTH})
        return names


class CategoryField(forms.ModelChoiceField):
    """One of the tree, whose options are indented."""

    def __init__(self, **kwargs: Any):
        super().__init__(Category.objects.all(), required=False, empty_label=_("None"), **kwargs)

    def show(self, tree: CategoryTree) -> None:
        self.choices = [("", self.empty_label), *category_choices(tree)]


class _ProductForm(forms.ModelForm):
    """The tags, the currency and the guard against lost edits, for either form."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    price = forms.DecimalField(
        label=_("Price"),
        max_digits=12,
        decimal_places=2,
        min_value=0,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    tags = TagsField(label=_("Tags"), help_text=_("Separated by commas."))
    category = CategoryField(label=_("Category"))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("revision", self.instance.revision)
        self.initial["tags"] = sorted(tag.name for tag in self.instance.tags.all())
        category = self.fields["category"]
        assert isinstance(category, CategoryField)
        category.show(Category.objects.tree())
        self.fields["title"].label = _("Title")
        self.fields["brand"].label = _("Brand")
        self.fields["brand"].empty_label = _("None")  # type: ignore[attr-defined]
        self.fields["availability"].label = _("Availability")
        self.fields["published"].label = _("Published")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        price = values.get("price")
        currency = values.get("currency") or self.instance.currency or settings.SHOP_CURRENCY
        if price is not None and currency in NO_MINOR_UNIT and price != price.to_integral_value():
            self.add_error("price", _("%(currency)s has no cents: write a whole number.") % {"currency": currency})
        self.instance.currency = currency if price is not None else ""
        return values

    def save(self, commit: bool = True) -> Product:
        product = super().save(commit=False)
        product.save()
        if sorted(self.initial["tags"]) != sorted(self.cleaned_data["tags"]):
            product.tags.set(self.cleaned_data["tags"])
        return product


class RowForm(_ProductForm):
    """What can be changed in the list itself."""

    class Meta:
        model = Product
        fields = ["title", "price", "category", "brand", "availability", "tags", "published"]


class AttributesField(forms.CharField):
    """One attribute a line, ``name: value, value``, as ``{name: [value, …]}``."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return "\n".join(f"{name}: {', '.join(map(str, values))}" for name, values in sorted(value.items()))

    def clean(self, value: Any) -> Any:
        attributes: dict[str, list[str]] = {}
        for line in super().clean(value).splitlines():
            if not line.strip():
                continue
            name, colon, values = line.replace("：", ":").partition(":")
            if not colon or not name.strip() or not tag_names(values):
                raise ValidationError(
                    _("Write one attribute a line, like “size: S, M”. This line is none: %(line)s"),
                    params={"line": line.strip()},
                )
            attributes.setdefault(name.strip(), []).extend(tag_names(values))
        return attributes


class TranslationsField(forms.JSONField):
    """``{"zh-hans": {"title": …, "description": …}}``: languages of the site, and texts alone."""

    def clean(self, value: Any) -> Any:
        texts = super().clean(value) or {}
        languages = {code for code, _name in settings.LANGUAGES}
        fits = isinstance(texts, dict) and all(
            code in languages
            and isinstance(entry, dict)
            and all(name in ("title", "description") and isinstance(text, str) for name, text in entry.items())
            for code, entry in texts.items()
        )
        if not fits:
            raise ValidationError(_('Write it like {"zh-hans": {"title": "…", "description": "…"}}.'))
        return texts

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else json.dumps(value or {}, ensure_ascii=False, indent=2)


class ProductForm(_ProductForm):
    """Everything that a person may say of a product."""

    link = forms.URLField(label=_("Link to the shop"), max_length=500, required=False, assume_scheme="https")
    attributes = AttributesField(
        label=_("Attributes"), required=False, help_text=_("One a line, with its values: size: S, M")
    )
    translations = TranslationsField(label=_("Texts in other languages"), required=False, widget=forms.Textarea)

    class Meta:
        model = Product
        fields = [
            "sku", "title", "description", "price", "currency", "category", "brand", "availability", "tags", "link",
            "attributes", "translations", "published",
        ]  # fmt: skip
        widgets = {"description": forms.Textarea(attrs={"rows": 5})}

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["description"].label = _("Description")
        self.fields["currency"].label = _("Currency")
        for name, rows in (("attributes", 4), ("translations", 6)):
            self.fields[name].widget.attrs["rows"] = rows

    def save(self, commit: bool = True) -> Product:
        product = super().save(commit)
        if product.sku != self.initial["sku"]:
            # Links to the old SKU go on working.
            ProductRedirect.objects.filter(old_sku=product.sku).delete()
            ProductRedirect.objects.update_or_create(old_sku=self.initial["sku"], defaults={"product": product})
        return product
