"""What one line of a catalogue says, checked."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext as _

from gallery.importing.errors import RowError
from gallery.importing.price import read_price
from gallery.models import Product
from gallery.models.categories import joined_path, path_steps
from gallery.models.products import validate_sku
from gallery.tables.cells import cleaned, split, unguarded

COLUMNS = (
    "sku", "file", "title", "description", "category", "brand", "price", "currency",
    "availability", "tags", "link", "published", "alt", "position", "old_skus",
)  # fmt: skip
TRANSLATED = ("title", "description", "category")
_OF_THE_IMAGE = ("line", "sku", "file", "alt", "position")
_YES, _NO = {"1", "true", "yes", "y", "on"}, {"0", "false", "no", "n", "off"}
_LONGEST = {"title": 200, "brand": 80, "alt": 200, "link": 500}
LONGEST_CELL = 100_000  # characters


@dataclass(frozen=True)
class Row:
    """What one row says. None and empty values leave what the product has."""

    line: int  # in the source, for messages; files of a folder are counted from 1
    sku: str
    file: str  # relative to the source
    title: str = ""
    description: str = ""
    category: str = ""  # "Clothing/Dresses"
    brand: str = ""
    price: Decimal | None = None
    currency: str = ""
    availability: str = ""
    tags: tuple[str, ...] | None = None
    link: str = ""
    published: bool | None = None
    alt: str = ""
    position: int | None = None
    old_skus: tuple[str, ...] = ()
    attributes: Mapping[str, list[str]] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # language → column → text

    def contradicts(self, first: "Row") -> list[str]:
        """Columns of the product in which this row says something else than the first row of its SKU."""
        return [
            item.name
            for item in fields(self)
            if item.name not in _OF_THE_IMAGE
            and getattr(self, item.name) not in (None, "", (), {})
            and getattr(self, item.name) != getattr(first, item.name)
        ]


def parse(line: int, values: Mapping[str, str | None], currency: str = "") -> Row:
    """Check the text of one row.

    :param currency: of prices whose row names none; the shop's own if left out
    :raises RowError: naming the column and what it should be
    """
    text = {name: _text(name, value or "") for name, value in values.items() if name}
    sku, file = text.get("sku", ""), text.get("file", "")
    if not re.match(validate_sku.regex, sku):
        raise RowError(_("sku “%(sku)s”: %(hint)s") % {"sku": sku, "hint": validate_sku.message})
    if not file:
        raise RowError(_("The file column is empty. Name a file beside the table."))
    for name, longest in _LONGEST.items():
        if len(text.get(name, "")) > longest:
            raise RowError(_("%(column)s: use at most %(longest)d characters.") % {"column": name, "longest": longest})
    price, price_currency = read_price(text.get("price", ""))
    return Row(
        line=line,
        sku=sku,
        file=file,
        title=text.get("title", ""),
        description=text.get("description", ""),
        category=_category(text.get("category", "")),
        brand=text.get("brand", ""),
        price=price,
        currency=_currency(text.get("currency", ""), price_currency, currency if price is not None else None),
        availability=_availability(text.get("availability", "")),
        tags=_tags(text["tags"]) if "tags" in text else None,
        link=_link(text.get("link", "")),
        published=_yes_or_no("published", text.get("published", "")),
        alt=text.get("alt", ""),
        position=_position(text.get("position", "")),
        old_skus=_old_skus(text.get("old_skus", ""), sku),
        attributes={
            name.removeprefix("attr:").strip(): split(value)
            for name, value in text.items()
            if name.startswith("attr:") and value
        },
        translations=_translations(text),
    )


def _text(name: str, value: str) -> str:
    if len(value) > LONGEST_CELL:
        raise RowError(_("%(column)s: use at most %(longest)d characters.") % {"column": name, "longest": LONGEST_CELL})
    return cleaned(unguarded(cleaned(value)))


def _tags(text: str) -> tuple[str, ...]:
    tags = tuple(split(text))
    if any(len(tag) > 100 for tag in tags):
        raise RowError(_("tags: use at most 100 characters for each, and semicolons between them."))
    return tags


def _category(text: str) -> str:
    steps = path_steps(text)
    if any(len(step) > 80 for step in steps):
        raise RowError(_("category: use at most 80 characters for each name, and slashes between them."))
    return joined_path(steps)


def _availability(text: str) -> str:
    """``In stock``, ``in_stock`` and ``pre-order`` are all understood."""
    known = {value.replace("_", ""): value for value in Product.Availability.values}
    value = re.sub(r"[\s_-]", "", text.lower())
    if value and value not in known:
        raise RowError(
            _("availability “%(value)s”: use one of %(known)s.")
            % {"value": text, "known": ", ".join(Product.Availability.values)}
        )
    return known.get(value, "")


def _link(text: str) -> str:
    if text and not text.startswith(("https://", "http://")):
        raise RowError(_("link “%(value)s”: use an address that starts with https://.") % {"value": text})
    return text


def _old_skus(text: str, sku: str) -> tuple[str, ...]:
    old = tuple(split(text))
    for one in old:
        if not re.match(validate_sku.regex, one) or one == sku:
            raise RowError(
                _("old_skus “%(value)s”: name the SKUs that the product had before, with semicolons between them.")
                % {"value": one}
            )
    return old


def _currency(text: str, of_price: str, default: str | None) -> str:
    """
    :param of_price: what stood beside the price
    :param default: of prices that name none, the shop's own where empty; None where there is no price
    """
    currency = text.upper()
    if currency and not re.fullmatch("[A-Z]{3}", currency):
        raise RowError(_("currency “%(value)s”: use three letters, like EUR.") % {"value": text})
    if currency and of_price and currency != of_price:
        raise RowError(
            _("The price is in %(one)s and the currency says %(other)s. Write one of them.")
            % {"one": of_price, "other": currency}
        )
    return currency or of_price or ("" if default is None else default or settings.SHOP_CURRENCY)


def _yes_or_no(name: str, text: str) -> bool | None:
    if not text:
        return None
    if text.lower() not in _YES | _NO:
        raise RowError(_("%(name)s “%(value)s”: use yes or no.") % {"name": name, "value": text})
    return text.lower() in _YES


def _position(text: str) -> int | None:
    if text and not re.fullmatch(r"[0-9]{1,6}", text):
        raise RowError(_("position “%(value)s”: use a whole number from 0.") % {"value": text})
    return int(text) if text else None


def _translations(text: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Columns like ``title:zh-hans``."""
    languages: dict[str, dict[str, str]] = {}
    for name, value in text.items():
        column, _colon, language = name.partition(":")
        if column in TRANSLATED and language and value:
            languages.setdefault(language.lower(), {})[column] = value
    return languages


def unknown_columns(names: Iterable[str]) -> list[str]:
    """Columns that mean nothing to us, to be named once."""
    return [
        name
        for name in names
        if name
        and name not in COLUMNS
        and not name.startswith("attr:")
        and not (":" in name and name.partition(":")[0] in TRANSLATED)
    ]
