"""Which image of a product a row means: a row is identified by its SKU and the name of its file."""

import hashlib
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit
from uuid import UUID

from gallery.filenames import clean_name, with_ending
from gallery.importing.bulk import NAMED
from gallery.links.target import is_link
from gallery.models import Image
from gallery.tables.cells import cleaned, unguarded


def source_names(rows: Iterable[tuple[int, Mapping[str, str | None]]]) -> dict[tuple[str, str], str]:
    """The name under which each row's file is known, by (SKU, path).

    It is the file's own name; of files of one SKU that differ only in their folder, the later ones keep the folder in
    theirs: ``back/photo.jpg`` becomes ``back-photo.jpg``. Links that end alike get a number after the whole link.
    """
    names: dict[tuple[str, str], str] = {}
    taken: set[tuple[str, str]] = set()
    for _line, values in rows:
        sku, path = _as_read(values.get("sku")), _as_read(values.get("file"))
        if (sku, path) in names:
            continue
        name = name_of(values.get(NAMED) or path)
        if (sku, name) in taken:
            name = _name_with_origin(path)
        taken.add((sku, name))
        names[sku, path] = name
    return names


def _as_read(cell: str | None) -> str:
    return cleaned(unguarded(cleaned(cell or "")))


def name_of(path: str) -> str:
    """The file's own name, from a path or a link."""
    return clean_name(unquote(urlsplit(path).path)) or "photo" if is_link(path) else clean_name(path)


def _name_with_origin(path: str) -> str:
    if not is_link(path):
        return clean_name(path.replace("\\", "/").replace("/", "-"))
    stem, dot, ending = name_of(path).rpartition(".")
    digest = hashlib.sha256(path.encode()).hexdigest()[:8]
    return f"{stem[:130]}-{digest}.{ending}" if dot else f"{ending[:130]}-{digest}"


def image_of_row(images: Iterable[Image], name: str, sha256: str, others: set[str], claimed: set[UUID]) -> Image | None:
    """The image that came from this row's file before, or None.

    Its stored name may have another ending (after its content) or a number (where that made two names equal).

    :param images: of the row's product
    :param sha256: of the row's file; empty where it is not known
    :param others: names of the files of the product's other rows, whose images are theirs
    :param claimed: keys of images that rows of this import have been matched with
    """
    free = [image for image in images if image.pk not in claimed]
    for image in free:
        if image.source_name == name:
            return image
    free = [image for image in free if image.source_name not in others]
    for image in free:
        if (sha256 and image.sha256 == sha256) or image.source_name == with_ending(name, image.format):
            return image
    return None
