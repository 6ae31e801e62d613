"""The results page as templates read it: every text, number and address is made here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from gallery.models import Image, Product
from gallery.prices import price_label
from gallery.visibility import Visibility
from search import hydrate
from search.ask import Found
from search.examples import Example
from search.facets import Facet, PriceForm, facets_of, price_form_of
from search.pictures import Picture, embedding_of
from search.quality.judging import Judging, with_verdicts
from search.query import Query
from search.rail import (
    Chip,
    Choice,
    PictureView,
    Sharing,
    Weight,
    can_add,
    chips_of,
    groups_of,
    leanings_of,
    part_name,
    pictures_of,
    recognised_of,
    sharing_of,
    weights_of,
)
from search.slices import Hit

BACK = "back"  # the parameter of product pages that holds the address to go back to
_ALIKE_BITS = 6  # of 64: re-encoding, scaling and a small border change fewer
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
    more_url: str = ""  # the same query with this photo as one more that is wanted
    less_url: str = ""  # or as one that is not
    photos_url: str = ""  # the product's matching photos, as a fragment
    alike: int = 0  # photos of the product that are nearly identical, and are not shown beside it

    @property
    def why(self) -> list[tuple[str, int]]:
        """What each part has in common with the query, in words and percent."""
        return [(part_name(name), max(0, round(100 * cosine))) for name, cosine in self.parts.items()]


@dataclass(frozen=True)
class BandOfCards:
    code: str
    label: str
    cards: list[Card]
    count: int  # products of the band, on all pages
    continues: bool = False  # it began on the page before


@dataclass(frozen=True)
class SortOption:
    value: str
    label: str
    url: str
    active: bool


@dataclass(frozen=True)
class Page:
    query: Query
    bands: list[BandOfCards]
    total: int
    full: bool
    total_label: str
    number: int
    pictures: list[PictureView] = field(default_factory=list)
    recognised: list[tuple[str, str]] = field(default_factory=list)  # names in the photo, and where each leads
    can_add: bool = False
    leanings: list[Choice] = field(default_factory=list)
    groups: list[Choice] = field(default_factory=list)
    weights: list[Weight] = field(default_factory=list)
    sharing: Sharing | None = None
    ordering_url: str = ""  # turns the order by a person's taste off, or on; empty where there is none
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
    without_url: str = ""  # what filters that leave little would find without one of them, as a fragment
    words_url: str = ""  # the same search with words that were taken as colours as words
    colors_from: str = ""
    reading: str = ""  # how words were read
    text_url: str = ""  # the same search with words as text alone
    hidden_fields: list[tuple[str, str]] = field(default_factory=list)

    @property
    def query_string(self) -> str:
        return self.query.canonical

    @property
    def url(self) -> str:
        return self.query.url()

    @property
    def is_first(self) -> bool:
        return self.number == 1

    @property
    def unweighted(self) -> list[tuple[str, str]]:
        """What the sliders leave as it is, for hidden inputs."""
        return self.query.with_(weights=(), by="").hidden_fields()

    @property
    def can_remove_picture(self) -> bool:
        """Whether something of the query is left without one of its pictures."""
        return len(self.pictures) > 1 or bool(self.query.text) or self.query.has_filters

    @property
    def photo(self) -> PictureView | None:
        """The first photo that somebody sent."""
        return next((picture for picture in self.pictures if picture.image is None), None)

    @property
    def example(self) -> Image | None:
        """The first photo of the catalogue that is wanted."""
        return next((picture.image for picture in self.pictures if picture.image and not picture.is_less), None)


def page_of(
    found: Found,
    pictures: Sequence[Picture],
    who: Visibility,
    notes: Iterable[str] = (),
    *,
    has_taste: bool = False,
    judging: Judging | None = None,
) -> Page:
    """Everything that the results page shows of an answer. One query, for the hits' images.

    :param has_taste: whether who asks has a taste that may order what is equally similar
    :param judging: of staff, who see what they have said of the hits
    """
    query = found.query
    cards = cards_of(found, who, judging=judging)
    if query.group == "photos":
        cards = collapsed(cards)
    last = not found.has_next
    return Page(
        query=query,
        bands=_bands(found, cards),
        total=found.total,
        full=found.full,
        total_label=f"{found.total}+" if found.full else str(found.total),
        number=query.page,
        pictures=pictures_of(found, pictures),
        recognised=(recognised := recognised_of(query, pictures)),
        can_add=can_add(query),
        leanings=leanings_of(found),
        groups=groups_of(found),
        weights=weights_of(found),
        sharing=sharing_of(query),
        ordering_url=query.with_(ordered=not query.ordered).url() if has_taste and _is_banded(found) else "",
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
        without_url=_without_url(found, bool(recognised)) if last else "",
        words_url=_words_url(found),
        colors_from=", ".join(f"“{word}”" for word in found.colors_from),
        reading=found.reading.sentence if found.reading else "",
        text_url=query.with_(text=found.reading.as_text).url() if found.reading else "",
        hidden_fields=query.hidden_fields("q", "weaker"),
    )


def _is_banded(found: Found) -> bool:
    """Whether results stand in bands of similarity, inside of which a taste may order them."""
    return found.query.sort == "relevance" and found.direction is not None and not found.direction.away


def _without_url(found: Found, is_recognised: bool) -> str:
    """Worth the question are narrow searches, whose matches all stand on this page, and photos that nothing resembles
    but that have a name."""
    query = found.query
    narrowed = query.has_filters or (query.text and query.has_picture)
    named = is_recognised and not found.total
    if found.generation is None or not (narrowed or named) or query.page > 1 or found.has_next:
        return ""
    return f"{reverse('search-without')}?{query.canonical}"


def _words_url(found: Found) -> str:
    if not found.colors_from:
        return ""
    words = " ".join(f"“{word}”" for word in found.colors_from)
    return found.query.with_(text=f"{words} {found.query.text}".strip(), color=()).url()


def cards_of(
    found: Found, who: Visibility, hits: Sequence[Hit] | None = None, judging: Judging | None = None
) -> list[tuple[Hit, Card]]:
    """Hits that the database admits, with their cards, in order.

    :param hits: only these of what was found
    """
    hits = found.hits if hits is None else hits
    if not hits or found.generation is None:
        return []
    encoder = found.generation.encoder if found.direction else None
    images = hydrate.with_photo_counts(hydrate.images_of(hits, who, encoder), who)
    if judging is not None and judging.query:
        images = with_verdicts(images, judging)
    pairs = hydrate.admitted(hits, images.defer("product__description", "product__attributes"))
    parts: list[dict[str, float]] = [{} for _pair in pairs]
    if found.direction:
        embeddings = (embedding_of(image) for _hit, image in pairs)
        parts = hydrate.cosines(embeddings, found.direction, found.generation.projection.parts)
    return [(hit, card_of(image, found.query, hit, part)) for (hit, image), part in zip(pairs, parts, strict=True)]


def collapsed(cards: Sequence[tuple[Hit, Card]]) -> list[tuple[Hit, Card]]:
    """Of nearly identical photos of one product the first stands for all.

    Two photos are nearly identical when few bits of their perceptual hashes (64-bit DCT hashes) differ.
    """
    kept: list[tuple[Hit, Card]] = []
    for hit, card in cards:
        for place, (_other_hit, other) in enumerate(kept):
            if other.product.pk == card.product.pk and _bits_between(other.image, card.image) <= _ALIKE_BITS:
                kept[place] = (kept[place][0], replace(other, alike=other.alike + 1))
                break
        else:
            kept.append((hit, card))
    return kept


def _bits_between(one: Image, other: Image) -> int:
    return (int(one.perceptual_hash, 16) ^ int(other.perceptual_hash, 16)).bit_count()


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
        similar_url=Query.like(image.pk).url(),
        photos_matching=hit.photos_matching if hit else 1,
        photos_in_product=getattr(image, "photos_in_product", 1),
        similarity=hit.similarity if hit else None,
        parts=parts or {},
        price_label=price_label(product),
        brand_label=product.brand.label if product.brand else "",
        **(_links(image, back, hit) if back is not None and hit is not None else {}),
    )


def _links(image: Image, query: Query, hit: Hit) -> dict[str, Any]:
    """What leads from a card to other results of the same query."""
    links: dict[str, Any] = {}
    if hit.photos_matching > 1:
        pairs = [("product", str(image.product_id)), *query.pairs]
        links["photos_url"] = f"{reverse('search-photos-of')}?{urlencode(pairs)}"
    if can_add(query):
        links["more_url"] = query.with_example(Example(image.pk)).url()
        links["less_url"] = query.with_example(Example(image.pk, less=True)).url()
    return links


def _bands(found: Found, cards: Sequence[tuple[Hit, Card]]) -> list[BandOfCards]:
    labels: dict[str, Any] = {"all": ""}
    if found.direction and found.generation:
        labels |= {band.code: band.label for band in found.generation.scale.bands(found.direction.weights)}
    grouped: dict[str, list[Card]] = {}
    for hit, card in cards:
        grouped.setdefault(hit.band, []).append(card)
    sizes = found.page.band_sizes
    return [
        BandOfCards(
            code,
            str(labels[code]),
            members,
            sizes.get(code, len(members)),
            continues=found.page.continues and not place,
        )
        for place, (code, members) in enumerate(grouped.items())
    ]


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
