"""Documents in the form of Elasticsearch's ``_bulk``: a line that says what to do, and a line that says with what."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from gallery.importing.errors import SourceError
from gallery.importing.rows import COLUMNS, LONGEST_CELL, unknown_columns
from gallery.importing.vectors import Vector
from gallery.tables.cells import guarded, joined

ENDINGS = (".ndjson", ".jsonl", ".json")
_LONGEST_LINE = 4 << 20  # bytes
_ACTIONS = ("index", "create")
_OTHER_ACTIONS = ("delete", "update")
_OF_THE_VECTOR = ("image_url", "image_vector", "image_vector_parts", "encoder")
NAMED = "\0named"  # the column with the name of a file that is fetched by a link
_UNREADABLE = "\0unreadable"  # the column that says what is wrong with a line
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # JSON can name them; no database takes them

Row = tuple[int, dict[str, str | None]]


class BulkFile:
    """Rows from documents; vectors stay in the file until their row's turn, as all together may not fit in memory."""

    def __init__(self, path: Path):
        """:raises SourceError: when it is no such file"""
        self.path = path
        self.rows: list[Row] = []
        self.warnings: list[str] = []
        self._vectors: dict[int, int] = {}  # line → where it begins
        self._unknown: dict[str, None] = {}
        self._key = ""
        self._read()

    def vector(self, line: int) -> Vector | None:
        if line not in self._vectors:
            return None
        with self.path.open("rb") as file:
            file.seek(self._vectors[line])
            document = json.loads(file.readline())
        return Vector(document.get("encoder"), document["image_vector"], document.get("image_vector_parts"))

    def _read(self) -> None:
        number = 0
        with self.path.open("rb") as file:
            while True:
                number, begins = number + 1, file.tell()
                line = file.readline(_LONGEST_LINE + 1)
                if not line:
                    break
                if len(line) > _LONGEST_LINE:
                    self._leave(file, number, line)
                elif line.strip():
                    self._take(number, begins, line.removeprefix(b"\xef\xbb\xbf"))
        if not self.rows:
            raise SourceError(
                _("There is no document in %(name)s. Each stands on a line, after a line such as %(action)s.")
                % {"name": self.path.name, "action": '{"index": {}}'}
            )
        if self._unknown:
            self.warnings.append(_("Columns that are not used: %(names)s") % {"names": ", ".join(self._unknown)})

    def _leave(self, file: BinaryIO, number: int, line: bytes) -> None:
        """Go on behind a line that is too long to be looked at; a file that begins with one is none of documents."""
        reason = _("Line %(line)d of %(name)s is too long. Each document stands on a line of its own.") % {
            "line": number,
            "name": self.path.name,
        }
        if number == 1:
            raise SourceError(reason)
        while line and not line.endswith(b"\n"):
            line = file.readline(_LONGEST_LINE)
        self._refuse(number, reason)

    def _refuse(self, number: int, reason: str) -> None:
        self.rows.append((number, {_UNREADABLE: reason}))
        self._key = ""

    def _take(self, number: int, begins: int, line: bytes) -> None:
        try:
            document = json.loads(line)
        except ValueError as error:
            if not self.rows:
                raise SourceError(
                    _("%(name)s is not NDJSON: line %(line)d cannot be read.")
                    % {"name": self.path.name, "line": number}
                ) from error
            document = None
        except RecursionError:
            document = None
        if not isinstance(document, dict):
            self._refuse(number, _("The line is no JSON object."))
            return
        if len(document) == 1 and isinstance(action := next(iter(document.values())), dict):
            name = next(iter(document))
            if name in _ACTIONS:
                self._key = _text(action.get("_id") or "")
                return
            if name in _OTHER_ACTIONS:
                self._refuse(number, _("Only index and create are taken, not %(name)s.") % {"name": name})
                return
        self.rows.append((number, self._cells(document)))
        if document.get("image_vector") is not None:
            self._vectors[number] = begins
        self._key = ""

    def _cells(self, document: Mapping[str, Any]) -> dict[str, str | None]:
        columns = [name if name.startswith("attr:") else name.lower() for name in map(_text, document)]
        for name in unknown_columns(columns):
            if name not in _OF_THE_VECTOR:
                self._unknown[name] = None
        cells: dict[str, str | None] = {}
        for name, value in zip(columns, document.values(), strict=True):
            if name == "price" and isinstance(value, float):
                value = f"{value:.2f}"  # 1.234 is a number here, and not one of those that may mean two
            if name in COLUMNS or ":" in name:
                cells[name] = guarded(_text(value)[: LONGEST_CELL + 1])  # one more, and its row is refused
        cells.setdefault("sku", guarded(self._key))
        if link := document.get("image_url"):
            cells[NAMED], cells["file"] = cells.get("file"), _text(link)
        return cells


def unreadable(values: Mapping[str, str | None]) -> str:
    """What is wrong with the line that these are of; empty where nothing is."""
    return values.get(_UNREADABLE) or ""


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = joined(value) if isinstance(value, list) else str(value)
    return _HALF_CHARACTER.sub("\ufffd", text)
