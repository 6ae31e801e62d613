"""Products that a lone photo brings along: named after the file, under a SKU that no other has."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from gallery.keys import new_key
from gallery.models import Product
from gallery.models.categories import readable_slug

_SKU_ATTEMPTS = 5


def new_product(name: str, **facts: Any) -> Product:
    """A product under a SKU after the file's name; another upload of that name may take the SKU first."""
    for _attempt in range(_SKU_ATTEMPTS):
        try:
            with transaction.atomic():
                return Product.objects.create(sku=free_sku(name), **facts)
        except IntegrityError:
            continue
    return Product.objects.create(sku=new_key().hex, **facts)


def free_sku(name: str) -> str:
    """A SKU after the file's name that no product has."""
    stem = name.rpartition(".")[0] or name
    base = readable_slug(stem).encode("ascii", "ignore").decode().strip("-_.")[:56] or "photo"
    taken = set(Product.objects.filter(sku__startswith=base).values_list("sku", flat=True))
    sku, number = base, 1
    while sku in taken:
        number += 1
        sku = f"{base}-{number}"
    return sku


def title_from(name: str) -> str:
    """The file's name as words."""
    stem = (name.rpartition(".")[0] or name).replace("_", " ").replace("-", " ").strip()
    return stem[:1].upper() + stem[1:] or _("Untitled product")
