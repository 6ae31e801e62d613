"""Where a catalogue comes from: a folder, a table with files beside it, a ZIP of either, documents, or a feed."""

import hashlib
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gallery.filenames import JUNK
from gallery.importing import bulk, feeds, tables
from gallery.importing.archives import ENDINGS, SPREADSHEETS, fitting, unpack
from gallery.importing.errors import SourceError
from gallery.importing.vectors import Vector
from gallery.links.fetch import fetch

_NAMED = 5  # of files that were left out


def _no_vector(line: int) -> Vector | None:
    return None


@dataclass
class Source:
    """Rows as text, and the folder that their files are in."""

    root: Path
    rows: Sequence[tuple[int, Mapping[str, str | None]]]  # line in the source and its columns
    warnings: list[str] = field(default_factory=list)
    alone: bool = False  # without its files: photos that the catalogue has already stay as they are
    vector: Callable[[int], Vector | None] = _no_vector  # of a line
    scratch: Path | None = None  # a folder for what is fetched

    def file(self, name: str) -> Path:
        """The path of a row's file.

        :raises SourceError: when it is not there, or lies outside the folder
        """
        if path := self.find(name):
            return path
        raise SourceError(_("%(file)s is not there. Check its name, also capitals.") % {"file": name})

    def find(self, name: str) -> Path | None:
        """The path of a row's file, if it is there.

        :raises SourceError: when it lies outside the folder
        """
        relative = fitting(PurePosixPath(name.replace("\\", "/")))
        try:
            path = (self.root / relative).resolve()
            if relative.is_absolute() or not path.is_relative_to(self.root.resolve()):
                raise SourceError(
                    _("%(file)s lies outside the catalogue's folder. Put it beside the table.") % {"file": name}
                )
            return path if path.is_file() else None
        except (OSError, ValueError):
            return None  # a name that the file system does not take: nothing is there under it

    def fetched(self, link: str) -> Path:
        """What a link leads to, until the next one is fetched.

        :raises gallery.links.errors.LinkRefused: when it leads to no picture
        """
        if self.scratch is None:
            raise SourceError(_("Links cannot be followed from here."))
        path = self.scratch / "fetched"
        path.write_bytes(fetch(link).file.getvalue())
        return path


@contextmanager
def open_source(path: Path, *, alone: bool = False, files: Path | None = None) -> Iterator[Source]:
    """Read a folder, a CSV, a ZIP, documents in NDJSON or a feed in XML.

    :param alone: a table came without its files
    :param files: an archive that the files of a table are in, which came earlier
    :raises SourceError: when there is nothing that can be imported
    """
    if not path.exists():
        raise SourceError(_("%(path)s does not exist.") % {"path": path})
    with tempfile.TemporaryDirectory(prefix="import-") as scratch:
        source = _opened(path, Path(scratch), alone)
        if files is not None and source.alone:
            source.root = Path(scratch) / "earlier"
            source.root.mkdir()
            unpack(files, source.root)
            source.root = _only_folder(source.root)
        source.scratch = Path(scratch)
        yield source


def _opened(path: Path, scratch: Path, alone: bool) -> Source:
    ending = path.suffix.lower()
    if path.is_dir():
        return _folder(path)
    if ending in SPREADSHEETS:
        raise _spreadsheet(path)
    if zipfile.is_zipfile(path):
        folder = scratch / "unpacked"
        folder.mkdir()
        left_out = unpack(path, folder)
        source = _folder(_only_folder(folder), path.name)
        if left_out:
            source.warnings.insert(0, _left_out(left_out))
        return source
    if ending == ".zip":
        raise SourceError(_("%(path)s is damaged. Pack it again.") % {"path": path.name})
    # Alone, nothing lies beside it that a row could mean.
    root = scratch if alone else path.parent
    if ending in tables.ENDINGS:
        return _table(path, root, alone)
    if ending == ".xml":
        rows, warnings = feeds.read_xml(path)
        return Source(root, rows, warnings, alone=True)
    if ending in bulk.ENDINGS:
        documents = bulk.BulkFile(path)
        return Source(root, documents.rows, documents.warnings, alone=alone, vector=documents.vector)
    raise SourceError(_("%(path)s is neither a folder nor a CSV, ZIP, NDJSON or XML file.") % {"path": path})


def _table(path: Path, root: Path, alone: bool = False) -> Source:
    rows, warnings = tables.read_table(path)
    return Source(root, rows, warnings, alone=alone)


def _left_out(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    return ngettext(
        "%(count)d file of the archive is a link or lies outside of it, and was left out: %(names)s",
        "%(count)d files of the archive are links or lie outside of it, and were left out: %(names)s",
        len(names),
    ) % {"count": len(names), "names": shown}


def _folder(root: Path, name: str = "") -> Source:
    """A folder with a ``catalogue.csv`` (or any single CSV), or with pictures whose subfolders are categories."""
    beside = sorted(path for path in root.iterdir() if not path.name.startswith((".", "~$")) and path.is_file())
    found = [path for path in beside if path.suffix.lower() == ".csv"]
    named = [path for path in found if path.name.lower() == "catalogue.csv"]
    if len(named or found) == 1:
        return _table((named or found)[0], root)
    if found:
        names = ", ".join(table.name for table in found)
        raise SourceError(_("There are several tables: %(names)s. Name the one to import.") % {"names": names})
    for path in beside:
        if path.suffix.lower() in SPREADSHEETS:
            raise _spreadsheet(path)
    files = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    pictures = [path for path in files if _is_picture(path)]
    if not pictures:
        raise SourceError(_("There is no picture in %(path)s.") % {"path": name or root.name})
    skus: set[str] = set()
    rows = [(n, _row_of_file(path, skus)) for n, path in enumerate(pictures, 1)]
    others = sum(not _is_hidden(path) for path in files) - len(pictures)
    return Source(root, rows, [_("Files that are no pictures: %(count)d") % {"count": others}] if others else [])


def _spreadsheet(path: Path) -> SourceError:
    return SourceError(_("%(path)s is a spreadsheet. Save it as CSV UTF-8 and choose that.") % {"path": path.name})


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


def _only_folder(folder: Path) -> Path:
    """Archives often hold one folder that holds everything; one with a table or with subfolders is meant itself."""
    entries = list(folder.iterdir())
    if len(entries) == 1 and entries[0].is_dir():
        inner = entries[0]
        if any(path.is_dir() or path.suffix.lower() in (".csv", *SPREADSHEETS) for path in inner.iterdir()):
            return inner
    return folder
