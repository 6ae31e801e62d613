"""Filters as a page offers them: options with true counts and the address that each leads to."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery.models.images import Swatch
from search.ask import Found
from search.engines.base import PriceRange
from search.names import Names, most_counted
from search.query import Query

TALLEST_BAR = 10
LABELS = {
    "category": gettext_lazy("Category"),
    "brand": gettext_lazy("Brand"),
    "availability": gettext_lazy("Availability"),
    "color": gettext_lazy("Colour"),
    "tags": gettext_lazy("Tags"),
}


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    count: int
    active: bool
    url: str  # turns the option on, or off where it is active


@dataclass(frozen=True)
class Facet:
    code: str  # category, color, brand, availability, tags or attributes.<name>
    label: str
    options: list[Option]

    @property
    def has_active(self) -> bool:
        return any(option.active for option in self.options)


@dataclass(frozen=True)
class Bar:
    height: int  # 0 to TALLEST_BAR
    active: bool


@dataclass(frozen=True)
class PriceForm:
    """Lowest and highest of what could be chosen, and what is chosen, in the shop's currency."""

    lowest: float
    highest: float
    min: Decimal | None
    max: Decimal | None
    bars: list[Bar]
    hidden: list[tuple[str, str]]
    currency: str
    hint: str


def facets_of(found: Found) -> list[Facet]:
    """The facets that leave a choice, in a fixed order."""
    query, names, counts = found.query, found.names, found.facets.counts
    facets = [_category(query, names, counts.get("category", {})), _color(query, names, counts.get("color", {}))]
    for code in ("brand", "availability", "tags"):
        offered = _options(query, names, code, code, counts.get(code, {}))
        facets.append(Facet(code, str(LABELS[code]), offered))
    by_name: dict[str, dict[str, int]] = {}
    for value in query.attributes:
        by_name.setdefault(value.partition("=")[0], {}).setdefault(value, 0)
    for value, products in counts.get("attributes", {}).items():
        by_name.setdefault(value.partition("=")[0], {})[value] = products
    for name in sorted(by_name):
        offered = _options(query, names, "attributes", "attributes", by_name[name])
        facets.append(Facet(f"attributes.{name}", capfirst(name), offered))
    return [facet for facet in facets if facet.options]


def _options(query: Query, names: Names, facet: str, field: str, counts: Mapping[str, int]) -> list[Option]:
    """Active options first, then by the number of products, then by name."""
    active = [value for value in getattr(query, field) if facet != "attributes" or value in counts]
    options = [
        Option(
            value,
            label,
            counts.get(value, 0),
            value in active,
            (query.without(field, value) if value in active else query.adding(field, value)).url(),
        )
        for value in most_counted({**dict.fromkeys(active, 0), **counts}, active)
        if (label := names.label(facet, value)) is not None
    ]
    return sorted(options, key=lambda option: (not option.active, -option.count, option.label))


def _color(query: Query, names: Names, counts: Mapping[str, int]) -> Facet:
    """Colours stand where they always stand, so that nobody has to look for red."""
    offered = {option.value: option for option in _options(query, names, "color", "color", counts)}
    return Facet("color", str(LABELS["color"]), [offered[value] for value in Swatch.values if value in offered])


def _category(query: Query, names: Names, counts: Mapping[str, int]) -> Facet:
    """One level of the tree: below what is chosen, or beside it where nothing is below; else from the root.

    A level with a single choice is no choice and is passed over. Choosing a child replaces its parent, as both
    together would only mean the parent.
    """
    tree = names.tree
    children: dict[int | None, list[str]] = {}
    for category in tree.by_id.values():
        if counts.get(str(category.pk)):
            children.setdefault(category.parent_id, []).append(str(category.pk))
    chosen = [value for value in query.category if value.isdecimal() and int(value) in tree.by_id]
    if chosen:
        level = [below for value in chosen for below in children.get(int(value), [])]
        level = level or [beside for value in chosen for beside in children.get(tree.by_id[int(value)].parent_id, [])]
    else:
        level = children.get(None, [])
        while len(level) == 1 and children.get(int(level[0])):
            level = children[int(level[0])]
    options = []
    for value in dict.fromkeys([*chosen, *level]):
        active = value in chosen
        above = {str(step.pk) for step in tree.ancestors(int(value))} - {value}
        kept = tuple(other for other in query.category if other not in above)
        turned = query.without("category", value) if active else query.with_(category=(*kept, value))
        label = names.label("category", value) or value
        options.append(Option(value, label, counts.get(value, 0), active, turned.url()))
    options.sort(key=lambda option: (not option.active, -option.count, option.label))
    return Facet("category", str(LABELS["category"]), options)


def price_form_of(found: Found) -> PriceForm | None:
    """The price filter; None where nothing has a price in the shop's currency and none is asked for."""
    query = found.query
    chosen = query.filters.has_price
    price = found.facets.price
    if price is None:
        if not chosen:
            return None
        price = PriceRange(float(query.price_min or 0), float(query.price_max or query.price_min or 0), ())
    low = float(query.price_min) if query.price_min is not None else price.lowest
    high = float(query.price_max) if query.price_max is not None else price.highest
    step = (price.highest - price.lowest) / len(price.counts) if price.counts else 0.0
    tallest = max(price.counts, default=0) or 1
    bars = [
        Bar(
            -(-count * TALLEST_BAR // tallest),  # rounded up: what is there can be seen
            price.lowest + i * step <= high and (price.lowest + (i + 1) * step > low or i + 1 == len(price.counts)),
        )
        for i, count in enumerate(price.counts)
    ]
    return PriceForm(
        lowest=price.lowest,
        highest=price.highest,
        min=query.price_min,
        max=query.price_max,
        bars=bars,
        hidden=query.hidden_fields("price_min", "price_max"),
        currency=settings.SHOP_CURRENCY,
        hint=_("Products priced in another currency than %(currency)s are left out of the price filter.")
        % {"currency": settings.SHOP_CURRENCY},
    )
