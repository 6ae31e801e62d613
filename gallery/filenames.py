"""File names that strangers chose: cleaned, shortened, with the ending that their content has."""

import re
import unicodedata

LONGEST_NAME = 150
JUNK = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}  # what systems leave in folders and archives
_LONGEST_ENDING = 8
_ENDINGS = {
    "jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "png": ("png",),
    "webp": ("webp",),
    "avif": ("avif",),
    "gif": ("gif",),
    "tiff": ("tif", "tiff"),
    "heic": ("heic", "heif"),
}
FORMATS = tuple(_ENDINGS)
_FORBIDDEN = re.compile(r'[<>:"|?*%&;`$\'{}\\]+')


def base_name(name: str) -> str:
    """The last part of a path, in the notation of any system."""
    return name.replace("\\", "/").rpartition("/")[2]


def clean_name(name: str) -> str:
    """A name without folders, control and direction marks or characters that are special to shells and pages.

    It may be empty: some names are nothing else.
    """
    text = unicodedata.normalize("NFC", base_name(name))
    # Category C: control characters, marks that reverse the direction of writing, surrogates, unassigned ones.
    text = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    text = re.sub(r"\s+", " ", _FORBIDDEN.sub("-", text)).strip(" .-")
    stem, dot, ending = text.rpartition(".")
    if not dot or len(ending) > _LONGEST_ENDING:
        return text[:LONGEST_NAME].rstrip(" .-")
    return f"{stem[: LONGEST_NAME - len(ending) - 1].rstrip(' .-')}.{ending}"


def with_ending(name: str, format: str) -> str:
    """The name with an ending that fits the format; one that fits already is kept."""
    stem, dot, ending = name.rpartition(".")
    if dot and ending.lower() in _ENDINGS[format]:
        return name
    known = dot and ending.lower() in {known for endings in _ENDINGS.values() for known in endings}
    stem = (stem if known else name) or "photo"
    proper = _ENDINGS[format][0]
    return f"{stem[: LONGEST_NAME - len(proper) - 1]}.{proper}"


def ending_of(format: str) -> str:
    """The usual ending of a format, without the dot."""
    return _ENDINGS[format][0]
