"""What the product list can be narrowed by. A query string of these filters is also a saved view and a selection."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any

import django_filters
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from gallery.models import Brand, Category, Image, Product, TaggedProduct
from gallery.models.categories import CategoryTree
from gallery.models.products import ProductTag

NONE = "none"  # in an address: without a category, without a brand
_STEP = "\u2003"  # an em space a level, as spaces at its beginning are lost in an option

_ORDERS = {
    "created_at": "new",
    "updated_at": "edited",
    "sku": "sku",
    "title": "title",
    "price": "price",
    "photo_count": "photos",
}
_ORDER_LABELS = {
    "-new": _("Newest first"),
    "new": _("Oldest first"),
    "-edited": _("Edited last"),
    "sku": _("SKU"),
    "-sku": _("SKU, backwards"),
    "title": _("Title"),
    "-title": _("Title, backwards"),
    "price": _("Cheapest first"),
    "-price": _("Dearest first"),
    "-photos": _("Most photos first"),
    "photos": _("Fewest photos first"),
}


class Order(django_filters.OrderingFilter):
    """An order in which no two products are equal, so that pages neither repeat nor miss one."""

    def filter(self, qs: QuerySet, value: list[str] | None) -> QuerySet:
        fields = [self.get_ordering_value(name) for name in value or ["-new"]]
        return qs.order_by(*fields, "pk" if not fields[0].startswith("-") else "-pk")


class CategoryFilter(django_filters.ChoiceFilter):
    """A category with everything below it. The choices come with the form, as the whole tree is read for them once."""

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        if not value:
            return qs
        if value == NONE:
            return qs.filter(category=None)
        return qs.filter(category__in=self.parent.tree.descendants(int(value)))


class BrandFilter(django_filters.ModelChoiceFilter):
    def filter(self, qs: QuerySet, value: Brand | str | None) -> QuerySet:
        return qs.filter(brand=None) if value == NONE else super().filter(qs, value)


def category_choices(tree: CategoryTree) -> list[tuple[str, str]]:
    """Key and indented name of every category, parents before their children."""
    below: dict[int | None, list[Category]] = {}
    for category in sorted(tree.by_id.values(), key=lambda one: (one.position, one.label)):
        below.setdefault(category.parent_id, []).append(category)
    choices: list[tuple[str, str]] = []

    def add(parent: int | None, depth: int) -> None:
        for category in below.get(parent, ()):
            choices.append((str(category.pk), _STEP * depth + category.label))
            add(category.pk, depth + 1)

    add(None, 0)
    return choices


class ProductFilters(django_filters.FilterSet):
    """Filters by name, as they stand in an address; unknown values match nothing and are said at their field."""

    q = django_filters.CharFilter(method="words", label=_("SKU or title"))
    category = CategoryFilter(label=_("Category"), empty_label=_("All"), null_label=_("Without one"), null_value=NONE)
    brand = BrandFilter(
        queryset=Brand.objects.all(),
        label=_("Brand"),
        empty_label=_("All"),
        null_label=_("Without one"),
        null_value=NONE,
    )
    availability = django_filters.ChoiceFilter(
        choices=Product.Availability.choices, label=_("Availability"), empty_label=_("All")
    )
    published = django_filters.ChoiceFilter(
        choices=[("yes", _("Published")), ("no", _("Draft"))],
        method="is_published",
        label=_("Published"),
        empty_label=_("All"),
    )
    photos = django_filters.ChoiceFilter(
        choices=[("some", _("With photos")), ("none", _("Without photos"))],
        method="having_photos",
        label=_("Photos"),
        empty_label=_("All"),
    )
    state = django_filters.ChoiceFilter(
        choices=Image.Status.choices, method="photo_state", label=_("State of a photo"), empty_label=_("All")
    )
    tag = django_filters.ModelChoiceFilter(
        queryset=ProductTag.objects.order_by("name"),
        to_field_name="slug",
        method="tagged",
        label=_("Tag"),
        empty_label=_("All"),
    )
    price_min = django_filters.NumberFilter("price", "gte", label=_("Price from"), min_value=0)
    price_max = django_filters.NumberFilter("price", "lte", label=_("Price up to"), min_value=0)
    sort = Order(fields=_ORDERS, choices=list(_ORDER_LABELS.items()), label=_("Order"), empty_label=None)

    class Meta:
        model = Product
        fields: list[str] = []

    def __init__(self, data: Mapping[str, Any] | None = None, queryset: QuerySet | None = None, **kwargs: Any):
        super().__init__(data, queryset, **kwargs)
        self.tree = Category.objects.tree()
        self.filters["category"].extra["choices"] = category_choices(self.tree)

    def words(self, qs: QuerySet, _name: str, value: str) -> QuerySet:
        """Every word is in the SKU, in the title, or in its translations."""
        places = ["sku", "title", *(f"translations__{code}__title" for code, _name in settings.LANGUAGES)]
        for word in value.split():
            qs = qs.filter(reduce(or_, (Q((f"{place}__icontains", word)) for place in places)))
        return qs

    def is_published(self, qs: QuerySet, _name: str, value: str) -> QuerySet:
        return qs.filter(published=value == "yes")

    def having_photos(self, qs: QuerySet, _name: str, value: str) -> QuerySet:
        some = Exists(Image.objects.filter(product=OuterRef("pk")))
        return qs.filter(some if value == "some" else ~some)

    def photo_state(self, qs: QuerySet, _name: str, value: str) -> QuerySet:
        return qs.filter(Exists(Image.objects.filter(product=OuterRef("pk"), status=value)))

    def tagged(self, qs: QuerySet, _name: str, value: ProductTag) -> QuerySet:
        return qs.filter(Exists(TaggedProduct.objects.filter(content_object=OuterRef("pk"), tag=value)))

    @cached_property
    def query_string(self) -> str:
        """The filters in use, in their canonical order: two addresses that mean the same give the same."""
        used = QueryDict(mutable=True)
        for name in self.filters:
            value = str(self.data.get(name, "")).strip() if self.data else ""
            if value:
                used[name] = value
        return used.urlencode()

    @property
    def narrowed(self) -> bool:
        """Anything but the order is asked for."""
        return any(name != "sort" for name in QueryDict(self.query_string))

    def matching(self) -> QuerySet:
        """The products, or none while something in the address makes no sense."""
        return self.qs if self.is_valid() else Product.objects.none()


def matching(query: str) -> QuerySet:
    """The products that a stored query string means now."""
    return ProductFilters(QueryDict(query), Product.objects.with_photos_counted()).matching()
