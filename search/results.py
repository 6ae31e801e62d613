"""The results page as templates read it: every text, number and address is made here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from gallery.models import Image, Product
from gallery.prices import money, price_label
from gallery.visibility import Visibility
from search import hydrate
from search.ask import Found
from search.facets import Facet, PriceForm, facets_of, price_form_of
from search.models import QueryPhoto
from search.pictures import Picture, embedding_of
from search.query import Query
from search.slices import Hit

BACK = "back"  # the parameter of product pages that holds the address to go back to
SORT_ORDER = ("relevance", "newest", "price", "-price")


@dataclass(frozen=True)
class Card:
    product: Product
    image: Image
    url: str
    similar_url: str
    photos_matching: int
    photos_in_product: int
    similarity: float | None
    parts: dict[str, float]
    price_label: str
    brand_label: str


@dataclass(frozen=True)
class BandOfCards:
    code: str
    label: str
    cards: list[Card]
    count: int  # products of the band, on all pages


@dataclass(frozen=True)
class Chip:
    kind: str
    label: str
    remove_url: str


@dataclass(frozen=True)
class SortOption:
    value: str
    label: str
    url: str
    active: bool


@dataclass(frozen=True)
class PhotoView:
    """The query photo beside its results."""

    id: str
    url: str
    width: int
    height: int
    expires_at: datetime
    forget_url: str
    swatch: str = "grey"


@dataclass(frozen=True)
class Page:
    query: Query
    bands: list[BandOfCards]
    total: int
    full: bool
    total_label: str
    number: int
    photo: PhotoView | None = None
    example: Image | None = None
    remove_picture_url: str | None = None
    facets: list[Facet] = field(default_factory=list)
    price: PriceForm | None = None
    chips: list[Chip] = field(default_factory=list)
    sorts: list[SortOption] = field(default_factory=list)
    next_url: str | None = None
    previous_url: str | None = None
    notes: list[str] = field(default_factory=list)
    weaker_url: str | None = None
    shows_weaker: bool = False
    nothing_similar: bool = False
    end_of_window: bool = False
    clear_url: str = ""
    hidden_fields: list[tuple[str, str]] = field(default_factory=list)

    @property
    def query_string(self) -> str:
        return self.query.canonical


def page_of(found: Found, picture: Picture | None, who: Visibility, notes: Iterable[str] = ()) -> Page:
    """Everything that the results page shows of an answer. One query, for the hits' images."""
    query = found.query
    cards = cards_of(found, who)
    last = not found.has_next
    return Page(
        query=query,
        bands=_bands(found, cards),
        total=found.total,
        full=found.full,
        total_label=f"{found.total}+" if found.full else str(found.total),
        number=query.page,
        photo=photo_view(picture.photo, query) if picture and picture.photo else None,
        example=picture.image if picture else None,
        remove_picture_url=query.without("picture").url() if query.has_picture else None,
        facets=facets_of(found),
        price=price_form_of(found),
        chips=chips_of(found),
        sorts=_sorts(query),
        next_url=query.url(page=query.page + 1) if found.has_next else None,
        previous_url=query.url(page=min(query.page - 1, found.page.pages)) if query.page > 1 else None,
        notes=[*notes, *found.notes],
        weaker_url=query.with_(weaker=True, page=query.page).url()
        if found.page.has_weaker and last and not query.weaker
        else None,
        shows_weaker=query.weaker and found.page.has_weaker,
        nothing_similar=found.direction is not None and found.total == 0,
        end_of_window=last and found.page.cut,
        clear_url=query.without("filters").url(),
        hidden_fields=query.hidden_fields("q", "weaker"),
    )


def cards_of(found: Found, who: Visibility) -> list[tuple[Hit, Card]]:
    """Hits that the database admits, with their cards, in order."""
    if not found.hits or found.generation is None:
        return []
    encoder = found.generation.encoder if found.direction else None
    images = hydrate.with_photo_counts(hydrate.images_of(found.hits, who, encoder), who)
    pairs = hydrate.admitted(found.hits, images.defer("product__description", "product__attributes"))
    parts: list[dict[str, float]] = [{} for _pair in pairs]
    if found.direction:
        embeddings = (embedding_of(image) for _hit, image in pairs)
        parts = hydrate.cosines(embeddings, found.direction, found.generation.projection.parts)
    return [(hit, card_of(image, found.query, hit, part)) for (hit, image), part in zip(pairs, parts, strict=True)]


def card_of(
    image: Image, back: Query | None = None, hit: Hit | None = None, parts: dict[str, float] | None = None
) -> Card:
    """The card of one image; outside of results there is no hit and no way back."""
    product = image.product
    url = product.get_absolute_url()
    return Card(
        product=product,
        image=image,
        url=f"{url}?{urlencode({BACK: back.url()})}" if back is not None else url,
        similar_url=Query(image=image.pk).url(),
        photos_matching=hit.photos_matching if hit else 1,
        photos_in_product=getattr(image, "photos_in_product", 1),
        similarity=hit.similarity if hit else None,
        parts=parts or {},
        price_label=price_label(product),
        brand_label=product.brand.label if product.brand else "",
    )


def _bands(found: Found, cards: Sequence[tuple[Hit, Card]]) -> list[BandOfCards]:
    labels: dict[str, Any] = {"all": ""}
    if found.direction and found.generation:
        labels |= {band.code: band.label for band in found.generation.scale.bands(found.direction.weights)}
    grouped: dict[str, list[Card]] = {}
    for hit, card in cards:
        grouped.setdefault(hit.band, []).append(card)
    sizes = found.page.band_sizes
    return [
        BandOfCards(code, str(labels[code]), members, sizes.get(code, len(members)))
        for code, members in grouped.items()
    ]


def photo_view(photo: QueryPhoto, query: Query) -> PhotoView:
    forget = reverse("search-photo-forget", args=[photo.pk])
    return PhotoView(
        id=str(photo.pk),
        url=reverse("search-photo-file", args=[photo.pk]),
        width=photo.width,
        height=photo.height,
        expires_at=photo.expires_at,
        forget_url=f"{forget}?{query.canonical}",
    )


def _sorts(query: Query) -> list[SortOption]:
    labels = {
        "relevance": _("Most similar first") if query.has_picture else _("Best match first"),
        "newest": _("Newest first"),
        "price": _("Lowest price first"),
        "-price": _("Highest price first"),
    }
    if not query.has_picture and not query.text:
        del labels["relevance"]  # without words or a picture, the best match is the newest
    current = query.sort if query.sort in labels else "newest"
    return [
        SortOption(value, labels[value], _sort_url(query, value, labels), value == current)
        for value in SORT_ORDER
        if value in labels
    ]


def _sort_url(query: Query, value: str, labels: dict[str, str]) -> str:
    default = value == "newest" and "relevance" not in labels
    return query.with_(sort="relevance" if default else value).url()


def chips_of(found: Found) -> list[Chip]:
    """What narrows the results, each removable on its own."""
    query, names = found.query, found.names
    chips = [Chip("text", f"“{query.text}”", query.without("text").url())] if query.text else []
    for kind in ("category", "brand", "availability", "color", "tags"):
        for value in getattr(query, kind):
            label = names.label(kind, value) or value
            chips.append(Chip(kind, label, query.without(kind, value).url()))
    for value in query.attributes:
        name, _equals, label = value.partition("=")
        chips.append(Chip("attributes", f"{name}: {label}", query.without("attributes", value).url()))
    if query.filters.has_price:
        chips.append(Chip("price", _price_chip(query), query.without("price").url()))
    if query.weights:
        parts = ", ".join(f"{name} {weight:g}" for name, weight in query.weights)
        chips.append(Chip("weights", _("Weights: %(parts)s") % {"parts": parts}, query.without("weights").url()))
    return chips


def _price_chip(query: Query) -> str:
    currency = settings.SHOP_CURRENCY
    low, high = query.price_min, query.price_max
    if low is None and high is not None:
        return _("Up to %(high)s") % {"high": money(high, currency)}
    if low is not None and high is None:
        return _("From %(low)s") % {"low": money(low, currency)}
    return _("%(low)s to %(high)s") % {"low": money(low or 0, currency), "high": money(high or 0, currency)}
