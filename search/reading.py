"""Reading a query string: bounded, and tolerant on pages or strict in the API."""

import math
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from search.examples import MAX_EXAMPLES, NAMES, Example
from search.query import (
    GROUPS,
    LEANINGS,
    MAX_ADDRESS,
    MAX_TEXT,
    MAX_VALUES,
    MULTIPLE,
    SORTS,
    BadParameter,
    Query,
    last_page,
)

_PART = re.compile(r"[a-z][a-z_]{0,19}\Z")
_TOKENS = re.compile(rf"[A-Za-z0-9_-]{{16,43}}(\.[A-Za-z0-9_-]{{16,43}}){{0,{MAX_EXAMPLES - 1}}}\Z", re.ASCII)
_LONGEST = ("attributes", "tags", "brand", "category", "color", "availability")  # filters by the length of values
_MAX_PARTS = 8
_MAX_WEIGHT = 100
_MAX_PRICE = Decimal("9999999999.99")
_TRUE, _FALSE = ("1", "true"), ("0", "false")


def cleaned(text: str) -> str:
    """One line: printable characters, single spaces."""
    return " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())


def share_in(data: "MultiValueDict[str, str]") -> str:
    """The tokens of shared photos that an address holds; nothing where they cannot be read."""
    return _Reader(data, strict=False).share()


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
        """The query, and no address that servers and browsers on its way would refuse."""
        query = self.whole_query()
        while len(query.canonical) > MAX_ADDRESS and (name := next(filter(partial(getattr, query), _LONGEST), None)):
            self.problem(name, _("The search was too long for an address: some filters were left out."))
            query = query.with_(page=query.page, **{name: getattr(query, name)[:-1]})
        return query

    def whole_query(self) -> Query:
        price_min, price_max = self.prices()
        return Query(
            text=self.text(),
            examples=self.examples(),
            **self.filters(),
            price_min=price_min,
            price_max=price_max,
            sort=self.choice("sort", SORTS, "relevance", _("Results cannot be sorted by “%(value)s”.")),
            group=self.choice("group", GROUPS, "products", _("Results cannot be grouped by “%(value)s”.")),
            weaker=self.flag("weaker"),
            page=self.page(),
            by=self.choice("by", LEANINGS, "", _("Likeness cannot lean to “%(value)s”.")),
            weights=self.weights(),
            share=self.share(),
            ordered=self.flag("ordered", default="1"),
        )

    def text(self) -> str:
        text = self.one("q")
        if len(text) > MAX_TEXT:
            self.problem("q", _("Only the first %(n)d characters were searched for.") % {"n": MAX_TEXT})
            text = text[:MAX_TEXT].rstrip()
        return text

    def examples(self) -> tuple[Example, ...]:
        examples: list[Example] = []
        for name in NAMES:
            for value in filter(None, map(cleaned, self.data.getlist(name))):
                example = self.example(name, value)
                if example in examples or example is None:
                    continue
                if len(examples) == MAX_EXAMPLES:
                    self.problem(
                        name, _("A search takes at most %(n)d pictures: the first were kept.") % {"n": MAX_EXAMPLES}
                    )
                    break
                examples.append(example)
        return tuple(examples)

    def example(self, name: str, value: str) -> Example | None:
        key, _at, crop = value.partition("@")
        try:
            whole = Example.parse(name, key)
        except ValueError:
            self.problem(name, _("The link to the picture is broken. Choose the picture again."))
            return None
        try:
            return Example.parse(name, value) if crop else whole
        except ValueError:
            self.problem(name, _("The part that was chosen lies outside of the picture, so the whole picture is used."))
            return whole

    def share(self) -> str:
        value = self.one("share")
        if value and not _TOKENS.match(value):
            self.problem("share", _("The link to a shared photo is broken. Ask for it again."))
            return ""
        return value

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
        return abs(round(price, 2))  # of -0, too

    def choice(self, name: str, choices: Sequence[Any], default: Any, message: str) -> Any:
        value = self.one(name) or default
        if value not in choices:
            self.problem(name, message % {"value": value})
            return default
        return value

    def flag(self, name: str, default: str = "0") -> bool:
        value = self.one(name).lower() or default
        if value not in _TRUE + _FALSE:
            self.problem(name, _("“%(name)s” is either 1 or 0.") % {"name": name})
            value = default
        return value in _TRUE

    def page(self) -> int:
        value = self.one("page") or "1"
        if not re.fullmatch(r"[0-9]{1,6}", value) or not 1 <= int(value) <= last_page(1):
            self.problem("page", _("There is no page “%(value)s”.") % {"value": value})
            return 1
        return int(value)

    def weights(self) -> tuple[tuple[str, float], ...]:
        value = self.one("w") or self.sliders()
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

    def sliders(self) -> str:
        """What a form of sliders sends, one parameter for each part, as ``w`` would hold it."""
        names = [name for name in self.data if name.startswith("w.")]
        shares = [(name[2:], self.one(name)) for name in names[:_MAX_PARTS]]
        return ",".join(f"{part}:{int(share) / 100:g}" for part, share in shares if re.fullmatch(r"[0-9]{1,3}", share))
