"""How values are written in the cells of a table, and read from them: what is written here is read as the same.

Spreadsheets take a cell that begins with ``=``, ``+``, ``-``, ``@`` (East Asian ones also with their wide forms), a tab
or a line end for a formula, and run it.
Such a cell gets an apostrophe in front, which is taken off again on reading; so does one that begins so already.
"""

import re
from collections.abc import Iterable

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")  # and halves of characters
_STARTS = r"[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]"
_FORMULA = re.compile(rf"'*{_STARTS}")
_GUARDED = re.compile(rf"'+{_STARTS}")
_ESCAPED = re.compile(r"\\([\\;])")
_SEPARATOR = re.compile(r"(?<!\\)((?:\\\\)*);")


def cleaned(text: str) -> str:
    """Text as a cell, and a database, can hold it: no control characters, no white space around it."""
    return CONTROL.sub("", text).strip()


def guarded(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """What ``guarded`` was given."""
    return text[1:] if _GUARDED.match(text) else text


def joined(values: Iterable[object]) -> str:
    """Several values in one cell, separated by semicolons; a semicolon of their own gets a backslash in front."""
    texts = (cleaned(str(value)) for value in values)
    return ";".join(re.sub(r"([\\;])", r"\\\1", text) for text in texts if text)


def split(cell: str) -> list[str]:
    """The values of a cell, each once. A backslash before anything but a semicolon or a backslash is itself."""
    marked = _SEPARATOR.sub("\\1\0", cell)  # no cell holds this character
    values = (_ESCAPED.sub(r"\1", value).strip() for value in marked.split("\0"))
    return list(dict.fromkeys(value for value in values if value))
