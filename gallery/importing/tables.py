"""Reading CSV as programs write it."""

import csv
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from django.utils.translation import gettext as _

from gallery.importing import feeds
from gallery.importing.errors import SourceError
from gallery.importing.rows import COLUMNS, LONGEST_CELL, unknown_columns

SURPLUS = "\0surplus"  # the key of cells beyond the last named column
ENDINGS = (".csv", ".tsv", ".txt")
REPORT_COLUMNS = ("line", "reason")  # of the file of failed rows: it can be corrected and imported as it is
SURPLUS_COLUMN = "surplus"  # of the same file, where a row had more cells than columns: what they held
_DELIMITERS = ",;\t|"
# The longest cell that is read, so that its row can be refused by name; the module's own limit would end the table.
_MOST_CELL = 32 << 20
_limit = threading.Lock()

Values = Mapping[str, str | None]


def read_table(path: Path) -> tuple[list[tuple[int, Values]], list[str]]:
    """Rows with the line that each begins on, and warnings.

    :raises SourceError: when it is no such table
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file, _long_cells():
            return _read(path, file)
    except UnicodeDecodeError as error:
        raise SourceError(_("%(table)s is not UTF-8 text. Save it as CSV UTF-8.") % {"table": path.name}) from error


def _read(path: Path, file: TextIO) -> tuple[list[tuple[int, Values]], list[str]]:
    start = _after_hint(file)
    header = file.readline()
    if header.lstrip().startswith("<"):
        raise SourceError(_("%(table)s is a web page or XML, not a table.") % {"table": path.name})
    file.seek(start)
    # Spreadsheets of countries that write 12,50 separate cells by semicolons.
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.DictReader(file, delimiter=delimiter, restkey=SURPLUS)
    skipped = 1 if start else 0
    try:
        names = [_column(name) for name in reader.fieldnames or []]
        reader.fieldnames = names
        is_feed = feeds.is_merchant(names)
        warnings = [] if is_feed else _judged(path, names)
        rows: list[tuple[int, Values]] = []
        for values in reader:
            if any(values.values()):
                breaks = sum(str(cell).count("\n") for cell in values.values())
                rows.append((reader.line_num + skipped - breaks, _cut(values)))  # the line that the row begins on
    except csv.Error as error:
        raise SourceError(
            _("%(table)s cannot be read after line %(line)d. A quote may be open there, or a cell too long.")
            % {"table": path.name, "line": reader.line_num + skipped}
        ) from error
    if is_feed:
        return feeds.rows_of_items([(line, feeds.of_cells(values)) for line, values in rows])
    return rows, warnings


def _cut(values: Values) -> Values:
    """Of a cell that is too long, as much as gets its row refused: all of them together would not fit in memory.

    Cells beyond the last column become one; being there gets their row refused.
    """
    joined = {name: "; ".join(cell) if isinstance(cell, list) else cell for name, cell in values.items()}
    return {name: cell[: LONGEST_CELL + 1] if cell else cell for name, cell in joined.items()}


def _after_hint(file: TextIO) -> int:
    """Where the table begins: some programs write ``sep=;`` on a line before it."""
    if file.readline().strip().strip('"').lower().startswith("sep="):
        return file.tell()
    file.seek(0)
    return 0


def _judged(path: Path, names: list[str]) -> list[str]:
    missing = [name for name in ("sku", "file") if name not in names]
    if missing:
        raise SourceError(
            _("%(table)s has no column %(missing)s. The first line must name the columns: %(known)s.")
            % {"table": path.name, "missing": ", ".join(missing), "known": ", ".join(COLUMNS)}
        )
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if repeated:
        raise SourceError(
            _("%(table)s names a column twice: %(names)s.") % {"table": path.name, "names": ", ".join(repeated)}
        )
    unknown = [name for name in unknown_columns(names) if name not in (*REPORT_COLUMNS, SURPLUS_COLUMN)]
    return [_("Columns that are not used: %(names)s") % {"names": ", ".join(unknown)}] if unknown else []


def _column(name: str | None) -> str:
    """A heading as we know it; names of attributes keep their capitals."""
    heading = (name or "").strip()
    return heading if heading.startswith("attr:") else heading.lower()


@contextmanager
def _long_cells() -> Iterator[None]:
    """The limit is the whole process's: one table at a time raises it."""
    with _limit:
        usual = csv.field_size_limit(_MOST_CELL)
        try:
            yield
        finally:
            csv.field_size_limit(usual)
