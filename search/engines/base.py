"""The engines' contract: a small set of verbs, and the values that they take and give.

An engine knows vectors, filters and words. It knows no Django model but its own table, no template and no request.
``tests/engines`` holds one suite that every engine passes.
"""

import abc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from uuid import UUID

import numpy as np

from gallery.visibility import Visibility
from search.engines.index_settings import DEFAULT_SETTINGS, IndexSettings

Sort = Literal["relevance", "newest", "price", "-price"]
FACETS = ("category", "brand", "availability", "color", "tags", "attributes")
IMAGE_FACETS = ("color",)  # what the images of one product may differ in; of all else they say the same
PRICE_BUCKETS = 12
ID_SCORE = 1.0  # of a word that is the name of the document's brand or category
# Of a word for what is recognised in the image: below any score that a text gives, so that what a network believes
# ranks behind what a person wrote.
LABEL_SCORE = 1e-9


class EngineError(Exception):
    """The engine refused or cannot do what was asked; the text says what to do."""


class EngineUnavailable(EngineError):
    """The engine cannot be reached now. Nothing is wrong with the documents; try again later."""


class IndexMissing(EngineError):
    """The generation's physical index is not there: build a new generation."""


@dataclass(frozen=True)
class Fields:
    """What a document can be filtered, counted and sorted by. Ids are text; no name that a rename would change."""

    product: str
    status: str
    published: bool
    uploader: str | None = None
    category: tuple[str, ...] = ()  # ids from the root down to the category itself
    brand: str | None = None
    price: float | None = None  # in the shop's currency, else None
    availability: str = "in_stock"
    color: tuple[str, ...] = ()  # colour classes of the image's subject
    labels: tuple[str, ...] = ()  # codes of what the encoder recognises (search.recognition); words find them
    tags: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()  # "name=value"
    created: int = 0  # product's creation, milliseconds since 1970


@dataclass(frozen=True)
class Document:
    key: UUID
    version: int
    fields: Fields
    words: Mapping[str, str]  # analysed text (search.text.analyse) of title, tags, description
    vector: np.ndarray | None  # (dimension,) float32 of unit length; None for an image without any usable part


@dataclass(frozen=True)
class Deletion:
    key: UUID
    version: int


@dataclass(frozen=True)
class Failure:
    key: UUID
    reason: str
    held: int | None = None  # the engine's version, where that was why; also of what was deleted there


@dataclass(frozen=True)
class Word:
    """One word of a query: a document matches by its text, by the id of a brand or category so named, or by the code of
    what is recognised in its image."""

    text: str  # analysed: one token, or several that must follow each other
    brands: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Filters:
    """Values of one field are alternatives; fields narrow each other. Values are as in ``Fields``."""

    category: tuple[str, ...] = ()
    brand: tuple[str, ...] = ()
    availability: tuple[str, ...] = ()
    color: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()  # "name=value"; values of one name are alternatives, names narrow each other
    price_min: float | None = None
    price_max: float | None = None

    def terms(self) -> list[tuple[str, tuple[str, ...]]]:
        """The active clauses as (facet, values). Attributes give one clause a name: ("attributes.size", values)."""
        clauses = [(name, getattr(self, name)) for name in FACETS if name != "attributes" and getattr(self, name)]
        by_name: dict[str, list[str]] = {}
        for value in self.attributes:
            by_name.setdefault(value.split("=", 1)[0], []).append(value)
        return clauses + [(f"attributes.{name}", tuple(values)) for name, values in by_name.items()]

    @property
    def has_price(self) -> bool:
        return self.price_min is not None or self.price_max is not None


@dataclass(frozen=True)
class Request:
    """One question to one generation.

    With a vector the engine ranks one fixed window of images; without one it lists products: by BM25 where there are
    words and the sort is relevance, else by the sort (newest for relevance).
    """

    generation: int
    visibility: Visibility
    filters: Filters = Filters()
    vector: np.ndarray | None = None  # (dimension,) float32 of unit length
    floor: float = -1.0  # dot products below are no matches; they come back as ``weaker``
    words: tuple[Word, ...] = ()  # all must match
    without_words: tuple[Word, ...] = ()  # documents that match all of these are left out
    exclude: tuple[UUID, ...] = ()  # keys left out (the image that is the query)
    window: int = 240
    index: IndexSettings = DEFAULT_SETTINGS  # the generation's own
    lopsided: bool = False  # weights far from the index's own balance: ask for more candidates
    sort: Sort = "relevance"  # only without a vector; a window is sorted by its reader
    offset: int = 0  # in products, only without a vector
    limit: int = 24  # in products, only without a vector
    facets: bool = True


class EngineHit(NamedTuple):  # hundreds are made for one answer, and a frozen dataclass takes four times as long
    key: UUID
    product: str
    score: float  # dot product with a vector; otherwise BM25 or 0
    price: float | None = None
    created: int = 0


@dataclass(frozen=True)
class PriceRange:
    lowest: float
    highest: float
    counts: tuple[int, ...]  # products in PRICE_BUCKETS equal steps from lowest to highest


@dataclass(frozen=True)
class Facets:
    """Products per value, each facet counted without its own filter. Attributes: values are "name=value"."""

    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # facet of FACETS → value → products
    price: PriceRange | None = None


@dataclass(frozen=True)
class Answer:
    """``hits``: with a vector every image of the window at or above the floor, best first; without one the best
    image of each product of the page. ``weaker``: the window's images below the floor. ``total`` counts products of
    matches; it and the facets are lower bounds where ``full`` is true."""

    hits: Sequence[EngineHit]
    total: int
    weaker: Sequence[EngineHit] = ()
    full: bool = False
    facets: Facets = Facets()
    by_text: int = 0  # of words that were asked for as a look, too: products of ``total`` that match them as text


@dataclass(frozen=True)
class Health:
    ok: bool
    detail: str  # a sentence for a person
    documents: int | None = None
    bytes: int | None = None


@dataclass(frozen=True)
class IndexSpec:
    """What an engine needs to know of a generation to hold it."""

    generation: int
    dimension: int
    settings: IndexSettings = DEFAULT_SETTINGS


class Engine(abc.ABC):
    """Where vectors are kept and searched. Every verb names its generation; none waits for a refresh.

    Every verb raises ``EngineUnavailable`` when the engine cannot be reached and ``IndexMissing`` when the
    generation's index has gone.
    """

    name: str

    @abc.abstractmethod
    def create(self, spec: IndexSpec) -> None:
        """Make the generation's empty index. Idempotent."""

    @abc.abstractmethod
    def write(self, generation: int, documents: Sequence[Document], deletions: Sequence[Deletion]) -> list[Failure]:
        """Put and delete in one bulk request; a version not above the stored one is ignored if it is a version we
        could have written (equal), and reported as a failure otherwise. Deleting what is missing is success.

        :return: the keys that were refused, with reasons; all others are written
        """

    @abc.abstractmethod
    def exists(self, generation: int) -> bool:
        """Whether the generation's index is there."""

    @abc.abstractmethod
    def drop(self, generation: int) -> None:
        """Delete the generation's index. Idempotent."""

    def search(self, request: Request) -> Answer:
        """Answer one question. Only documents that the visibility admits are ranked or counted."""
        return self.search_all([request])[0]

    def search_all(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer several questions to one generation, as ``search`` answers each.

        :raises ValueError: for questions to several generations
        """
        if not requests:
            return []
        generation = requests[0].generation
        if any(request.generation != generation for request in requests):
            raise ValueError("Questions that are asked together are asked of one generation.")
        return self.answer(generation, requests)

    @abc.abstractmethod
    def answer(self, generation: int, requests: Sequence[Request]) -> list[Answer]:
        """Answer one or more questions to this generation, sharing what they have in common."""

    @abc.abstractmethod
    def keys_and_versions(self, generation: int) -> Iterator[tuple[UUID, int]]:
        """Every live document's key and version, in any order, as of now (the engine is refreshed first)."""

    @abc.abstractmethod
    def health(self, generation: int | None = None) -> Health:
        """Never raises: an engine that is down answers ``ok=False`` and why."""

    @abc.abstractmethod
    def refresh(self, generation: int) -> None:
        """Make everything written so far findable. For reconcile, promotion and tests; never per write."""

    def set_live(self, generation: int) -> None:  # noqa: B027
        """Point outside tools' alias at this generation; engines without aliases have nothing to do."""

    def warm(self, spec: IndexSpec) -> None:  # noqa: B027
        """Load what the first search would otherwise wait for."""


def distinct_products(hits: Iterable[EngineHit]) -> list[str]:
    return list(dict.fromkeys(hit.product for hit in hits))
