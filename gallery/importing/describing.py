"""Brings a product and its photo to what a row says of them. Empty cells leave what is there."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from gallery.importing.rows import Row
from gallery.models import Brand, Category, Image, Product, ProductRedirect


class Describer:
    """Remembers categories and brands from row to row. ``forget`` after a transaction that was rolled back."""

    def __init__(self) -> None:
        self._categories: dict[tuple[str, tuple[tuple[str, str], ...]], Category] = {}
        self._brands: dict[str, Brand] = {}

    def forget(self) -> None:
        """Drop rows that a rolled-back transaction may have made."""
        self._categories.clear()
        self._brands.clear()

    def product(self, product: Product, row: Row) -> bool:
        """
        :return: whether something changed
        :raises ValidationError: for values that the product's fields do not take
        """
        changed = self._columns(product, row)
        if row.tags is not None and {tag.name for tag in product.tags.all()} != set(row.tags):
            product.tags.set(row.tags)
            if not changed:
                product.save()  # another revision, which forms that are open look at, and a line of the history
            changed = True
        return _lead_here(product, row.old_skus) or changed

    def image(self, image: Image, row: Row) -> bool:
        """
        :return: whether something changed
        """
        changed = False
        if row.alt and image.alt_text != row.alt:
            image.alt_text, changed = row.alt, True
        if row.position is not None and image.position != row.position:
            image.position, changed = row.position, True
        if changed:
            image.revision += 1
            image.save()
        return changed

    def _columns(self, product: Product, row: Row) -> bool:
        wanted = {
            "title": row.title,
            "description": row.description,
            "category": self._category(row) if row.category else None,
            "brand": self._brand(row.brand) if row.brand else None,
            "price": row.price,
            "currency": row.currency,
            "availability": row.availability,
            "link": row.link,
            "published": row.published,
            "attributes": {**product.attributes, **row.attributes},
            "translations": _merged(product.translations, row.translations),
        }
        changed = product._state.adding
        for name, value in wanted.items():
            if value not in (None, "") and getattr(product, name) != value:
                setattr(product, name, value)
                changed = True
        if changed:
            product.clean_fields(exclude=["category", "brand", "tags"])
            product.save()
        return changed

    def _category(self, row: Row) -> Category:
        names = {language: texts["category"] for language, texts in row.translations.items() if "category" in texts}
        key = (row.category, tuple(sorted(names.items())))
        if key not in self._categories:
            self._categories[key] = Category.objects.at_path(row.category, names)
        return self._categories[key]

    def _brand(self, name: str) -> Brand:
        if name not in self._brands:
            self._brands[name] = Brand.objects.named(name)
        return self._brands[name]


def _lead_here(product: Product, old_skus: tuple[str, ...]) -> bool:
    """Let these SKUs lead to the product. One that is a product's own leads nowhere else."""
    if not old_skus:
        return False
    known = set(ProductRedirect.objects.filter(product=product, old_sku__in=old_skus).values_list("old_sku", flat=True))
    missing = [sku for sku in old_skus if sku not in known]
    if taken := Product.objects.filter(sku__in=missing).order_by("sku").values_list("sku", flat=True).first():
        raise ValidationError(
            _("old_skus: %(sku)s is a product of its own. Leave it out, or merge the two first.") % {"sku": taken}
        )
    for sku in missing:
        ProductRedirect.objects.update_or_create(old_sku=sku, defaults={"product": product})
    return bool(missing)


def _merged(old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Texts by language; the category's are kept with the category."""
    merged = {language: dict(texts) for language, texts in old.items()}
    for language, texts in new.items():
        own = {column: text for column, text in texts.items() if column != "category"}
        if own:
            merged.setdefault(language, {}).update(own)
    return merged
