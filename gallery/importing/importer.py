"""Rows into records. Idempotent: a row is identified by its SKU and its file's name."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from gallery.filenames import FORMATS, clean_name, with_ending
from gallery.importing.rows import Row, RowError, parse
from gallery.importing.sources import Source, SourceError
from gallery.intake import add_image, replace_file
from gallery.models import Brand, Category, Image, Product, User
from gallery.models.categories import readable_slug
from gallery.verification import Refused


@dataclass(frozen=True)
class RowFailure:
    line: int
    name: str
    reason: str

    def __str__(self) -> str:
        return _("line %(line)d, %(name)s: %(reason)s") % {"line": self.line, "name": self.name, "reason": self.reason}


@dataclass
class Summary:
    """What an import did, in rows; ``notes`` counts what verification normalised."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    failures: list[RowFailure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return self.created + self.changed + self.unchanged + len(self.failures)

    def __str__(self) -> str:
        return _(
            "%(rows)d rows: %(created)d created, %(changed)d changed, %(unchanged)d unchanged, %(failed)d failed"
        ) % {
            "rows": self.rows,
            "created": self.created,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "failed": len(self.failures),
        }


class Importer:
    """Imports one source row by row; a row that fails stops nothing and leaves nothing half done."""

    def __init__(
        self,
        source: Source,
        *,
        uploader: User | None = None,
        dry_run: bool = False,
        report: Callable[[str], None] = lambda text: None,
    ):
        """
        :param report: called with a sentence for every row that fails, as it happens
        """
        self.source = source
        self.uploader = uploader
        self.dry_run = dry_run
        self.report = report
        self.summary = Summary(warnings=list(source.warnings))
        self._seen: set[tuple[str, str]] = set()
        self._categories: dict[str, Category] = {}
        self._brands: dict[str, Brand] = {}

    def run(self, advance: Callable[[], None] = lambda: None) -> Summary:
        """Import every row.

        :param advance: called after each row, for a progress bar
        """
        for line, values in self.source.rows:
            self._import(line, values)
            advance()
        return self.summary

    def _import(self, line: int, values) -> None:
        name = values.get("file") or values.get("sku") or _("the row")
        try:
            outcome = self._import_row(parse(line, values))
        except (RowError, SourceError, Refused) as error:
            self._failed(line, name, str(error))
        except ValidationError as error:
            self._failed(line, name, " ".join(error.messages))
        except OSError as error:
            self._failed(line, name, _("The file cannot be read: %(error)s") % {"error": error.strerror or error})
        else:
            setattr(self.summary, outcome, getattr(self.summary, outcome) + 1)

    def _failed(self, line: int, name: str, reason: str) -> None:
        failure = RowFailure(line, name, reason)
        self.summary.failures.append(failure)
        self.report(str(failure))

    def _import_row(self, row: Row) -> str:
        """One of "created", "changed" and "unchanged"."""
        path = self.source.file(row.file)
        source_name = clean_name(path.name)
        if (row.sku, source_name) in self._seen:
            raise RowError(_("This SKU and file came before in this source. Remove one of the two rows."))
        self._seen.add((row.sku, source_name))
        product = Product.objects.with_facts().filter(sku=row.sku).first()
        image = _image_of_source(product, source_name) if product else None
        if self.dry_run:
            return self._preview(row, path, product, image)
        if image is None:
            return self._add(row, path, product)
        with path.open("rb") as file:
            replaced = _sha256(path) != image.sha256 and replace_file(image, file, path.name)
        with transaction.atomic():
            described = self._describe_image(image, row)
            updated = self._update(product, row) if product else False
        return "changed" if replaced or described or updated else "unchanged"

    def _preview(self, row: Row, path: Path, product: Product | None, image: Image | None) -> str:
        if product is None or image is None:
            return "created"
        with transaction.atomic():
            differs = self._update(product, row) or self._describe_image(image, row)
            transaction.set_rollback(True)
        return "changed" if differs or _sha256(path) != image.sha256 else "unchanged"

    def _add(self, row: Row, path: Path, product: Product | None) -> str:
        """A new photograph, and the product if it is its first. A refused file leaves no product behind."""
        is_new = product is None
        if product is None:
            with transaction.atomic():
                product = Product(sku=row.sku, title=row.title or row.sku)
                self._update(product, row)
        else:
            with transaction.atomic():
                self._update(product, row)
        try:
            with path.open("rb") as file:
                add_image(product, file, path.name, uploader=self.uploader, position=row.position, alt_text=row.alt)
        except BaseException:
            if is_new:
                product.delete()
            raise
        return "created"

    def _update(self, product: Product, row: Row) -> bool:
        """Bring the product to what the row says; True where something changed."""
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
            product.full_clean(exclude=["tags"], validate_constraints=False)
            product.save()
        if row.tags is not None and {tag.name for tag in product.tags.all()} != set(row.tags):
            product.tags.set(row.tags)
            changed = True
        return changed

    @staticmethod
    def _describe_image(image: Image, row: Row) -> bool:
        changed = False
        if row.alt and image.alt_text != row.alt:
            image.alt_text, changed = row.alt, True
        if row.position is not None and image.position != row.position:
            image.position, changed = row.position, True
        if changed:
            image.save()
        return changed

    def _category(self, row: Row) -> Category:
        if row.category not in self._categories:
            names = {language: texts["category"] for language, texts in row.translations.items() if "category" in texts}
            self._categories[row.category] = Category.objects.at_path(row.category, names)
        return self._categories[row.category]

    def _brand(self, name: str) -> Brand:
        if name not in self._brands:
            brand = Brand.objects.filter(name=name).first()
            self._brands[name] = brand or Brand.objects.create(name=name, slug=free_brand_slug(name))
        return self._brands[name]


def _image_of_source(product: Product, source_name: str) -> Image | None:
    """The product's image that came from this file, whose stored name may have another ending."""
    names = {source_name} | {with_ending(source_name, format) for format in FORMATS}
    return product.images.filter(source_name__in=names).first()


def _merged(old: dict, new) -> dict:
    return {language: {**old.get(language, {}), **new.get(language, {})} for language in {**old, **new}}


def free_brand_slug(name: str) -> str:
    """A slug for a new brand that no other has."""
    slug, number = readable_slug(name, 70), 1
    while Brand.objects.filter(slug=slug if number == 1 else f"{slug}-{number}").exists():
        number += 1
    return slug if number == 1 else f"{slug}-{number}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
