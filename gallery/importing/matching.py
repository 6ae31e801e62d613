"""Which image of a product a row means: a row is identified by its SKU and the name of its file."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from gallery.filenames import clean_name, with_ending
from gallery.models import Image


def source_names(rows: Iterable[tuple[int, Mapping[str, str | None]]]) -> dict[tuple[str, str], str]:
    """The name under which each row's file is known, by (SKU, path).

    It is the file's own name; of files of one SKU that differ only in their folder, the later ones keep the folder in
    theirs: ``back/photo.jpg`` becomes ``back-photo.jpg``.
    """
    names: dict[tuple[str, str], str] = {}
    taken: set[tuple[str, str]] = set()
    for _line, values in rows:
        sku, path = (values.get("sku") or "").strip(), (values.get("file") or "").strip()
        if (sku, path) in names:
            continue
        name = clean_name(path)
        if (sku, name) in taken:
            name = clean_name(path.replace("\\", "/").replace("/", "-"))
        taken.add((sku, name))
        names[sku, path] = name
    return names


def image_of_row(images: Iterable[Image], name: str, sha256: str, others: set[str], claimed: set[UUID]) -> Image | None:
    """The image that came from this row's file before, or None.

    Its stored name may have another ending (after its content) or a number (where that made two names equal).

    :param images: of the row's product
    :param others: names of the files of the product's other rows, whose images are theirs
    :param claimed: keys of images that rows of this import have been matched with
    """
    free = [image for image in images if image.pk not in claimed]
    for image in free:
        if image.source_name == name:
            return image
    free = [image for image in free if image.source_name not in others]
    for image in free:
        if image.sha256 == sha256 or image.source_name == with_ending(name, image.format):
            return image
    return None
