"""Names of what filters hold as ids and slugs: each table is read at most once for an ordinary request."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from gallery.models import Brand, Category, Product
from gallery.models.categories import CategoryTree
from gallery.models.images import Swatch
from gallery.models.products import ProductTag
from search.query import Query

MOST_OPTIONS = 30  # values of one facet that are offered
_DIGITS_OF_ID = 18  # longer numbers do not fit a column


def ids(values: Iterable[str]) -> list[int]:
    """Those of the values that can be primary keys."""
    return [int(value) for value in values if value.isascii() and value.isdigit() and len(value) <= _DIGITS_OF_ID]


class Names:
    """What categories, brands and tags are called, in the active language, for one request."""

    def __init__(self) -> None:
        self._brands: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._knows_all_brands = False

    @cached_property
    def tree(self) -> CategoryTree:
        """Categories are few: all are read."""
        return Category.objects.tree()

    def all_brands(self) -> dict[str, str]:
        """Id as text → name of every brand."""
        if not self._knows_all_brands:
            self._brands = {str(pk): name for pk, name in Brand.objects.order_by().values_list("pk", "name")}
            self._knows_all_brands = True
        return self._brands

    def learn(self, *, brands: Iterable[str] = (), tags: Iterable[str] = ()) -> None:
        """Read the names of these, if any is still unknown."""
        if not self._knows_all_brands and (pks := ids(set(brands) - self._brands.keys())):
            found = Brand.objects.order_by().filter(pk__in=pks).values_list("pk", "name")
            self._brands |= {str(pk): name for pk, name in found}
        if slugs := set(tags) - self._tags.keys():
            self._tags |= dict(ProductTag.objects.order_by().filter(slug__in=slugs).values_list("slug", "name"))

    def label(self, facet: str, value: str) -> str | None:
        """The name of one filter value, or None where there is no such thing. Brands and tags must be learnt first."""
        if facet == "category":
            category = next((self.tree.by_id.get(pk) for pk in ids([value])), None)
            return category.label if category and str(category.pk) == value else None
        if facet == "brand":
            return self._brands.get(value)
        if facet == "tags":
            return self._tags.get(value)
        if facet == "availability":
            return str(Product.Availability(value).label) if value in Product.Availability.values else None
        if facet == "color":
            return str(Swatch(value).label) if value in Swatch.values else None
        return value.partition("=")[2]

    def unknown(self, query: Query) -> list[tuple[str, str]]:
        """The query's (field, value) pairs that name nothing. Attributes are free text, so none is unknown."""
        return [
            (field, value)
            for field in ("category", "brand", "availability", "color", "tags")
            for value in getattr(query, field)
            if self.label(field, value) is None
        ]


def most_counted(counts: Mapping[str, int], always: Sequence[str] = ()) -> list[str]:
    """The values of a facet that are offered: the active ones, then those with the most products."""
    ranked = sorted(counts, key=lambda value: (value not in always, -counts[value], value))
    return ranked[: max(MOST_OPTIONS, len(always))]
