"""The query as the rail beside the results shows it: pictures, what likeness leans to, chips, and what to share."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from gallery.models import Image
from gallery.prices import money
from search.ask import Found
from search.direction import LEAN
from search.examples import MAX_EXAMPLES, Example
from search.models import QueryPhoto
from search.pictures import Picture
from search.query import By, Query
from search.recognition import chips, word_for

PART_NAMES = {
    "deep": gettext_lazy("Content"),
    "color": gettext_lazy("Colour"),
    "texture": gettext_lazy("Pattern"),
    "shape": gettext_lazy("Shape"),
}
_WIDTH = 640  # pixels of the rendition that stands for a photo of the catalogue
_SWATCH = "grey"


@dataclass(frozen=True)
class PictureView:
    """One picture of the query. What is only known of a photo that somebody sent is None for others."""

    name: str  # photo, image or less: the parameter that it is the value of
    key: str
    crop: str
    src: str
    width: int
    height: int
    alt: str
    swatch: str
    remove_url: str
    image: Image | None = None
    url: str = ""  # the product that a photo of the catalogue shows
    expires_at: datetime | None = None
    forget_url: str = ""
    is_mine: bool = False
    is_shared: bool = False
    opened_by: str = ""  # the query string that opens a photo of somebody else

    @property
    def is_less(self) -> bool:
        return self.name == "less"

    @property
    def value(self) -> str:
        return f"{self.key}@{self.crop}" if self.crop else self.key

    @property
    def regions_url(self) -> str:
        return reverse("image-regions" if self.image else "photo-regions", args=[self.key]) + self.opened_by


@dataclass(frozen=True)
class Choice:
    value: str
    label: str
    url: str
    active: bool


@dataclass(frozen=True)
class Weight:
    """A slider: a part of the vector and its share in percent."""

    name: str
    label: str
    percent: int


@dataclass(frozen=True)
class Chip:
    kind: str
    label: str
    remove_url: str


@dataclass(frozen=True)
class Sharing:
    """``url`` leads to the same results without the photos that only their owner may see."""

    url: str
    has_private_photo: bool


def pictures_of(found: Found, pictures: Sequence[Picture]) -> list[PictureView]:
    """The query's pictures in their order."""
    return [view for picture in pictures if (view := _picture(found.query, picture)) is not None]


def _picture(query: Query, picture: Picture) -> PictureView | None:
    example = picture.example
    if example is None:
        return None
    crop, remove_url = str(example.crop or ""), query.without_example(example).url()
    if picture.photo is not None:
        return _photo(query, example, picture.photo, crop, remove_url, not picture.is_shared)
    image = picture.image
    if image is None:
        return None
    label = image.product.label
    return PictureView(
        name=example.name,
        key=str(example.key),
        crop=crop,
        src=image.url(_WIDTH, "webp"),
        width=image.width,
        height=image.height,
        alt=label,
        swatch=image.swatch,
        remove_url=remove_url,
        image=image,
        url=image.product.get_absolute_url(),
    )


def _photo(query: Query, example: Example, photo: QueryPhoto, crop: str, remove_url: str, is_mine: bool) -> PictureView:
    opened_by = "" if is_mine else f"?share={query.share}"
    return PictureView(
        name=example.name,
        key=str(example.key),
        crop=crop,
        src=reverse("search-photo-file", args=[photo.pk]) + opened_by,
        width=photo.width,
        height=photo.height,
        alt=_("Your photo") if is_mine else _("The photo that was shared with you"),
        swatch=_SWATCH,
        remove_url=remove_url,
        expires_at=photo.expires_at,
        forget_url=f"{reverse('search-photo-forget', args=[photo.pk])}?{query.canonical}",
        is_mine=is_mine,
        is_shared=bool(photo.share_token),
        opened_by=opened_by,
    )


def leanings_of(found: Found) -> list[Choice]:
    """What likeness may lean to; none without a picture, and none that the generation has no part for."""
    query, generation = found.query, found.generation
    if found.direction is None or generation is None:
        return []
    labels: dict[By, str] = {
        "": pgettext("likeness", "Overall"),
        "color": _("Colour"),
        "shape": _("Shape"),
        "pattern": _("Pattern"),
    }
    return [
        Choice(value, label, query.with_(by=value, weights=()).url(), not query.weights and query.by == value)
        for value, label in labels.items()
        if not value or LEAN[value] in generation.projection.names
    ]


def groups_of(found: Found) -> list[Choice]:
    """A card for each product or for each photo; without a picture there is nothing to choose."""
    if found.direction is None:
        return []
    query = found.query
    return [
        Choice("products", _("Products"), query.with_(group="products").url(), query.group == "products"),
        Choice("photos", _("Photos"), query.with_(group="photos").url(), query.group == "photos"),
    ]


def weights_of(found: Found) -> list[Weight]:
    """The sliders, at what the answer was weighed with."""
    if found.direction is None or found.generation is None:
        return []
    weights = found.direction.weights
    return [
        Weight(name, part_name(name), round(100 * weights.get(name, 0.0))) for name in found.generation.projection.names
    ]


def part_name(part: str) -> str:
    return str(PART_NAMES.get(part, capfirst(part)))


def recognised_of(query: Query, pictures: Sequence[Picture]) -> list[tuple[str, str]]:
    """Names of what the sent photo shows, each with the address of the query that its word is added to."""
    stored = next((picture.labels for picture in pictures if picture.photo and picture.labels), None)
    return [
        (label.name, query.with_(text=f"{query.text} {word_for(label.code)}".strip()).url())
        for label in chips(stored, query.text)
    ]


def can_add(query: Query) -> bool:
    return len(query.examples) < MAX_EXAMPLES


def sharing_of(query: Query) -> Sharing | None:
    """None where there is nothing that could be shared."""
    if not query.canonical:
        return None
    without = query
    for example in query.photos:
        without = without.without_example(example)
    return Sharing(replace(without, share="").url(), bool(query.photos))


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
        chips.append(Chip("price", _price_words(query), query.without("price").url()))
    if query.weights:
        parts = ", ".join(f"{part_name(name)} {weight:g}" for name, weight in query.weights)
        chips.append(Chip("weights", _("Weights: %(parts)s") % {"parts": parts}, query.without("weights").url()))
    return chips


def _price_words(query: Query) -> str:
    """The price filter in words."""
    currency = settings.SHOP_CURRENCY
    low, high = query.price_min, query.price_max
    if low is None and high is not None:
        return _("Up to %(high)s") % {"high": money(high, currency)}
    if low is not None and high is None:
        return _("From %(low)s") % {"low": money(low, currency)}
    return _("%(low)s to %(high)s") % {"low": money(low or 0, currency), "high": money(high or 0, currency)}
