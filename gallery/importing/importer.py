"""Rows into records. Idempotent: a row is identified by its SKU and its file's name."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from gallery.importing.errors import SourceError
from gallery.importing.matching import image_of_row, source_names
from gallery.importing.rows import Row, RowError, parse
from gallery.importing.sources import SURPLUS, Source
from gallery.importing.summary import RowFailure, Summary
from gallery.intake import StoredFile, record_image, record_replacement, stored_original
from gallery.models import Brand, Category, Image, Product, ProductRedirect, User
from gallery.verification import Refused, verify


class Importer:
    """Imports one source row by row; a row that fails stops nothing and leaves nothing half done.

    The first row of a SKU describes the product, further ones add photographs to it. Empty cells leave what is there.
    """

    def __init__(
        self,
        source: Source,
        *,
        currency: str = "",
        uploader: User | None = None,
        dry_run: bool = False,
        report: Callable[[str], None] = lambda text: None,
    ):
        """
        :param currency: of prices whose row names none; the shop's own if left out
        :param dry_run: verify everything and write nothing
        :param report: called with a sentence for every row that fails, as it happens
        """
        self.source = source
        self.currency = currency
        self.uploader = uploader
        self.dry_run = dry_run
        self.report = report
        self.summary = Summary(warnings=list(source.warnings))
        self._names = source_names(source.rows)
        self._names_of_sku: dict[str, set[str]] = {}
        for (sku, _path), name in self._names.items():
            self._names_of_sku.setdefault(sku, set()).add(name)
        self._first: dict[str, Row] = {}
        self._seen: dict[tuple[str, str], int] = {}
        self._claimed: set[UUID] = set()
        self._categories: dict[tuple[str, tuple[tuple[str, str], ...]], Category] = {}
        self._brands: dict[str, Brand] = {}

    def run(self, advance: Callable[[], object] = lambda: None) -> Summary:
        """Import every row.

        :param advance: called after each row, for a progress bar
        """
        for line, values in self.source.rows:
            self._import(line, values)
            advance()
        return self.summary

    def _import(self, line: int, values: Mapping[str, str | None]) -> None:
        name = values.get("file") or values.get("sku") or _("the row")
        try:
            if values.get(SURPLUS):
                raise RowError(_("There are more cells than columns. Put quotes around values that contain commas."))
            outcome = self._import_row(parse(line, values, self.currency))
        except (RowError, SourceError, Refused) as error:
            self._failed(line, name, str(error))
        except ValidationError as error:
            self._failed(line, name, " ".join(error.messages))
        except OSError as error:
            self._failed(line, name, _("The file cannot be read: %(error)s") % {"error": error.strerror or error})
        except DatabaseError as error:
            self._failed(line, name, _("The database did not take it: %(error)s") % {"error": error})
        else:
            setattr(self.summary, outcome, getattr(self.summary, outcome) + 1)

    def _failed(self, line: int, name: str, reason: str) -> None:
        self._forget()
        failure = RowFailure(line, name, reason)
        self.summary.failures.append(failure)
        self.report(str(failure))

    def _forget(self) -> None:
        """Drop rows that a rolled-back transaction may have made."""
        self._categories.clear()
        self._brands.clear()

    def _warn(self, line: int, text: str) -> None:
        self.summary.warnings.append(_("line %(line)d: %(text)s") % {"line": line, "text": text})

    def _import_row(self, row: Row) -> str:
        """One of "created", "changed" and "unchanged"."""
        path = self.source.file(row.file)
        if (row.sku, row.file) in self._seen:
            earlier = self._seen[row.sku, row.file]
            self._warn(row.line, _("SKU and file are those of line %(line)d; passed over.") % {"line": earlier})
            return "unchanged"
        name = self._names[row.sku, row.file]
        product = Product.objects.with_facts().prefetch_related("images").filter(sku=row.sku).first()
        if product is None and (merged := ProductRedirect.objects.filter(old_sku=row.sku).first()):
            return self._import_merged(row, path, name, merged.product)
        sha256 = _sha256(path)
        image = None
        if product is not None:
            image = image_of_row(product.images.all(), name, sha256, self._other_names(row.sku, name), self._claimed)
        # A merge may have given the image a better file than the row's.
        new_file = image is None or not (image.sha256 == sha256 or image.redirects.filter(sha256=sha256).exists())
        outcome = self._write(row, path, name, product, image, new_file)
        self._seen[row.sku, row.file] = row.line
        self._first.setdefault(row.sku, row)
        return outcome

    def _import_merged(self, row: Row, path: Path, name: str, product: Product) -> str:
        """The photo of a row whose product was merged into another; its other columns describe what has gone."""
        merged = {"old": row.sku, "sku": product.sku}
        self._warn(row.line, _("%(old)s was merged into %(sku)s: only the photo of this row is looked at.") % merged)
        self._seen[row.sku, row.file] = row.line
        sha256 = _sha256(path)
        if product.images.filter(Q(sha256=sha256) | Q(redirects__sha256=sha256)).exists():
            return "unchanged"
        with self._stored(path, name) as stored:
            if stored is not None:
                others = self._names_of_sku.get(product.sku, set())
                record_image(product, stored, uploader=self.uploader, alt_text=row.alt, reserved=others)
        return "created"

    def _other_names(self, sku: str, name: str) -> set[str]:
        return self._names_of_sku[sku] - {name}

    def _write(
        self, row: Row, path: Path, name: str, product: Product | None, image: Image | None, new_file: bool
    ) -> str:
        with self._stored(path, name) if new_file else nullcontext() as stored, transaction.atomic():
            product, changed = self._product(row, product)
            if image is not None:
                if stored is not None:
                    record_replacement(image, stored)
                changed = self._describe_image(image, row) or changed or new_file
            elif stored is not None:
                image = record_image(
                    product,
                    stored,
                    uploader=self.uploader,
                    position=row.position,
                    alt_text=row.alt,
                    reserved=self._other_names(row.sku, name),
                )
                self._claimed.add(image.pk)
                return "created"
            if self.dry_run:
                transaction.set_rollback(True)
                self._forget()
        if image is None:  # a dry run stores nothing
            return "created"
        self._claimed.add(image.pk)
        return "changed" if changed else "unchanged"

    @contextmanager
    def _stored(self, path: Path, name: str) -> Iterator[StoredFile | None]:
        """The file in storage; a dry run only verifies it."""
        with path.open("rb") as file:
            if self.dry_run:
                verify(file, name)
                yield None
            else:
                with stored_original(file, name) as stored:
                    yield stored

    def _product(self, row: Row, product: Product | None) -> tuple[Product, bool]:
        """The row's product, made or brought to what the row says; and whether something changed."""
        first = self._first.get(row.sku)
        if first is not None and product is not None:
            if contradicted := row.contradicts(first):
                self._warn(
                    row.line,
                    _("%(columns)s: line %(line)d said something else of this SKU, and stands.")
                    % {"columns": ", ".join(contradicted), "line": first.line},
                )
            return product, False
        if product is None:
            product = Product(sku=row.sku, title=row.title or row.sku)
        changed = self._describe_product(product, row)
        if row.tags is not None and {tag.name for tag in product.tags.all()} != set(row.tags):
            product.tags.set(row.tags)
            changed = True
        return product, changed

    def _describe_product(self, product: Product, row: Row) -> bool:
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

    @staticmethod
    def _describe_image(image: Image, row: Row) -> bool:
        changed = False
        if row.alt and image.alt_text != row.alt:
            image.alt_text, changed = row.alt, True
        if row.position is not None and image.position != row.position:
            image.position, changed = row.position, True
        if changed:
            image.revision += 1
            image.save()
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


def _merged(old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Texts by language; the category's are kept with the category."""
    merged = {language: dict(texts) for language, texts in old.items()}
    for language, texts in new.items():
        own = {column: text for column, text in texts.items() if column != "category"}
        if own:
            merged.setdefault(language, {}).update(own)
    return merged


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
