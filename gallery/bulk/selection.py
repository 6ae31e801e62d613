"""Which products a bulk edit is about: those chosen one by one, or all that match filters."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from gallery.models import BulkEdit, Product
from gallery.product_filters import matching

MOST_KEYS = 1_000  # chosen one by one; more are chosen by filters


def fingerprint(keys: Iterable[UUID]) -> str:
    """Of the products that somebody looked at, in the order of the keys: another set has another one."""
    digest = hashlib.sha256()
    for key in keys:
        digest.update(key.bytes)
    return digest.hexdigest()[:32]


def products_of(edit: BulkEdit) -> QuerySet[Product]:
    """What a draft means now, in the order of the keys."""
    if edit.keys:
        return Product.objects.filter(pk__in=edit.keys).order_by("pk")
    return Product.objects.filter(pk__in=matching(edit.query).order_by().values("pk")).order_by("pk")
