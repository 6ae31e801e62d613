"""Writes the catalogue to a file: a table, a table with its photos in an archive, or documents for Elasticsearch."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, BinaryIO

import tablib
from django.db.models import Prefetch
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gallery.exporting.documents import extras_of
from gallery.importing.rows import COLUMNS
from gallery.models import Category, Image, Product
from gallery.tables.cells import guarded, split
from gallery.tables.records import Cells, columns_of, image_cells, product_cells

FORMATS = ("csv", "zip", "ndjson")
TABLE = "catalogue.csv"
_AT_ONCE = 200  # products in memory with their photos
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same catalogue makes the same archive
_LISTS = ("tags", "old_skus")
Advance = Callable[[int], object]


@dataclass
class Exported:
    """What was written."""

    photos: int = 0
    products: int = 0
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        photos = ngettext("%(count)d photo", "%(count)d photos", self.photos) % {"count": self.photos}
        products = ngettext("%(count)d product", "%(count)d products", self.products) % {"count": self.products}
        return _("%(photos)s of %(products)s") % {"photos": photos, "products": products}


def export(file: BinaryIO, format: str, *, site: str = "", advance: Advance = lambda photos: None) -> Exported:
    """Write every approved photo with its product, in the order of SKUs and of the photos on the product's page.

    :param format: one of ``FORMATS``
    :param site: where the application is reached, ``https://shop.example``, for addresses in documents
    :param advance: called with the number of photos written since the last call
    """
    exported = Exported()
    if format == "ndjson":
        for images in _batches(exported):
            _write_documents(file, images, site)
            advance(len(images))
    elif format == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            rows = list(_packed(archive, exported, advance))
            info = zipfile.ZipInfo(TABLE, _LONG_AGO)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, table(rows))
    else:
        rows = []
        for images in _batches(exported):
            rows += [cells for _image, cells in images]
            advance(len(images))
        file.write(table(rows))
    left_out = Product.objects.exclude(images__status=Image.Status.APPROVED).count()
    if left_out:
        exported.notes.append(
            ngettext(
                "%(count)d product without an approved photo was left out.",
                "%(count)d products without an approved photo were left out.",
                left_out,
            )
            % {"count": left_out}
        )
    return exported


def table(rows: list[Cells], first: tuple[str, ...] = COLUMNS) -> bytes:
    """Rows as CSV: UTF-8, commas, lines that end as the standard (RFC 4180) says.

    :param first: columns that are there in any case
    """
    columns = columns_of(rows, first)
    written = tablib.Dataset(headers=[guarded(column) for column in columns])
    for row in rows:
        written.append([guarded(row.get(column, "")) for column in columns])
    return str(written.export("csv")).encode()


def photos_in_all() -> int:
    return Image.objects.filter(status=Image.Status.APPROVED).count()


def _batches(exported: Exported) -> Iterator[list[tuple[Image, Cells]]]:
    """Images with their rows, products at a time, in a constant number of queries for each batch."""
    tree = Category.objects.tree()
    photos = Image.objects.filter(status=Image.Status.APPROVED).order_by("position", "pk")
    # Sorted here: databases disagree on the order of letters.
    keys = [pk for _sku, pk in sorted(Product.objects.order_by().values_list("sku", "pk"))]
    for start in range(0, len(keys), _AT_ONCE):
        products = (
            Product.objects.filter(pk__in=keys[start : start + _AT_ONCE])
            .with_facts()
            .prefetch_related("redirects", Prefetch("images", queryset=photos, to_attr="photos"))
        )
        batch: list[tuple[Image, Cells]] = []
        for product in sorted(products, key=lambda one: one.sku):
            cells = product_cells(product, tree)
            for image in product.photos:
                image.product = product
                batch.append((image, cells | image_cells(image)))
            exported.photos += len(product.photos)
            exported.products += bool(product.photos)
        if batch:
            yield batch


def _packed(archive: zipfile.ZipFile, exported: Exported, advance: Advance) -> Iterator[Cells]:
    """The rows of photos whose originals went into the archive, bit for bit."""
    for images in _batches(exported):
        for image, cells in images:
            try:
                with image.original.open("rb") as original:
                    info = zipfile.ZipInfo(cells["file"], _LONG_AGO)  # stored as it is: pictures hardly shrink
                    with archive.open(info, "w", force_zip64=True) as member:
                        shutil.copyfileobj(original, member, 1 << 20)
            except FileNotFoundError:
                exported.photos -= 1
                exported.notes.append(
                    _("%(file)s is missing from storage, and was left out.") % {"file": cells["file"]}
                )
            else:
                yield cells
            advance(1)


def _write_documents(file: BinaryIO, images: list[tuple[Image, Cells]], site: str) -> None:
    """An action and a document for each image, as Elasticsearch's ``_bulk`` takes them."""
    extras = extras_of([image for image, _cells in images])
    for image, cells in images:
        document = {column: _typed(column, text) for column, text in cells.items() if text}
        document["image_url"] = site.rstrip("/") + image.url(1280, "jpeg")
        for line in ({"index": {"_id": str(image.pk)}}, document | extras.get(image.pk, {})):
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


def _typed(column: str, text: str) -> Any:
    if column in _LISTS or column.startswith("attr:"):
        return split(text)
    if column == "price":
        return float(Decimal(text))
    if column == "position":
        return int(text)
    return text == "yes" if column == "published" else text
