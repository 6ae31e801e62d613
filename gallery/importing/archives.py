"""Unpacking a ZIP that somebody sent: only pictures and tables, only into its own folder, only as much as fits."""

import hashlib
import lzma
import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.utils.translation import gettext as _

from gallery.filenames import JUNK
from gallery.importing.errors import SourceError

SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")
ENDINGS = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".gif", ".tif", ".tiff"}
MOST_MEMBERS = 200_000
_MOST_TABLE_BYTES = 1 << 30
# Pictures hardly shrink in an archive: what unpacks to this many times its size was made to fill disks.
_MOST_GROWTH = 100
_SMALL = 1 << 28  # bytes; below it growth does no harm
_CHUNK = 1 << 20
_LONGEST_NAME = 255  # bytes of one step of a path, as file systems have it
_IS_UTF8 = 0x800
_IS_ENCRYPTED = 0x1


def unpack(archive: Path, folder: Path) -> list[str]:
    """Unpack pictures and tables; links, absolute paths and paths that climb out of the folder are left out.

    :return: the names of those that were left out
    :raises SourceError: when the archive is damaged, protected by a password, or unpacks to too much
    """
    try:
        with zipfile.ZipFile(archive) as members:
            wanted = {_path_of(member): member for member in members.infolist() if _is_wanted(member)}
            _check_size(archive, folder, list(wanted.values()))
            for path, member in wanted.items():
                if member.flag_bits & _IS_ENCRYPTED:
                    raise SourceError(
                        _("%(path)s is protected by a password. Pack it without one.") % {"path": archive.name}
                    )
                _unpack_member(members, member, folder / fitting(path))
            return [str(_path_of(member)) for member in members.infolist() if _is_unsafe(member)]
    except OSError as error:
        raise SourceError(
            _("%(path)s cannot be unpacked: %(error)s") % {"path": archive.name, "error": error.strerror or error}
        ) from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, ValueError) as error:
        raise SourceError(_("%(path)s is damaged. Pack it again.") % {"path": archive.name}) from error


def fitting(path: PurePosixPath) -> PurePosixPath:
    """Where a member of this path lies when it is unpacked.

    A name of 90 Chinese characters, which Windows takes, is too long for other systems: it is shortened, and stays
    distinct.
    """
    return PurePosixPath(*(_fitting_step(step) for step in path.parts))


def _fitting_step(step: str) -> str:
    raw = step.encode("utf-8", "surrogatepass")
    if len(raw) <= _LONGEST_NAME:
        return step
    ending = PurePosixPath(step).suffix
    return hashlib.sha256(raw).hexdigest() + (ending if len(ending) <= 8 else "")


def _check_size(archive: Path, folder: Path, members: list[zipfile.ZipInfo]) -> None:
    size = sum(member.file_size for member in members)
    bomb = size > _SMALL and size > _MOST_GROWTH * archive.stat().st_size
    if bomb or len(members) > MOST_MEMBERS or size > shutil.disk_usage(folder).free * 0.9:
        raise SourceError(
            _("%(path)s unpacks to more than fits here. Split it, or import the folder.") % {"path": archive.name}
        )


def _path_of(member: zipfile.ZipInfo) -> PurePosixPath:
    """The member's path. Archives of older systems do not say how they write names: UTF-8 is tried, then Chinese."""
    name = member.filename
    if not member.flag_bits & _IS_UTF8 and not name.isascii():
        raw = name.encode("cp437", "replace")  # what zipfile takes undeclared names for
        for encoding in ("utf-8", "gb18030"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return PurePosixPath(name.replace("\\", "/"))


def _is_wanted(member: zipfile.ZipInfo) -> bool:
    path = _path_of(member)
    junk = any(part in JUNK or part.startswith(".") for part in path.parts)
    # Spreadsheets come along to be refused by name: without its table, a catalogue would be a folder of pictures.
    known = path.suffix.lower() in ENDINGS.union({".csv"}, SPREADSHEETS)
    return known and not (member.is_dir() or junk or _is_unsafe(member))


def _is_unsafe(member: zipfile.ZipInfo) -> bool:
    """Whether it is a link, or would lie outside of the folder."""
    path = _path_of(member)
    is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
    return is_link or path.is_absolute() or ".." in path.parts or bool(path.parts and ":" in path.parts[0])


def _unpack_member(members: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # A picture over the limit is cut one byte past it: its row is then refused for its size, and says so.
    limit = settings.MAX_IMAGE_BYTES + 1 if target.suffix.lower() in ENDINGS else _MOST_TABLE_BYTES
    with members.open(member) as source, target.open("wb") as copy:
        if member.file_size <= limit:
            shutil.copyfileobj(source, copy, _CHUNK)
        else:
            copy.write(source.read(limit))
