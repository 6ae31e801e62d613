"""What a dry run found, shown: the first rows, and which columns they would change, before → after."""

from django.utils.translation import gettext as _

from gallery.importing.rows import Row
from gallery.importing.summary import Difference, RowPreview, Summary
from gallery.models import Category, Image, Product
from gallery.tables.records import Cells, image_cells, product_cells
from gallery.verification import Facts

SHOWN = 50  # rows that change something
_LONGEST_SHOWN = 160  # characters of one cell


class Preview:
    """Collects the first rows that a dry run would create or change, in ``summary.previews``."""

    def __init__(self, summary: Summary):
        self.summary = summary

    def before(self, product: Product | None, image: Image | None) -> Cells:
        """What is there, read before the row is applied; nothing once enough is shown."""
        if product is None or len(self.summary.previews) >= SHOWN:
            return {}
        return _cells(product, image)

    def note(
        self, outcome: str, row: Row, before: Cells, product: Product, image: Image | None, facts: Facts | None
    ) -> None:
        """Inside the transaction that is about to be undone.

        :param facts: of the row's file, where it is another than the image has
        """
        if outcome == "unchanged" or len(self.summary.previews) >= SHOWN:
            return
        stored = Product.objects.with_facts().prefetch_related("redirects").get(pk=product.pk)
        after = _cells(stored, image)
        if image is None:
            after |= {"alt": row.alt, "position": "" if row.position is None else str(row.position)}
        differences = [
            Difference(column, _short(before.get(column, "")), _short(text))
            for column, text in after.items()
            if column not in ("sku", "file") and text != before.get(column, "")
        ]
        if facts is not None:
            size = _("%(width)d × %(height)d pixels") % {"width": facts.width, "height": facts.height}
            earlier = image and _("%(width)d × %(height)d pixels") % {"width": image.width, "height": image.height}
            differences.append(Difference("file", earlier or "", size))
        self.summary.previews.append(RowPreview(row.line, row.sku, row.file, outcome, differences))


def _cells(product: Product, image: Image | None) -> Cells:
    cells = product_cells(product, Category.objects.tree())
    if image is None:
        return cells
    image.product = product
    return cells | image_cells(image)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
