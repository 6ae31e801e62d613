"""What a bulk edit would do, before it does anything."""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from gallery.bulk.selection import fingerprint, products_of
from gallery.bulk.values import COLUMNS, TAGGING, Left, Values, values_after, values_of
from gallery.bulk.words import Words
from gallery.models import BulkEdit, BulkEditItem

SHOWN = 20
SKUS_SHOWN = 8
_AT_ONCE = 1_000


@dataclass
class Skipped:
    """Products that stay as they are for one reason."""

    label: str
    number: int = 0
    skus: list[str] = field(default_factory=list)

    @property
    def more(self) -> int:
        return self.number - len(self.skus)


@dataclass
class Preview:
    changing: int
    total: int
    seen: str  # the fingerprint of all products
    rows: list[dict[str, str]]  # sku, title, before, after: the first ones
    skipped: list[Skipped]


def preview(edit: BulkEdit, action: str, parameters: Values) -> Preview:
    """Go through all products of a draft as applying would, and write nothing."""
    columns = [name.removesuffix("_id") for name in COLUMNS[action]]
    products = products_of(edit).only("sku", "title", "price", "currency", *columns)
    if action in TAGGING:
        products = products.prefetch_related("tags")  # type: ignore[misc]  # taggit's manager
    words = Words()
    keys: list[UUID] = []
    rows: list[dict[str, str]] = []
    reasons: Counter[str] = Counter()
    skus: dict[str, list[str]] = {}
    for product in products.iterator(chunk_size=_AT_ONCE):
        keys.append(product.pk)
        try:
            after = values_after(product, action, parameters)
        except Left as left:
            reasons[left.reason] += 1
            if len(named := skus.setdefault(left.reason, [])) < SKUS_SHOWN:
                named.append(product.sku)
            continue
        if len(rows) < SHOWN:
            before = words.values(values_of(product, action))
            rows.append({"sku": product.sku, "title": product.title, "before": before, "after": words.values(after)})
    return Preview(
        changing=len(keys) - reasons.total(),
        total=len(keys),
        seen=fingerprint(keys),
        rows=rows,
        skipped=[
            Skipped(str(BulkEditItem.Reason(reason).label), number, skus[reason])
            for reason, number in reasons.most_common()
        ],
    )
