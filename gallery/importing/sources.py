"""Where a catalogue comes from: a folder, a CSV with files beside it, or a ZIP of either."""

import csv
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.utils.translation import gettext as _

from gallery.importing.rows import COLUMNS, unknown_columns
from gallery.models.categories import readable_slug

ENDINGS = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".gif", ".tif", ".tiff"}
_JUNK = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}
MOST_MEMBERS = 200_000  # files in one archive
MOST_BYTES = 200 * 1024**3  # unpacked
_CHUNK = 1 << 20


class SourceError(Exception):
    """A source that cannot be read at all; the text says what to do."""


@dataclass
class Source:
    """Rows as text, and the folder that their files are in."""

    root: Path
    rows: list[tuple[int, Mapping[str, str | None]]]  # line in the source and its columns
    warnings: list[str] = field(default_factory=list)

    def file(self, name: str) -> Path:
        """The path of a row's file.

        :raises SourceError: when it is not there, or lies outside the folder
        """
        relative = PurePosixPath(name.replace("\\", "/"))
        path = (self.root / relative).resolve()
        if relative.is_absolute() or not path.is_relative_to(self.root.resolve()):
            raise SourceError(
                _("%(file)s lies outside the catalogue's folder. Put it beside the table.") % {"file": name}
            )
        if not path.is_file():
            raise SourceError(_("%(file)s is not there. Check its name, also capitals.") % {"file": name})
        return path


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
            _unpack(path, Path(folder))
            yield _folder(_only_folder(Path(folder)))
    elif path.suffix.lower() == ".csv":
        yield _table(path)
    else:
        raise SourceError(_("%(path)s is neither a folder nor a CSV or ZIP file.") % {"path": path})


def _folder(root: Path) -> Source:
    """A folder with a ``catalogue.csv`` (or any single CSV), or with pictures whose subfolders are categories."""
    tables = sorted(root.glob("*.csv"))
    named = root / "catalogue.csv"
    if named in tables or len(tables) == 1:
        return _table(named if named in tables else tables[0])
    if tables:
        names = ", ".join(table.name for table in tables)
        raise SourceError(_("There are several tables: %(names)s. Name the one to import.") % {"names": names})
    files = sorted(path for path in root.rglob("*") if path.is_file() and _is_picture(path.relative_to(root)))
    if not files:
        raise SourceError(_("There is no picture in %(path)s.") % {"path": root.name})
    return Source(root, [(n, _row_of_file(path.relative_to(root))) for n, path in enumerate(files, 1)])


def _is_picture(path: Path) -> bool:
    hidden = any(part.startswith(".") or part in _JUNK for part in path.parts)
    return not hidden and path.suffix.lower() in ENDINGS


def _row_of_file(path: Path) -> dict[str, str | None]:
    """A product named after its file: the SKU is the slug of the relative path, subfolders are the category."""
    slug = readable_slug("-".join(path.with_suffix("").parts), max_length=200).encode("ascii", "ignore").decode()
    title = path.stem.replace("_", " ").replace("-", " ").strip() or path.name
    return {
        "sku": slug.strip("-")[-64:] or "photo",
        "file": path.as_posix(),
        "title": title[:1].upper() + title[1:],
        "category": "/".join(path.parts[:-1]),
    }


def _table(path: Path) -> Source:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = [(name or "").strip() for name in reader.fieldnames or []]
            reader.fieldnames = names
            missing = [name for name in ("sku", "file") if name not in names]
            if missing:
                raise SourceError(
                    _("%(table)s has no column %(missing)s. The first line must name the columns: %(known)s.")
                    % {"table": path.name, "missing": ", ".join(missing), "known": ", ".join(COLUMNS)}
                )
            rows = []
            for values in reader:
                values.pop(None, None)  # more cells than columns
                rows.append((reader.line_num, values))
    except UnicodeDecodeError as error:
        raise SourceError(_("%(table)s is not UTF-8 text. Save it as CSV UTF-8.") % {"table": path.name}) from error
    except csv.Error as error:
        raise SourceError(_("%(table)s cannot be read: %(error)s") % {"table": path.name, "error": error}) from error
    source = Source(path.parent, rows)
    if unknown := unknown_columns(names):
        source.warnings.append(_("Columns that are not used: %(names)s") % {"names": ", ".join(unknown)})
    return source


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack pictures and tables only; links, absolute paths and paths that climb out are left out or refused."""
    try:
        with zipfile.ZipFile(archive) as members:
            wanted = [member for member in members.infolist() if _is_wanted(member)]
            if len(wanted) > MOST_MEMBERS or sum(member.file_size for member in wanted) > MOST_BYTES:
                raise SourceError(_("%(path)s unpacks to too much. Split it.") % {"path": archive.name})
            for member in wanted:
                if member.flag_bits & 1:
                    raise SourceError(
                        _("%(path)s is protected by a password. Pack it without one.") % {"path": archive.name}
                    )
                _unpack_member(members, member, folder)
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise SourceError(_("%(path)s is damaged. Pack it again.") % {"path": archive.name}) from error


def _is_wanted(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
    outside = path.is_absolute() or ".." in path.parts
    junk = any(part in _JUNK or part.startswith(".") for part in path.parts)
    return not (member.is_dir() or is_link or outside or junk) and path.suffix.lower() in ENDINGS | {".csv"}


def _unpack_member(members: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    target = folder / PurePosixPath(member.filename.replace("\\", "/"))
    target.parent.mkdir(parents=True, exist_ok=True)
    # A picture over the limit is cut one byte past it: its row is then refused for its size, and says so.
    limit = settings.MAX_IMAGE_BYTES + 1 if target.suffix.lower() in ENDINGS else MOST_BYTES
    with members.open(member) as source, target.open("wb") as copy:
        if limit >= member.file_size:
            shutil.copyfileobj(source, copy, _CHUNK)
        else:
            copy.write(source.read(limit))


def _only_folder(folder: Path) -> Path:
    """Archives often hold one folder that holds everything; then that one is meant."""
    entries = list(folder.iterdir())
    return (
        _only_folder(entries[0])
        if len(entries) == 1
        and entries[0].is_dir()
        and any(path.suffix.lower() == ".csv" for path in entries[0].iterdir())
        else folder
    )
