"""Photos that the catalogue may have already: the same file, or one whose perceptual hash is near."""

from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.db.models.functions import Substr
from django.utils.translation import gettext as _

from gallery.models import Image, Product

NEAR = 6  # bits of 64 in which the hashes of two sizes or qualities of one picture may differ
SHOWN = 3
_BANDS = 8  # of 8 bits: with at most 7 different bits at least one band is the same
_MOST = 5_000  # candidates that are compared bit by bit


@dataclass(frozen=True)
class Alike:
    """A product with a photo like this one."""

    product: Product
    distance: int  # -1: the same bytes

    @property
    def url(self) -> str:
        return self.product.get_absolute_url()

    @property
    def says(self) -> str:
        if self.distance < 0:
            return _("The same file is a photo of")
        return _("It looks nearly the same as a photo of")


def alike(image: Image) -> list[Alike]:
    """Other products with a photo like this one, the nearest first."""
    others = Image.objects.exclude(product=image.product_id)
    near: dict[object, int] = {}
    for product, sha256, digest in _candidates(others, image):
        distance = -1 if sha256 == image.sha256 else _distance(digest, image.perceptual_hash)
        if distance <= NEAR:
            near[product] = min(distance, near.get(product, NEAR))
    nearest = sorted(near, key=lambda key: (near[key], str(key)))[:SHOWN]
    products = Product.objects.in_bulk(nearest)
    return [Alike(products[key], near[key]) for key in nearest if key in products]


def _candidates(others: QuerySet[Image], image: Image):
    width = len(image.perceptual_hash) // _BANDS
    starts = range(0, width * _BANDS, width)
    bands = {f"band_{start}": Substr("perceptual_hash", start + 1, width) for start in starts}
    same = (Q((f"band_{start}", image.perceptual_hash[start : start + width])) for start in starts)
    found = others.alias(**bands).filter(reduce(or_, same, Q(sha256=image.sha256)))
    return found.order_by("pk").values_list("product", "sha256", "perceptual_hash")[:_MOST]


def _distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()
