"""Reading a query string: bounded, and tolerant on pages or strict in the API."""

import math
import re
from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from search.query import MAX_TEXT, MAX_VALUES, MULTIPLE, SORTS, BadParameter, Query, last_page

_PART = re.compile(r"[a-z][a-z_]{0,19}\Z")
_MAX_PARTS = 8
_MAX_WEIGHT = 100
_MAX_PRICE = Decimal("9999999999.99")
_TRUE, _FALSE = ("1", "true"), ("", "0", "false")


def cleaned(text: str) -> str:
    """One line: printable characters, single spaces."""
    return " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())


def read(data: "MultiValueDict[str, str]", *, strict: bool) -> tuple[Query, list[str]]:
    """See ``Query.from_querydict``."""
    reader = _Reader(data, strict)
    return reader.query(), reader.notes


class _Reader:
    """Reads one parameter after the other. Each problem is raised when strict, else noted and left out."""

    def __init__(self, data: "MultiValueDict[str, str]", strict: bool):
        self.data = data
        self.strict = strict
        self.notes: list[str] = []

    def problem(self, field: str, message: str) -> None:
        if self.strict:
            raise BadParameter(field, message)
        if message not in self.notes:
            self.notes.append(message)

    def one(self, name: str) -> str:
        values = self.data.getlist(name)
        if len(values) > 1 and self.strict:
            raise BadParameter(name, _("“%(name)s” can be given once only.") % {"name": name})
        return cleaned(values[-1]) if values else ""

    def query(self) -> Query:
        photo, image = self.key("photo"), self.key("image")
        if photo and image:
            self.problem("image", _("A search takes one picture: the photo you sent was kept."))
            image = None
        price_min, price_max = self.prices()
        return Query(
            text=self.text(),
            photo=photo,
            image=image,
            **self.filters(),
            price_min=price_min,
            price_max=price_max,
            sort=self.sort(),
            weaker=self.flag("weaker"),
            page=self.page(),
            weights=self.weights(),
        )

    def text(self) -> str:
        text = self.one("q")
        if len(text) > MAX_TEXT:
            self.problem("q", _("Only the first %(n)d characters were searched for.") % {"n": MAX_TEXT})
            text = text[:MAX_TEXT].rstrip()
        return text

    def key(self, name: str) -> UUID | None:
        value = self.one(name)
        if not value:
            return None
        try:
            return UUID(value)
        except ValueError:
            self.problem(name, _("The link to the picture is broken. Choose the picture again."))
            return None

    def filters(self) -> dict[str, tuple[str, ...]]:
        left = MAX_VALUES
        filters: dict[str, tuple[str, ...]] = {}
        for name, field in MULTIPLE.items():
            values = list(dict.fromkeys(filter(None, map(cleaned, self.data.getlist(name)))))
            readable = [value for value in values if self.readable(name, value)]
            if len(readable) > left:
                self.problem(name, _("A search takes at most %(n)d filter values.") % {"n": MAX_VALUES})
            filters[field] = tuple(readable[:left])
            left -= len(filters[field])
        return filters

    def readable(self, name: str, value: str) -> bool:
        if len(value) > MAX_TEXT:
            self.problem(name, _("A filter value was too long and was left out."))
            return False
        if name == "attr" and not all(value.partition("=")):
            self.problem(name, _("“%(value)s” is no attribute: write it as name=value.") % {"value": value})
            return False
        return True

    def prices(self) -> tuple[Decimal | None, Decimal | None]:
        low, high = self.price("price_min"), self.price("price_max")
        if low is not None and high is not None and low > high:
            self.problem("price_min", _("The lowest price was above the highest, so they were exchanged."))
            low, high = high, low
        return low, high

    def price(self, name: str) -> Decimal | None:
        value = self.one(name)
        if not value:
            return None
        try:
            price = Decimal(value)
            if not 0 <= price <= _MAX_PRICE:  # also refuses NaN: comparing it raises InvalidOperation
                raise InvalidOperation
        except InvalidOperation:
            self.problem(name, _("“%(value)s” is no price: write a number like 12.50.") % {"value": value})
            return None
        return round(price, 2)

    def sort(self):
        value = self.one("sort") or "relevance"
        if value not in SORTS:
            self.problem("sort", _("Results cannot be sorted by “%(value)s”.") % {"value": value})
            return "relevance"
        return value

    def flag(self, name: str) -> bool:
        value = self.one(name).lower()
        if value not in _TRUE + _FALSE:
            self.problem(name, _("“%(name)s” is either 1 or 0.") % {"name": name})
        return value in _TRUE

    def page(self) -> int:
        value = self.one("page") or "1"
        if not re.fullmatch(r"[0-9]{1,6}", value) or not 1 <= int(value) <= last_page(1):
            self.problem("page", _("There is no page “%(value)s”.") % {"value": value})
            return 1
        return int(value)

    def weights(self) -> tuple[tuple[str, float], ...]:
        value = self.one("w")
        if not value:
            return ()
        weights: dict[str, float] = {}
        for pair in value.split(","):
            name, _colon, number = pair.strip().partition(":")
            try:
                weight = round(float(number), 3)
            except ValueError:
                weight = math.nan
            if not _PART.match(name) or not 0 <= weight <= _MAX_WEIGHT:
                weights = {}
                break
            weights[name] = weight
        kept = tuple((name, weight) for name, weight in weights.items() if weight > 0)
        if not kept or len(kept) > _MAX_PARTS:
            self.problem("w", _("“%(value)s” are no weights: write them like deep:0.8,color:0.2.") % {"value": value})
            return ()
        return kept
