"""Pairs as the page shows them: two photos with their products, and in what they differ."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db.models import Count
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from gallery.merging import better
from gallery.models import Image, Product
from gallery.prices import price_label
from search.duplicates.deciding import closes
from search.models import DuplicatePair, SafetyScore
from search.models.duplicates import DuplicatePairQuerySet
from search.safety import nudity

Kind = DuplicatePair.Kind
_IN_GROUP = 60  # photos that a group is followed to
_ROUNDS = 4


@dataclass(frozen=True)
class Asked:
    """What the page is asked for: pairs of a kind, or those around one photo."""

    kind: str = ""
    photo: UUID | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Asked":
        kind = data.get("kind", "")
        try:
            photo = UUID(data["photo"]) if data.get("photo") else None
        except ValueError:
            photo = None
        return cls(kind if kind in Kind.values else "", photo)

    def pairs(self) -> DuplicatePairQuerySet:
        """The surest kind first, and in it the surest pairs."""
        pairs = DuplicatePair.objects.open()
        if self.kind:
            pairs = pairs.filter(kind=self.kind)
        if self.photo:
            pairs = pairs.of_images(group_of(self.photo))
        return pairs.order_by("kind", "-score", "pk")

    @property
    def query(self) -> str:
        pairs = {"kind": self.kind, "photo": str(self.photo) if self.photo else ""}
        return urlencode({name: value for name, value in pairs.items() if value})


@dataclass(frozen=True)
class KindChoice:
    label: str
    count: int
    url: str
    active: bool


@dataclass(frozen=True)
class Difference:
    """One line of the comparison: a fact of both sides, and which side has more of what is good, if any."""

    label: str
    left: str
    right: str
    better: str = ""  # left or right

    @property
    def differs(self) -> bool:
        return self.left != self.right


@dataclass(frozen=True)
class Review:
    pair: DuplicatePair
    left: Image
    right: Image
    others: int  # further open pairs of the two photos
    differences: list[Difference] = field(default_factory=list)
    veiled: frozenset[UUID] = frozenset()  # photos that are not thrust upon whoever looks

    @property
    def left_is_veiled(self) -> bool:
        return self.left.pk in self.veiled

    @property
    def right_is_veiled(self) -> bool:
        return self.right.pk in self.veiled

    @property
    def closing(self) -> str:
        """The side that takes a photo which waits along without a moderator's decision: left, right, or empty."""
        if closes(self.pair, self.left, self.right):
            return "left"
        return "right" if closes(self.pair, self.right, self.left) else ""

    @property
    def same_product(self) -> bool:
        return self.left.product_id == self.right.product_id

    @property
    def finding(self) -> str:
        """What was found, in a sentence."""
        return _finding(self.pair)

    @property
    def better(self) -> Image:
        return better(self.left, self.right)

    @property
    def one_is_approved(self) -> bool:
        """Of an approved photo and another one the approved file stays, whichever has more pixels."""
        approved = Image.Status.APPROVED
        return (self.left.status == approved) != (self.right.status == approved)

    @property
    def group_url(self) -> str:
        return f"{reverse('duplicates')}?photo={self.left.pk}"

    @property
    def seen(self) -> list[str]:
        products = {product.pk: product for product in (self.left.product, self.right.product)}
        return [f"{key}:{product.revision}" for key, product in products.items()]


def kinds(asked: Asked) -> list[KindChoice]:
    """All pairs, and those of each kind, with their numbers."""
    counted = DuplicatePair.objects.open().order_by().values_list("kind").annotate(pairs=Count("pk"))
    counts = dict(counted)
    page = reverse("duplicates")
    every = KindChoice(_("All"), sum(counts.values()), page, not asked.kind and not asked.photo)
    return [every] + [
        KindChoice(str(kind.label), counts.get(kind.value, 0), f"{page}?kind={kind.value}", asked.kind == kind.value)
        for kind in Kind
    ]


def group_of(photo: UUID) -> set[UUID]:
    """The photo and all that open pairs connect it with, as far as a person can look through."""
    group, new = {photo}, {photo}
    for _round in range(_ROUNDS):
        rows = DuplicatePair.objects.open().of_images(new).order_by("pk").values_list("first", "second")
        new = {key for pair in rows[:_IN_GROUP] for key in pair} - group
        group |= new
        if not new or len(group) > _IN_GROUP:
            break
    return group


def reviews_of(pairs: Iterable[DuplicatePair]) -> list[Review]:
    """A constant number of statements: images with products, tags, and the counts of further pairs."""
    pairs = list(pairs)
    keys = {key for pair in pairs for key in (pair.first, pair.second)}
    images = Image.objects.with_product().prefetch_related("product__tags").in_bulk(keys)  # type: ignore[misc]  # taggit's manager is unknown to the stubs
    around, veiled = _pairs_around(keys), _veiled(images.values())
    return [
        Review(
            pair,
            images[pair.first],
            images[pair.second],
            around[pair.first] + around[pair.second] - 2,
            _differences(images[pair.first], images[pair.second]),
            veiled,
        )
        for pair in pairs
        if pair.first in images and pair.second in images
    ]


def _veiled(images: Iterable[Image]) -> frozenset[UUID]:
    """What the moderation queue covers of these: what nobody let through, and may be unsafe, or was not looked at."""
    hidden = [image for image in images if image.status != Image.Status.APPROVED]
    scores = SafetyScore.objects.filter(sha256__in={image.sha256 for image in hidden}, model=nudity.MODEL)
    safe = set(scores.filter(score__lt=settings.SAFETY_THRESHOLD).values_list("sha256", flat=True))
    return frozenset(image.pk for image in hidden if image.fault == Image.Fault.OFFENSIVE or image.sha256 not in safe)


def _pairs_around(keys: set[UUID]) -> dict[UUID, int]:
    around = dict.fromkeys(keys, 0)
    for pair in DuplicatePair.objects.open().of_images(keys).order_by().values_list("first", "second"):
        for key in pair:
            if key in around:
                around[key] += 1
    return around


def _finding(pair: DuplicatePair) -> str:
    if pair.kind == Kind.EXACT:
        return _("The same file, byte for byte.")
    if pair.kind == Kind.SAME_PRODUCT:
        return _("Other photos, perhaps of the same product: %(percent)d %% alike.") % {
            "percent": round(100 * pair.score)
        }
    return {
        "same": _("The same photo, saved again or at another size."),
        "mirrored": _("The same photo, mirrored."),
        "part": _("One is a part of the other photo."),
        "mirrored-part": _("One is a part of the other photo, mirrored."),
    }.get(pair.relation, _("The same photo."))


def _differences(left: Image, right: Image) -> list[Difference]:
    """Facts of the files first, then of the products, where they are two."""
    pixels = (left.width * left.height, right.width * right.height)
    sharp = (left.sharpness, right.sharpness)
    rows = [
        Difference(_("Pixels"), _size(left), _size(right), _more(*pixels)),
        Difference(_("Sharpness"), _number(sharp[0]), _number(sharp[1]), _more(*sharp)),
        Difference(_("Bytes"), filesizeformat(left.bytes), filesizeformat(right.bytes), _more(left.bytes, right.bytes)),
        Difference(_("Format"), left.format.upper(), right.format.upper()),
        Difference(_("File"), left.source_name, right.source_name),
        Difference(_("Status"), left.get_status_display(), right.get_status_display()),
    ]
    if left.product_id == right.product_id:
        return rows
    one, other = left.product, right.product
    return [
        *rows,
        Difference(_("Title"), one.label, other.label),
        Difference(_("Category"), str(one.category or ""), str(other.category or "")),
        Difference(_("Brand"), str(one.brand or ""), str(other.brand or "")),
        Difference(_("Price"), price_label(one), price_label(other)),
        Difference(_("Tags"), _tags(one), _tags(other)),
        Difference(_("Attributes"), _attributes(one), _attributes(other)),
        Difference(_("Published"), _("yes") if one.published else _("no"), _("yes") if other.published else _("no")),
    ]


def _size(image: Image) -> str:
    return f"{image.width} × {image.height}"


def _number(value: float | None) -> str:
    return "" if value is None else number_format(value, 0)


def _more(left: float | None, right: float | None) -> str:
    if left is None or right is None or left == right:
        return ""
    return "left" if left > right else "right"


def _tags(product: Product) -> str:
    return ", ".join(sorted(tag.name for tag in product.tags.all()))


def _attributes(product: Product) -> str:
    return "; ".join(f"{name}: {', '.join(values)}" for name, values in sorted(product.attributes.items()))
