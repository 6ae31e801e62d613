"""Where a catalogue comes from: a folder, a CSV with files beside it, or a ZIP of either."""

import csv
import hashlib
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TextIO

from django.utils.text import slugify
from django.utils.translation import gettext as _

from gallery.importing.archives import ENDINGS, JUNK, unpack
from gallery.importing.errors import SourceError
from gallery.importing.rows import COLUMNS, unknown_columns

SURPLUS = "\0surplus"  # the key of cells beyond the last named column


@dataclass
class Source:
    """Rows as text, and the folder that their files are in."""

    root: Path
    rows: Sequence[tuple[int, Mapping[str, str | None]]]  # line in the source and its columns
    warnings: list[str] = field(default_factory=list)

    def file(self, name: str) -> Path:
        """The path of a row's file.

        :raises SourceError: when it is not there, or lies outside the folder
        """
        relative = PurePosixPath(name.replace("\\", "/"))
        try:
            path = (self.root / relative).resolve()
            if relative.is_absolute() or not path.is_relative_to(self.root.resolve()):
                raise SourceError(
                    _("%(file)s lies outside the catalogue's folder. Put it beside the table.") % {"file": name}
                )
            if path.is_file():
                return path
        except (OSError, ValueError):
            pass  # a name that the file system does not take: nothing is there under it
        raise SourceError(_("%(file)s is not there. Check its name, also capitals.") % {"file": name})


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Read a folder, a CSV or a ZIP.

    :raises SourceError: when there is nothing that can be imported
    """
    if not path.exists():
        raise SourceError(_("%(path)s does not exist.") % {"path": path})
    if path.is_dir():
        yield _folder(path)
    elif zipfile.is_zipfile(path):
        with tempfile.TemporaryDirectory(prefix="import-") as folder:
            unpack(path, Path(folder))
            yield _folder(_only_folder(Path(folder)), path.name)
    elif path.suffix.lower() in (".csv", ".tsv", ".txt"):
        yield _table(path)
    elif path.suffix.lower() == ".zip":
        raise SourceError(_("%(path)s is damaged. Pack it again.") % {"path": path.name})
    else:
        raise SourceError(_("%(path)s is neither a folder nor a CSV or ZIP file.") % {"path": path})


def _folder(root: Path, name: str = "") -> Source:
    """A folder with a ``catalogue.csv`` (or any single CSV), or with pictures whose subfolders are categories."""
    tables = sorted(root.glob("*.csv"))
    named = root / "catalogue.csv"
    if named in tables or len(tables) == 1:
        return _table(named if named in tables else tables[0])
    if tables:
        names = ", ".join(table.name for table in tables)
        raise SourceError(_("There are several tables: %(names)s. Name the one to import.") % {"names": names})
    files = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    pictures = [path for path in files if _is_picture(path)]
    if not pictures:
        raise SourceError(_("There is no picture in %(path)s.") % {"path": name or root.name})
    skus: set[str] = set()
    rows = [(n, _row_of_file(path, skus)) for n, path in enumerate(pictures, 1)]
    others = sum(not _is_hidden(path) for path in files) - len(pictures)
    return Source(root, rows, [_("Files that are no pictures: %(count)d") % {"count": others}] if others else [])


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") or part in JUNK for part in path.parts)


def _is_picture(path: Path) -> bool:
    return not _is_hidden(path) and path.suffix.lower() in ENDINGS


def _row_of_file(path: Path, skus: set[str]) -> dict[str, str | None]:
    """A product named after its file; subfolders are the category."""
    title = path.stem.replace("_", " ").replace("-", " ").strip() or path.name
    return {
        "sku": _sku_of_path(path, skus),
        "file": path.as_posix(),
        "title": (title[:1].upper() + title[1:])[:200],
        "category": "/".join(path.parts[:-1]),
    }


def _sku_of_path(path: Path, skus: set[str]) -> str:
    """The slug of the relative path; where that loses letters, is too long or is taken, a hash of the path ends it."""
    whole = "-".join(path.with_suffix("").parts)
    slug = slugify(whole).strip("-_")
    if not whole.isascii() or not slug or len(slug) > 64 or slug in skus:
        digest = hashlib.sha256(path.as_posix().encode("utf-8", "surrogatepass")).hexdigest()[:10]
        slug = f"{slug[:53].strip('-_')}-{digest}".strip("-")
    skus.add(slug)
    return slug


def _table(path: Path) -> Source:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _read_table(path, file)
    except UnicodeDecodeError as error:
        raise SourceError(_("%(table)s is not UTF-8 text. Save it as CSV UTF-8.") % {"table": path.name}) from error
    except csv.Error as error:
        raise SourceError(_("%(table)s cannot be read: %(error)s") % {"table": path.name, "error": error}) from error


def _read_table(path: Path, file: TextIO) -> Source:
    header = file.readline()
    file.seek(0)
    # Spreadsheets of countries that write 12,50 separate cells by semicolons.
    delimiter = max(",;\t", key=header.count)
    reader = csv.DictReader(file, delimiter=delimiter, restkey=SURPLUS)
    names = [_column(name) for name in reader.fieldnames or []]
    reader.fieldnames = names
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
    rows: list[tuple[int, Mapping[str, str | None]]] = []
    for values in reader:
        if any(values.values()):
            breaks = sum(str(cell).count("\n") for cell in values.values())
            rows.append((reader.line_num - breaks, values))  # the line that the row begins on
    unknown = unknown_columns(names)
    return Source(
        path.parent,
        rows,
        [_("Columns that are not used: %(names)s") % {"names": ", ".join(unknown)}] if unknown else [],
    )


def _column(name: str | None) -> str:
    """A heading as we know it; names of attributes keep their capitals."""
    heading = (name or "").strip()
    return heading if heading.startswith("attr:") else heading.lower()


def _only_folder(folder: Path) -> Path:
    """Archives often hold one folder that holds everything; one with a table or with subfolders is meant itself."""
    entries = list(folder.iterdir())
    if len(entries) == 1 and entries[0].is_dir():
        inner = entries[0]
        if any(path.is_dir() or path.suffix.lower() == ".csv" for path in inner.iterdir()):
            return inner
    return folder
