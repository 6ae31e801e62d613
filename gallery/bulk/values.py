"""The values that an action touches, as JSON holds them: what a product has, and what it would get."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.conf import settings

from gallery.models import BulkEdit, BulkEditItem, Product
from gallery.prices import NO_MINOR_UNIT

Action = BulkEdit.Action
Reason = BulkEditItem.Reason
Values = dict[str, Any]

# The columns of a product that an action writes; tags are rows of their own.
COLUMNS: dict[str, tuple[str, ...]] = {
    Action.PRICE: ("price", "currency"),
    Action.CATEGORY: ("category_id",),
    Action.AVAILABILITY: ("availability",),
    Action.PUBLISH: ("published",),
    Action.HIDE: ("published",),
    Action.ADD_TAGS: (),
    Action.REMOVE_TAGS: (),
}
TAGGING = frozenset({Action.ADD_TAGS, Action.REMOVE_TAGS})
_HIGHEST = Decimal("9999999999.99")
_CENT = Decimal("0.01")
# Rounding by name: the step, and what is taken off afterwards.
ROUNDING = {
    "cent": (_CENT, Decimal(0)),
    "tenth": (Decimal("0.10"), Decimal(0)),
    "half": (Decimal("0.50"), Decimal(0)),
    "whole": (Decimal(1), Decimal(0)),
    "99": (Decimal(1), _CENT),
    "95": (Decimal(1), Decimal("0.05")),
}


class Left(Exception):
    """The product stays as it is; ``reason`` is one of ``BulkEditItem.Reason``."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


def values_of(product: Product, action: str) -> Values:
    """What the product has, as far as the action touches it. Tags are sorted names, prefetched for many products."""
    if action in TAGGING:
        return {"tags": sorted(tag.name for tag in product.tags.all())}
    values = {name: getattr(product, name) for name in COLUMNS[action]}
    if "price" in values and values["price"] is not None:
        values["price"] = str(values["price"].quantize(_CENT))
    return values


def put(product: Product, values: Values) -> None:
    """Give the product its columns back, in memory."""
    for name, value in values.items():
        if name == "price" and value is not None:
            value = Decimal(value)
        if name != "tags":
            setattr(product, name, value)


def values_after(product: Product, action: str, parameters: Values) -> Values:
    """What the product would have.

    :raises Left: where it stays as it is, with the reason
    """
    before = values_of(product, action)
    after = _AFTER[action](product, before, parameters)
    if after == before:
        raise Left(Reason.SAME)
    return after


def _price(product: Product, before: Values, parameters: Values) -> Values:
    how, value = parameters["how"], Decimal(parameters["value"])
    if how == "set":
        return {"price": str(value.quantize(_CENT)), "currency": settings.SHOP_CURRENCY}
    if product.price is None:
        raise Left(Reason.NO_PRICE)
    if how == "amount" and product.currency != settings.SHOP_CURRENCY:
        raise Left(Reason.OTHER_CURRENCY)
    price = product.price + (value if how == "amount" else product.price * value / 100)
    price = rounded(price, parameters["rounding"], product.currency)
    if price < 0:
        raise Left(Reason.NEGATIVE)
    if price > _HIGHEST:
        raise Left(Reason.TOO_HIGH)
    return before | {"price": str(price)}


def rounded(price: Decimal, rounding: str, currency: str) -> Decimal:
    """To the nearest step of a rounding by name, halves up; a currency without cents has whole prices alone."""
    step, less = ROUNDING["whole" if currency in NO_MINOR_UNIT else rounding]
    if price <= 0:
        less = Decimal(0)  # nothing is no price that ends in anything
    steps = ((price + less) / step).quantize(Decimal(1), ROUND_HALF_UP)
    if less:
        steps = max(steps, Decimal(1))  # the lowest price that ends so
    return (steps * step - less).quantize(_CENT)


def _category(_product: Product, _before: Values, parameters: Values) -> Values:
    return {"category_id": parameters["category"]}


def _availability(_product: Product, _before: Values, parameters: Values) -> Values:
    return {"availability": parameters["availability"]}


def _publish(_product: Product, _before: Values, _parameters: Values) -> Values:
    return {"published": True}


def _hide(_product: Product, _before: Values, _parameters: Values) -> Values:
    return {"published": False}


def _add_tags(_product: Product, before: Values, parameters: Values) -> Values:
    return {"tags": sorted({*before["tags"], *parameters["tags"]})}


def _remove_tags(_product: Product, before: Values, parameters: Values) -> Values:
    return {"tags": sorted({*before["tags"]} - {*parameters["tags"]})}


_AFTER: dict[str, Callable[[Product, Values, Values], Values]] = {
    Action.PRICE: _price,
    Action.CATEGORY: _category,
    Action.AVAILABILITY: _availability,
    Action.PUBLISH: _publish,
    Action.HIDE: _hide,
    Action.ADD_TAGS: _add_tags,
    Action.REMOVE_TAGS: _remove_tags,
}
