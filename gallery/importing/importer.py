"""Rows into records. Idempotent: a row is identified by its SKU and its file's name."""

import hashlib
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from gallery.buckets import FAULTS
from gallery.importing.bulk import unreadable
from gallery.importing.describing import Describer
from gallery.importing.errors import RowError, SourceError
from gallery.importing.matching import image_of_row, source_names
from gallery.importing.preview import Preview
from gallery.importing.rows import Row, parse
from gallery.importing.sources import Source
from gallery.importing.summary import RowFailure, Summary
from gallery.importing.tables import SURPLUS
from gallery.importing.vectors import offer_vector
from gallery.intake import StoredFile, record_image, record_replacement, stored_original
from gallery.links.target import Target, is_link
from gallery.models import Image, Product, ProductRedirect, User
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
        :param dry_run: verify everything and write nothing; pictures behind links are not fetched
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
        self._describe = Describer()
        self._preview = Preview(self.summary)

    def run(
        self,
        advance: Callable[[], object] = lambda: None,
        *,
        start: int = 0,
        again: Container[int] = (),
        passed: Callable[[], object] = lambda: None,
    ) -> Summary:
        """Import every row.

        :param advance: called after each row, for a progress bar
        :param start: pass over so many rows, which an earlier run has imported
        :param again: numbers of rows among these that are tried all the same
        :param passed: called after each row that is passed over: many of them take their time, too
        """
        for number, (line, values) in enumerate(self.source.rows):
            if number < start and number not in again:
                self._pass_over(line, values)
                passed()
            else:
                self._import(number, line, values)
                advance()
        return self.summary

    def _import(self, number: int, line: int, values: Mapping[str, str | None]) -> None:
        try:
            if problem := unreadable(values):
                raise RowError(problem)
            if SURPLUS in values:
                raise RowError(_("There are more cells than columns. Put quotes around values that contain commas."))
            outcome = self._import_row(parse(line, values, self.currency))
        except (RowError, SourceError, Refused) as error:
            reason = str(error)
        except ValidationError as error:
            reason = " ".join(error.messages)
        except OSError as error:
            reason = _("The file cannot be read: %(error)s") % {"error": error.strerror or error}
        except FAULTS as error:
            reason = _("The storage of photos failed: %(error)s") % {"error": error}
        except ObjectDoesNotExist:
            reason = _("Somebody deleted the product or its photo meanwhile. Import the row again.")
        except DatabaseError as error:
            reason = _("The database did not take it: %(error)s") % {"error": error}
        else:
            setattr(self.summary, outcome, getattr(self.summary, outcome) + 1)
            return
        self._describe.forget()
        failure = RowFailure(line, values.get("file") or values.get("sku") or _("the row"), reason, number, values)
        self.summary.failures.append(failure)
        self.report(str(failure))

    def _pass_over(self, line: int, values: Mapping[str, str | None]) -> None:
        """Know of a row that has been imported what later rows need to be judged by."""
        try:
            row = parse(line, values, self.currency)
        except RowError:
            return
        self._seen[row.sku, row.file] = row.line
        self._first.setdefault(row.sku, row)
        if len(self._names_of_sku[row.sku]) > 1:
            path = None if is_link(row.file) else self.source.find(row.file)
            image = self._image_of(row, self._product_of(row), _sha256(path))
            if image is not None:
                self._claimed.add(image.pk)

    def _warn(self, line: int, text: str) -> None:
        self.summary.warnings.append(_("line %(line)d: %(text)s") % {"line": line, "text": text})

    def _warn_if_taken_down(self, row: Row, sha256: str) -> None:
        if Image.objects.was_taken_down(sha256):
            self._warn(
                row.line,
                _("This very file was taken down before, so the photo is rejected. A moderator can approve it."),
            )

    def _import_row(self, row: Row) -> str:
        """One of "created", "changed" and "unchanged"."""
        if (row.sku, row.file) in self._seen:
            earlier = self._seen[row.sku, row.file]
            self._warn(row.line, _("SKU and file are those of line %(line)d; passed over.") % {"line": earlier})
            return "unchanged"
        own = _image_shown_at(row)
        path = None if own else self._path(row)
        product = self._product_of(row)
        sha256 = _sha256(path)
        if product is None and (merged := ProductRedirect.objects.filter(old_sku=row.sku).first()):
            return self._import_merged(row, path, sha256, merged.product)
        image = own or self._image_of(row, product, sha256)
        if image is None and path is None and not is_link(row.file):
            raise SourceError(
                _("%(file)s did not come along, and is not in the catalogue. Send a ZIP of the table and its photos.")
                % {"file": row.file}
            )
        outcome = self._write(row, path, sha256, product, image)
        self._seen[row.sku, row.file] = row.line
        self._first.setdefault(row.sku, row)
        return outcome

    def _import_merged(self, row: Row, path: Path | None, sha256: str, product: Product) -> str:
        """The photo of a row whose product was merged into another; its other columns describe what has gone."""
        merged = {"old": row.sku, "sku": product.sku}
        self._warn(row.line, _("%(old)s was merged into %(sku)s: only the photo of this row is looked at.") % merged)
        self._seen[row.sku, row.file] = row.line
        if path is None:
            return "unchanged"
        if product.images.filter(Q(sha256=sha256) | Q(redirects__sha256=sha256)).exists():
            return "unchanged"
        with self._stored(row, path) as stored:
            self._warn_if_taken_down(row, sha256)
            if not self.dry_run:
                others = self._names_of_sku.get(product.sku, set())
                record_image(product, stored, uploader=self.uploader, alt_text=row.alt, reserved=others)
        return "created"

    def _path(self, row: Row) -> Path | None:
        """The row's file; None where there is none to look at.

        :raises SourceError: when it is not there
        :raises Refused: when a link does not lead to it
        """
        if not is_link(row.file):
            return self.source.find(row.file) if self.source.alone else self.source.file(row.file)
        if self.dry_run:
            Target.parse(row.file)
            self.summary.links += 1
            return None
        return self.source.fetched(row.file)

    @staticmethod
    def _product_of(row: Row) -> Product | None:
        return Product.objects.with_facts().prefetch_related("images", "redirects").filter(sku=row.sku).first()

    def _image_of(self, row: Row, product: Product | None, sha256: str) -> Image | None:
        if product is None:
            return None
        name = self._names[row.sku, row.file]
        images = [image for image in product.images.all() if not _is_another_s(image, sha256)]
        return image_of_row(images, name, sha256, self._other_names(row), self._claimed)

    def _other_names(self, row: Row) -> set[str]:
        return self._names_of_sku[row.sku] - {self._names[row.sku, row.file]}

    def _write(self, row: Row, path: Path | None, sha256: str, product: Product | None, image: Image | None) -> str:
        """
        :param path: of the row's file; None where there is none to look at, and the image keeps the one that it has
        """
        is_new = path is not None and (image is None or not _has_had(image, sha256))
        before = self._preview.before(product, image) if self.dry_run else {}
        vector = self.source.vector(row.line)
        if note := offer_vector(vector, ""):  # judged first: that may load something, and no transaction is open yet
            self._warn(row.line, note)
            vector = None
        with self._stored(row, path) if is_new and path else nullcontext() as stored, transaction.atomic():
            product, changed = self._described(row, product)
            created = image is None
            if image is not None:
                # As it is now: a decision of a moderator since it was read is not written over.
                image = Image.objects.select_for_update().get(pk=image.pk)
                image._history_user = self.uploader  # type: ignore[attr-defined]
                if stored is not None and image.status == Image.Status.APPROVED:
                    _refuse_if_taken_down(sha256)
                if stored is not None and not self.dry_run:
                    record_replacement(image, stored)
                changed = self._describe.image(image, row) or changed or is_new
                if image.status != Image.Status.APPROVED:
                    self._warn(
                        row.line, _("The photo stays hidden: %(status)s.") % {"status": image.get_status_display()}
                    )
            elif stored is not None:
                self._warn_if_taken_down(row, sha256)
            if image is None and stored is not None and not self.dry_run:
                image = record_image(
                    product,
                    stored,
                    uploader=self.uploader,
                    position=row.position,
                    alt_text=row.alt,
                    reserved=self._other_names(row),
                )
            offer_vector(vector, sha256 or (image.sha256 if image else ""))
            outcome = "created" if created else "changed" if changed else "unchanged"
            if self.dry_run:
                self._preview.note(outcome, row, before, product, image, stored.facts if stored else None)
                transaction.set_rollback(True)
                self._describe.forget()
        if image is not None:
            self._claimed.add(image.pk)
        return outcome

    @contextmanager
    def _stored(self, row: Row, path: Path) -> Iterator[StoredFile]:
        """The file in storage; a dry run only verifies it."""
        name = self._names[row.sku, row.file]
        with path.open("rb") as file:
            if self.dry_run:
                yield StoredFile("", verify(file, name))
            else:
                with stored_original(file, name) as stored:
                    yield stored

    def _described(self, row: Row, product: Product | None) -> tuple[Product, bool]:
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
        else:
            # As it is now: storing the photo took its time, and an edit of another column meanwhile stays.
            product = Product.objects.select_for_update(of=("self",)).with_facts().get(pk=product.pk)
        product._history_user = self.uploader  # type: ignore[attr-defined]  # for the audit: no request says who
        return product, self._describe.product(product, row)


def _is_another_s(image: Image, sha256: str) -> bool:
    """Whether it is a contribution outside of the catalogue: the shop's own file of that name is no new version of it.

    A file that a moderator has refused stays refused, whoever sends it.
    """
    if image.status == Image.Status.APPROVED or image.uploader is None or image.uploader.is_catalogue_staff:
        return False
    refused = image.status in (Image.Status.REJECTED, Image.Status.WITHDRAWN)
    return not (refused and image.sha256 == sha256)


def _refuse_if_taken_down(sha256: str) -> None:
    """
    :raises RowError: for a file that would show again in the place of another one
    """
    if Image.objects.was_taken_down(sha256):
        raise RowError(_("This very file was taken down before, so it does not replace the photo. Send another one."))


def _image_shown_at(row: Row) -> Image | None:
    """The photo of this catalogue whose rendition the row's link is, as exported documents have it.

    What is found there is a smaller copy: it does not take the place of the original.
    """
    if not is_link(row.file):
        return None
    try:
        found = resolve(urlsplit(row.file).path)
    except (Resolver404, ValueError):
        return None
    if found.url_name != "image-file":
        return None
    of_the_row = Q(product__sku=row.sku) | Q(product__redirects__old_sku=row.sku)
    return Image.objects.filter(of_the_row, pk=found.kwargs["pk"]).first()


def _has_had(image: Image, sha256: str) -> bool:
    """Whether the image has this file, or had it until a merge gave it a better one."""
    return image.sha256 == sha256 or image.redirects.filter(sha256=sha256).exists()


def _sha256(path: Path | None) -> str:
    """Of a file; empty where there is none."""
    if path is None:
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
