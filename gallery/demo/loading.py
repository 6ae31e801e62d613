"""The demonstration catalogue into the database, through the importer, in steps that can be run again."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from gallery.demo.catalogue import NEWEST, Catalogue, Sticker
from gallery.demo.shop import CATEGORIES
from gallery.importing import Importer, Summary
from gallery.importing.sources import Source
from gallery.models import Category, Product
from gallery.models.categories import readable_slug

_OLDEST_DAYS = 300


def make_categories() -> None:
    """The shop's categories in the shop's order; the importer finds them by name."""
    for position, (name, name_zh) in enumerate(CATEGORIES.values()):
        Category.objects.get_or_create(
            parent=None,
            slug=readable_slug(name),
            defaults={"name": name, "names": {"zh-hans": name_zh}, "position": position},
        )


@transaction.atomic
def announce_products(catalogue: Catalogue) -> None:
    """Make the products that are missing, with dates of their own but without pictures, so that nobody sees them yet.

    What is indexed first must be loaded first, and would then be the oldest. The dates make it the newest.
    """
    known = set(Product.objects.values_list("sku", flat=True))
    now = timezone.now()
    products = []
    for sticker in catalogue.stickers:
        if sticker.sku in known:
            continue
        age = sticker.random("age").uniform(1, _OLDEST_DAYS)
        if sticker.code in NEWEST:
            age = NEWEST.index(sticker.code) / 24
        product = Product(sku=sticker.sku, title=catalogue.title(sticker))
        products.append((product, now - timedelta(days=age)))
    Product.objects.bulk_create([product for product, _created in products])
    for product, created in products:  # making a row sets this to now
        product.created_at = created
    Product.objects.bulk_update([product for product, _created in products], ["created_at"], batch_size=200)


def load(
    catalogue: Catalogue,
    folder: Path,
    stickers: Sequence[Sticker],
    report: Callable[[str], None],
    advance: Callable[[], None],
) -> Summary:
    """Write the pictures of these stickers and import them.

    :param report: called with a sentence for every picture that is refused
    :param advance: called after each picture
    """
    catalogue.write_pictures(folder, stickers)
    rows = [row for sticker in stickers for row in catalogue.rows(sticker)]
    return Importer(Source(folder, list(enumerate(rows, start=2))), report=report).run(advance)
