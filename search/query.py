"""Everything that a person asked for, as one immutable value that a URL can carry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, get_args
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.datastructures import MultiValueDict

from search.engines.base import Filters, Sort
from search.examples import Example

MAX_TEXT = 200  # characters of words
MAX_VALUES = 50  # filter values in one query
MAX_ADDRESS = 4000  # characters of a query string, which is longer inside another address; servers end at 8190
MAX_DEPTH = 10_000  # products that paging can reach; engines bound it too
SORTS: tuple[Sort, ...] = get_args(Sort)
By = Literal["", "color", "shape", "pattern"]
LEANINGS: tuple[By, ...] = get_args(By)
Group = Literal["products", "photos"]
GROUPS: tuple[Group, ...] = get_args(Group)

# Names in the query string of the filters that hold several values, with their fields.
MULTIPLE = {
    "category": "category",
    "brand": "brand",
    "availability": "availability",
    "color": "color",
    "tags": "tags",
    "attr": "attributes",
}


class BadParameter(ValueError):
    """A parameter that cannot be read. ``field`` names it; the text is a sentence for a person."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True)
class Query:
    """Words, pictures, filters, order and page. Equal queries have equal ``canonical`` strings.

    Filter values are as they stand in URLs: ids of categories and brands as text, colour classes, slugs of tags,
    ``"name=value"`` of attributes. Whether they exist is not known here.
    """

    text: str = ""
    examples: tuple[Example, ...] = ()  # pictures that results should look like, or should not
    category: tuple[str, ...] = ()
    brand: tuple[str, ...] = ()
    availability: tuple[str, ...] = ()
    color: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    sort: Sort = "relevance"
    group: Group = "products"
    weaker: bool = False
    page: int = 1
    by: By = ""  # what likeness leans to; weights that are given go before it
    weights: tuple[tuple[str, float], ...] = ()
    share: str = ""  # the token that lets others see a shared query photo
    ordered: bool = True  # a person's own taste may order what is equally similar

    def __post_init__(self) -> None:
        object.__setattr__(self, "examples", tuple(sorted(set(self.examples), key=lambda example: example.place)))
        for field in MULTIPLE.values():
            object.__setattr__(self, field, tuple(sorted(set(getattr(self, field)))))
        object.__setattr__(self, "weights", tuple(sorted(self.weights, key=lambda part: (-part[1], part[0]))))

    @classmethod
    def like(cls, image: UUID) -> "Query":
        """What looks like this photo of the catalogue."""
        return cls(examples=(Example(image),))

    @classmethod
    def from_querydict(cls, data: "MultiValueDict[str, str]", *, strict: bool = False) -> tuple["Query", list[str]]:
        """Read a query string. What cannot be read is left out, and the returned notes say so.

        :raises BadParameter: instead of leaving anything out, when ``strict``
        """
        from search.reading import read  # the reader makes queries; only this name is public

        return read(data, strict=strict)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Names and values of the canonical query string; defaults are left out."""
        pairs: list[tuple[str, str]] = []
        if self.text:
            pairs.append(("q", self.text))
        pairs += [(example.name, example.value) for example in self.examples]
        for name, field in MULTIPLE.items():
            pairs += [(name, value) for value in getattr(self, field)]
        pairs += [
            (name, f"{price.normalize():f}")
            for name, price in (("price_min", self.price_min), ("price_max", self.price_max))
            if price is not None
        ]
        if self.sort != "relevance":
            pairs.append(("sort", self.sort))
        if self.group != "products":
            pairs.append(("group", self.group))
        if self.weaker:
            pairs.append(("weaker", "1"))
        if self.page > 1:
            pairs.append(("page", str(self.page)))
        if self.by:
            pairs.append(("by", self.by))
        if self.weights:
            pairs.append(("w", ",".join(f"{name}:{weight:g}" for name, weight in self.weights)))
        if self.share:
            pairs.append(("share", self.share))
        if not self.ordered:
            pairs.append(("ordered", "0"))
        return pairs

    @property
    def canonical(self) -> str:
        """The one query string of this query: fixed order, defaults omitted."""
        return urlencode(self.pairs)

    def url(self, page: int | None = None) -> str:
        """The address of the results page, of this page number or of another."""
        query = self if page is None else replace(self, page=page)
        canonical = query.canonical
        return f"{reverse('search')}?{canonical}" if canonical else reverse("search")

    def with_(self, **changes: Any) -> "Query":
        """This query with other values; it starts at page 1 again unless a page is given."""
        return replace(self, **({"page": 1} | changes))

    def adding(self, field: str, value: str) -> "Query":
        return self.with_(**{field: (*getattr(self, field), value)})

    def without(self, kind: str, value: str | None = None) -> "Query":
        """This query less one value of a filter, or less all of ``kind``.

        ``kind`` is a field's name, ``price`` (both ends), ``pictures`` (with what is only said of them) or ``filters``.
        """
        if kind == "price":
            return self.with_(price_min=None, price_max=None)
        if kind == "pictures":
            return self.with_(examples=(), group="products", by="", weights=(), weaker=False, share="", ordered=True)
        if kind == "filters":
            return self.with_(price_min=None, price_max=None, **dict.fromkeys(MULTIPLE.values(), ()))
        current = getattr(self, kind)
        if value is not None and isinstance(current, tuple):
            return self.with_(**{kind: tuple(one for one in current if one != value)})
        return self.with_(**{kind: type(self).__dataclass_fields__[kind].default})

    def with_example(self, example: Example) -> "Query":
        """This query with one more picture. A picture is wanted or not: the other wish for it is taken back."""
        others = tuple(one for one in self.examples if replace(one, less=example.less) != example)
        return self.with_(examples=(*others, example), weaker=False)

    def without_example(self, example: Example) -> "Query":
        """This query less one picture; with the last one goes what is only said of pictures."""
        left = tuple(one for one in self.examples if one != example)
        if not left:
            return self.without("pictures")
        shared = self.share if any(one.kind == "photo" for one in left) else ""
        return self.with_(examples=left, share=shared)

    def without_photo(self, key: UUID) -> "Query":
        """This query less a query photo and all parts of it."""
        query = self
        for example in self.photos:
            if example.key == key:
                query = query.without_example(example)
        return query

    def replacing(self, example: Example, by: Example) -> "Query":
        """This query with another example (another part of the picture) in the place of one."""
        return self.with_(examples=tuple(by if one == example else one for one in self.examples))

    @property
    def has_picture(self) -> bool:
        return bool(self.examples)

    @property
    def photos(self) -> tuple[Example, ...]:
        """Examples that somebody sent."""
        return tuple(one for one in self.examples if one.kind == "photo")

    @property
    def likes(self) -> tuple[Example, ...]:
        """Examples that results should look like."""
        return tuple(one for one in self.examples if not one.less)

    @property
    def has_filters(self) -> bool:
        return self.without("filters") != self.with_()

    @property
    def filters(self) -> Filters:
        """As the engines take them."""
        return Filters(
            category=self.category,
            brand=self.brand,
            availability=self.availability,
            color=self.color,
            tags=self.tags,
            attributes=self.attributes,
            price_min=None if self.price_min is None else float(self.price_min),
            price_max=None if self.price_max is None else float(self.price_max),
        )

    @property
    def requested_weights(self) -> Mapping[str, float]:
        return dict(self.weights)

    def hidden_fields(self, *without: str) -> list[tuple[str, str]]:
        """Pairs for hidden inputs of a form that changes only the named parameters and starts at page 1."""
        left_out = {"page", *without}
        return [(name, value) for name, value in self.pairs if name not in left_out]


def last_page(size: int | None = None) -> int:
    """The last page number that paging reaches, for pages of this many products."""
    return max(1, MAX_DEPTH // (size or settings.SEARCH_PAGE_SIZE))


def without_all(query: Query, values: Iterable[tuple[str, str]]) -> Query:
    """The query less these (field, value) pairs."""
    for field, value in values:
        query = query.without(field, value)
    return query
