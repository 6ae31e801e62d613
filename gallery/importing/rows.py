"""One row of a catalogue, from whichever source, in checked values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from django.conf import settings
from django.utils.translation import gettext as _

from gallery.models import Product
from gallery.models.products import validate_sku

COLUMNS = (
    "sku", "file", "title", "description", "category", "brand", "price", "currency",
    "availability", "tags", "link", "published", "alt", "position",
)  # fmt: skip
TRANSLATED = ("title", "description", "category")
_YES, _NO = {"1", "true", "yes", "y", "on"}, {"0", "false", "no", "n", "off"}


class RowError(Exception):
    """A row that cannot be imported; the text says why and what to do."""


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
    attributes: Mapping[str, list[str]] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # language → column → text


def parse(line: int, values: Mapping[str, str | None]) -> Row:
    """Check the text of one row.

    :raises RowError: naming the column and what it should be
    """
    text = {name: (value or "").strip() for name, value in values.items() if name}
    sku, file = text.get("sku", ""), text.get("file", "")
    if not validate_sku.regex.match(sku):
        raise RowError(_("sku “%(sku)s”: %(hint)s") % {"sku": sku, "hint": validate_sku.message})
    if not file:
        raise RowError(_("The file column is empty. Name a file beside the table."))
    price = _price(text.get("price", ""))
    currency = text.get("currency", "").upper() or (settings.SHOP_CURRENCY if price is not None else "")
    if currency and not re.fullmatch("[A-Z]{3}", currency):
        raise RowError(_("currency “%(value)s”: use three letters, like EUR.") % {"value": currency})
    return Row(
        line=line,
        sku=sku,
        file=file,
        title=text.get("title", "")[:200],
        description=text.get("description", ""),
        category=text.get("category", ""),
        brand=text.get("brand", "")[:80],
        price=price,
        currency=currency,
        availability=_availability(text.get("availability", "")),
        tags=tuple(dict.fromkeys(_split(text["tags"]))) if "tags" in text else None,
        link=_link(text.get("link", "")),
        published=_yes_or_no("published", text.get("published", "")),
        alt=text.get("alt", "")[:200],
        position=_position(text.get("position", "")),
        attributes={
            name.removeprefix("attr:").strip(): _split(value)
            for name, value in text.items()
            if name.startswith("attr:") and value
        },
        translations=_translations(text),
    )


def _split(text: str) -> list[str]:
    return [value.strip() for value in text.split(";") if value.strip()]


def _price(text: str) -> Decimal | None:
    if not text:
        return None
    # "12,50" is how much of Europe writes it; "1,250.00" and "1.250,00" are told apart by what comes last.
    number = text.replace(" ", "").replace("\u00a0", "")
    if "," in number and "." in number:
        thousands = "." if number.rfind(",") > number.rfind(".") else ","
        number = number.replace(thousands, "")
    number = number.replace(",", ".")
    try:
        price = Decimal(number)
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite() or price < 0 or price >= 10**10:
        raise RowError(_("price “%(value)s”: use a number like 12.50, without a currency sign.") % {"value": text})
    return price.quantize(Decimal("0.01"))


def _availability(text: str) -> str:
    value = text.lower().replace(" ", "_").replace("-", "_")
    if value and value not in Product.Availability.values:
        raise RowError(
            _("availability “%(value)s”: use one of %(known)s.")
            % {"value": text, "known": ", ".join(Product.Availability.values)}
        )
    return value


def _link(text: str) -> str:
    if text and not text.startswith(("https://", "http://")):
        raise RowError(_("link “%(value)s”: use an address that starts with https://.") % {"value": text})
    return text


def _yes_or_no(name: str, text: str) -> bool | None:
    if not text:
        return None
    if text.lower() not in _YES | _NO:
        raise RowError(_("%(name)s “%(value)s”: use yes or no.") % {"name": name, "value": text})
    return text.lower() in _YES


def _position(text: str) -> int | None:
    if text and not (text.isascii() and text.isdigit() and len(text) < 7):
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


def unknown_columns(names: list[str]) -> list[str]:
    """Columns that mean nothing to us, to be named once."""
    return [
        name
        for name in names
        if name and name not in COLUMNS and not name.startswith("attr:") and name.partition(":")[0] not in TRANSLATED
    ]
