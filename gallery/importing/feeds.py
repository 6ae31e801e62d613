"""Product feeds in the columns of Google Merchant: a table, or XML (RSS and Atom) with its namespace."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.parsers import expat

from django.utils.translation import gettext as _

from gallery.importing.errors import SourceError
from gallery.models.categories import joined_path
from gallery.tables.cells import guarded, joined

NAMESPACE = "http://base.google.com/ns/1.0"
_SEPARATOR = " "  # between a namespace and a name, as expat gives them
_ITEMS = ("item", "entry")
_MOST_TEXT = 200_000  # characters of one element that are kept: its row is refused for fewer
_MOST_ITEMS = 500_000
_ATTRIBUTES = ("color", "size", "material", "pattern", "gender", "age_group", "condition")
_USED = {
    "id", "title", "description", "link", "image_link", "additional_image_link", "availability", "price", "brand",
    "product_type", "google_product_category", *_ATTRIBUTES,
}  # fmt: skip
_AVAILABLE = {"in_stock", "out_of_stock", "preorder", "backorder"}

Item = Mapping[str, list[str]]  # name of a column, underscored → its values
Row = tuple[int, Mapping[str, str | None]]


def is_merchant(names: Iterable[str]) -> bool:
    """Whether these headings are of a feed, and not of a table of our own."""
    columns = {_name(name) for name in names}
    return "sku" not in columns and {"id", "image_link"} <= columns


def of_cells(values: Mapping[str, str | None]) -> Item:
    """An item from the cells of a table; several pictures stand in one cell, separated by commas."""
    item: dict[str, list[str]] = {}
    for heading, cell in values.items():
        name = _name(heading)
        text = cell.strip() if isinstance(cell, str) else ""
        if text and name == "additional_image_link":
            item.setdefault(name, []).extend(re.split(r",\s*(?=https?://)", text))
        elif text:
            item.setdefault(name, []).append(text)
    return item


def read_xml(path: Path) -> tuple[list[Row], list[str]]:
    """The rows of a feed in XML, and warnings. Entities and document types are refused: a feed needs neither.

    :raises SourceError: when it is damaged, or no feed
    """
    reader = _Reader(path.name)
    with path.open("rb") as file:
        try:
            reader.parser.ParseFile(file)
        except expat.ExpatError as error:
            raise SourceError(
                _("%(name)s is not a feed that can be read: line %(line)d is not XML.")
                % {"name": path.name, "line": error.lineno}
            ) from error
    if not reader.items:
        raise SourceError(
            _("There is no item in %(name)s. A feed has an item or entry for each product.") % {"name": path.name}
        )
    return rows_of_items(reader.items)


def rows_of_items(items: Iterable[tuple[int, Item]]) -> tuple[list[Row], list[str]]:
    """Rows of our own columns: one for an item's picture, and one for each additional one. And warnings."""
    rows: list[Row] = []
    unused: set[str] = set()
    for line, item in items:
        unused |= item.keys() - _USED
        cells = _cells_of(item)
        links = [_only(item, "image_link"), *item.get("additional_image_link", [])]
        rows += [(line, cells | {"file": link.strip()}) for link in links]
    warnings = [_("Columns that are not used: %(names)s") % {"names": ", ".join(sorted(unused))}] if unused else []
    return rows, warnings


def _cells_of(item: Item) -> dict[str, str | None]:
    availability = _only(item, "availability").lower().replace(" ", "_").replace("-", "_")
    cells: dict[str, str | None] = {
        "sku": _only(item, "id"),
        "title": _only(item, "title"),
        "description": _only(item, "description"),
        "category": _category(item),
        "brand": _only(item, "brand"),
        "price": _only(item, "price"),
        "availability": {"pre_order": "preorder", "back_order": "backorder"}.get(availability, availability),
        "link": _only(item, "link"),
    }
    for name in _ATTRIBUTES:
        values = [part for value in item.get(name, []) for part in re.split(r"[/,]", value)]
        if values:
            cells[f"attr:{name}"] = joined(values)
    return {column: guarded(text or "") for column, text in cells.items()}


def _only(item: Item, name: str) -> str:
    """The first value; a feed that repeats a column means the first."""
    return item[name][0].strip() if item.get(name) else ""


def _category(item: Item) -> str:
    """``Home > Garden > Chairs``, of the shop's own types or else of Google's; a number of Google's says nothing."""
    for name in ("product_type", "google_product_category"):
        text = _only(item, name)
        if text and not text.isdecimal():
            return joined_path(step.strip() for step in text.split(">"))
    return ""


def _name(heading: str) -> str:
    return heading.strip().lower().removeprefix("g:").replace(" ", "_")


class _Reader:
    """Collects items while expat reads. Elements inside an item's elements (shipping, tax) are not looked at."""

    def __init__(self, name: str):
        self.name = name
        self.items: list[tuple[int, dict[str, list[str]]]] = []
        self.parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self._depth = 0
        self._item_depth = 0  # 0: outside of items
        self._line = 0
        self._item: dict[str, list[str]] = {}
        self._text: list[str] = []
        self._length = 0

    def _refuse(self, doctype: str, *args: object) -> None:
        if str(doctype).lower() == "html":
            raise SourceError(_("%(name)s is a web page, not a feed.") % {"name": self.name})
        raise SourceError(
            _("%(name)s declares a document type or entities, which feeds do not need. Export it without them.")
            % {"name": self.name}
        )

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        name = _local(tag)
        if self._depth == 1 and name == "html":
            raise SourceError(_("%(name)s is a web page, not a feed.") % {"name": self.name})
        if not self._item_depth and name in _ITEMS:
            if len(self.items) >= _MOST_ITEMS:
                raise SourceError(_("%(name)s has too many items. Split it.") % {"name": self.name})
            self._item_depth, self._line, self._item = self._depth, self.parser.CurrentLineNumber, {}
        elif self._item_depth and self._depth == self._item_depth + 1:
            self._text, self._length = [], 0
            if name == "link" and "href" in attributes:  # Atom
                self._characters(attributes["href"])

    def _end(self, tag: str) -> None:
        if self._item_depth and self._depth == self._item_depth + 1:
            text = "".join(self._text).strip()
            if text:
                self._item.setdefault(_local(tag), []).append(text)
        elif self._depth == self._item_depth:
            self.items.append((self._line, self._item))
            self._item_depth = 0
        self._depth -= 1

    def _characters(self, text: str) -> None:
        inside = self._item_depth and self._depth == self._item_depth + 1
        if inside and self._length <= _MOST_TEXT:
            self._length += len(text)
            self._text.append(text)


def _local(tag: str) -> str:
    """The name without its namespace. Feeds mix the namespace's elements with plain ones of RSS and Atom."""
    name = tag.rpartition(_SEPARATOR)[2]
    return {"summary": "description", "content": "description"}.get(name, name)
