"""Imports and exports as jobs: checked first, imported when somebody says so, row by row, and taken up again."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.base import ContentFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery import jobs
from gallery.buckets import FAULTS
from gallery.exporting import export
from gallery.exporting.writing import photos_in_all, table
from gallery.importing.errors import SourceError
from gallery.importing.feed_link import fetch_feed
from gallery.importing.importer import Importer
from gallery.importing.sources import Source, open_source
from gallery.importing.summary import RowFailure, Summary
from gallery.importing.tables import REPORT_COLUMNS, SURPLUS, SURPLUS_COLUMN
from gallery.models import CatalogueImport, Job, User
from gallery.storage import fresh_name
from gallery.tables.cells import cleaned, unguarded

_RESUME_SECONDS = 2.0  # at most so much work is done again
_NAMED = 20  # warnings and failures on the page; the file holds all failures


def start_check(one: CatalogueImport, by: User) -> None:
    """Put the check of what was sent into the queue."""
    one.check_job = jobs.start("import_check", by, key=str(one.pk))
    one.save(update_fields=["check_job"])


def start_import(one: CatalogueImport, by: User) -> None:
    """Put the import itself into the queue, once: two clicks start one."""
    if one.import_job is None or not one.import_job.is_unfinished:
        one.import_job = jobs.start("import", by, key=str(one.pk))
        one.save(update_fields=["import_job"])


@jobs.kind("import_check", gettext_lazy("Check a catalogue"))
def check(run: jobs.Run) -> dict[str, Any]:
    """Read and verify everything, and tell what an import would do."""
    with _source_of(run) as (_one, source):
        importer = _importer(run, source, dry_run=True)
        done = 0
        run.step(0, total=len(source.rows), says=_("Checking…"), at_once=True)

        def advance() -> None:
            nonlocal done
            done += 1
            run.step(done)

        summary = importer.run(advance)
        _report(run.job, summary)
        run.job.says = str(summary)
        return _told(summary)


@jobs.kind("import", gettext_lazy("Import a catalogue"))
def import_(run: jobs.Run) -> dict[str, Any]:
    """Import row by row. What a killed worker had imported is passed over; what had failed there is tried again."""
    with _source_of(run) as (_one, source):
        importer = _importer(run, source, dry_run=False)
        summary = importer.summary
        start, failed = run.resume.get("row", 0), set(run.resume.get("failed", []))
        for outcome, count in run.resume.get("counts", {}).items():
            setattr(summary, outcome, count)
        done, due = start - len(failed), time.monotonic() + _RESUME_SECONDS
        run.step(done, total=len(source.rows), says=_("Importing…"), at_once=True)

        def advance() -> None:
            nonlocal done, due
            done += 1
            resume = None
            # While rows of before are tried again, the point of before stands.
            if done >= start and time.monotonic() >= due:
                due = time.monotonic() + _RESUME_SECONDS
                resume = _resume_point(done, summary)
            run.step(done, resume=resume)

        try:
            importer.run(advance, start=start, again=failed, passed=run.step)
        except jobs.Cancelled:
            _report(run.job, summary)
            run.job.write(result=_told(summary), says=str(summary))
            raise
        _report(run.job, summary)
        run.job.says = str(summary)
        return _told(summary)


@jobs.kind("export", gettext_lazy("Export the catalogue"))
def export_(run: jobs.Run) -> dict[str, Any]:
    """Write the catalogue to a file that the job's page offers."""
    format, site = run.parameters["format"], run.parameters.get("site", "")
    with tempfile.TemporaryFile(prefix="export-") as file:
        done = 0
        run.step(0, total=photos_in_all(), says=_("Exporting…"), at_once=True)

        def advance(photos: int) -> None:
            nonlocal done
            done += photos
            run.step(done)

        try:
            exported = export(file, format, site=site, advance=advance)  # type: ignore[arg-type]  # a file in binary
            file.seek(0)
            with run.kept_alive():  # all photos at once, to wherever the storage is
                run.job.report.save(f"exports/{fresh_name(format)}", File(file), save=False)
        except (OSError, *FAULTS) as error:
            raise jobs.JobError(_("The export was given up: %(error)s") % {"error": error}) from error
        run.job.write(report=run.job.report.name)
        run.job.says = " ".join([f"{exported}.", *exported.notes])[:500]
        return {"photos": exported.photos, "products": exported.products, "notes": exported.notes[:_NAMED]}


@contextmanager
def _source_of(run: jobs.Run) -> Iterator[tuple[CatalogueImport, Source]]:
    """What was sent, on this machine's own disk: storage may be elsewhere.

    :raises JobError: when it cannot be read
    """
    one = CatalogueImport.objects.select_related("pictures").filter(pk=run.parameters["key"]).first()
    if one is None:
        raise jobs.JobError(_("What was sent has been deleted. Send it again."))
    try:
        if not one.file:
            run.step(says=_("Fetching the feed…"), at_once=True)
            _keep_feed(one)
        with tempfile.TemporaryDirectory(prefix="import-") as folder, ExitStack() as opened:
            with run.kept_alive():  # an archive of gigabytes is copied and unpacked
                source = _opened(one, Path(folder), opened)
            yield one, source
    except SourceError as error:
        raise jobs.JobError(str(error)) from error


def _opened(one: CatalogueImport, folder: Path, opened: ExitStack) -> Source:
    """
    :raises JobError, SourceError: when it cannot be read
    """
    try:
        path, archive = _copied(one, folder), one.archive
        files = _copied(archive, folder, "earlier") if archive is not None and archive.pk != one.pk else None
    except FileNotFoundError as error:
        raise jobs.JobError(_("What was sent is missing from storage. Send it again.")) from error
    except (OSError, *FAULTS) as error:
        raise jobs.JobError(_("What was sent cannot be read from storage: %(error)s") % {"error": error}) from error
    return opened.enter_context(open_source(path, alone=True, files=files))


def _keep_feed(one: CatalogueImport) -> None:
    """Fetch a feed once: what is imported is what was checked."""
    data, ending = fetch_feed(one.url)
    one.file.save(f"imports/{fresh_name(ending)}", ContentFile(data), save=False)
    one.save(update_fields=["file"])


def _copied(one: CatalogueImport, folder: Path, prefix: str = "") -> Path:
    """A copy under the name that people know, as far as it is one, with the ending that says what it is."""
    target = folder / f"{prefix}{Path(one.name).stem[:80] or 'catalogue'}.{str(one.file.name).rpartition('.')[2]}"
    with one.file.open("rb") as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
    return target


def _importer(run: jobs.Run, source: Source, *, dry_run: bool) -> Importer:
    one = CatalogueImport.objects.get(pk=run.parameters["key"])
    return Importer(source, currency=one.currency, uploader=run.job.created_by, dry_run=dry_run)


def _resume_point(row: int, summary: Summary) -> dict[str, Any]:
    counts = {name: getattr(summary, name) for name in ("created", "changed", "unchanged")}
    return {"row": row, "counts": counts, "failed": [failure.number for failure in summary.failures]}


def _told(summary: Summary) -> dict[str, Any]:
    """The job's result, for its page."""
    return {
        "created": summary.created,
        "changed": summary.changed,
        "unchanged": summary.unchanged,
        "failed": len(summary.failures),
        "links": summary.links,
        # Names and headings as they were sent may hold characters that PostgreSQL takes in no text.
        "warnings": [cleaned(warning) for warning in summary.warnings[:_NAMED]],
        "more_warnings": max(0, len(summary.warnings) - _NAMED),
        "failures": [
            {"line": one.line, "name": cleaned(one.name[:200]), "reason": cleaned(one.reason[:500])}
            for one in summary.failures[:_NAMED]
        ],
        "rows": [
            {**row._asdict(), "differences": [difference._asdict() for difference in row.differences]}
            for row in summary.previews
        ],
    }


def _report(job: Job, summary: Summary) -> None:
    """A table of the rows that failed: where, why, and all their cells, so that it can be corrected and sent again."""
    if job.report:
        job.report.delete(save=False)
    if summary.failures:
        rows = [_row_of_report(failure) for failure in summary.failures]
        job.report.save(
            f"reports/{fresh_name('csv')}", ContentFile(table(rows, (*REPORT_COLUMNS, "sku", "file"))), save=False
        )
    job.write(report=job.report.name or "")


def _row_of_report(failure: RowFailure) -> dict[str, str]:
    cells = {name: value for name, value in failure.values.items() if name and not name.startswith("\0")}
    if surplus := failure.values.get(SURPLUS):
        cells[SURPLUS_COLUMN] = surplus
    # As they are meant: writing puts the apostrophes of what looks like a formula back.
    return {
        **{name: unguarded(value or "") for name, value in cells.items()},
        "line": str(failure.line),
        "reason": failure.reason,
    }
