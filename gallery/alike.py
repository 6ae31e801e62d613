"""Photos that the catalogue may have already: the same file, or one whose perceptual hash is near."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from gallery.models import Image, Product

NEAR = 6  # bits of 64 in which the hashes of two sizes or qualities of one picture may differ
SHOWN = 3


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
    """Other products with a photo like this one, the nearest first. Three statements."""
    others = Image.objects.exclude(product=image.product_id)
    found = others.hashed_like(image.perceptual_hash, NEAR)
    # The hash knows no colours: a garment in another one is not the same.
    same = Q(sha256=image.sha256) | Q(pk__in=found, swatch=image.swatch)
    rows = others.filter(same).order_by().values_list("pk", "product", "sha256")
    near: dict[UUID, int] = {}
    for key, product, sha256 in rows:
        distance = -1 if sha256 == image.sha256 else found[key]
        near[product] = min(distance, near.get(product, NEAR))
    nearest = sorted(near, key=lambda key: (near[key], str(key)))[:SHOWN]
    products = Product.objects.in_bulk(nearest)
    return [Alike(products[key], near[key]) for key in nearest if key in products]
