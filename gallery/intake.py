"""Taking files in: verify and store first, outside any transaction; then the row; a failure leaves nothing behind."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from django.core.files import File
from django.core.files.storage import storages
from django.db import transaction
from django.utils import timezone

from gallery.filenames import ending_of, with_ending
from gallery.models import Image, Product, User
from gallery.reasons import TAKEN_DOWN_BEFORE
from gallery.storage import delete_after_commit, fresh_name
from gallery.verification import Facts, verify


@dataclass(frozen=True)
class StoredFile:
    """An original in private storage that no row names yet."""

    name: str
    facts: Facts


@contextmanager
def stored_original(file: BinaryIO, name: str, facts: Facts | None = None) -> Iterator[StoredFile]:
    """Verify a file and store it bit for bit; it is deleted again if the body fails.

    :param facts: of this very file, where it has been verified already
    :raises gallery.verification.Refused: nothing has been stored then
    """
    facts = facts or verify(file, name)
    storage = storages["originals"]
    stored = storage.save(fresh_name(ending_of(facts.format)), File(file))
    try:
        yield StoredFile(stored, facts)
    except BaseException:
        storage.delete(stored)
        raise


def add_image(
    product: Product,
    file: BinaryIO,
    name: str,
    *,
    uploader: User | None = None,
    status: str | None = None,
    position: int | None = None,
    alt_text: str = "",
) -> Image:
    """Verify, store and record one photograph of a product, after its other ones unless a position is given.

    :raises gallery.verification.Refused: when the file is not taken; no row and no file is left behind
    """
    with stored_original(file, name) as stored:
        return record_image(product, stored, uploader=uploader, status=status, position=position, alt_text=alt_text)


@transaction.atomic
def record_image(
    product: Product,
    stored: StoredFile,
    *,
    uploader: User | None = None,
    status: str | None = None,
    position: int | None = None,
    alt_text: str = "",
    reserved: Collection[str] = (),
    replaces: Image | None = None,
) -> Image:
    """The row of a stored file. Called inside ``stored_original``, so that a row that fails takes its file along.

    What would be approved is rejected where this very file was taken down before: a moderator may approve it.

    :param reserved: names that it must not get, as other files of the product will
    :param replaces: the image that it is to take the place of once it is approved
    """
    # One photograph of a product at a time, so that positions and names stay distinct.
    Product.objects.select_for_update().get(pk=product.pk)
    siblings = dict(product.images.values_list("source_name", "position"))
    image = Image(
        product=product,
        source_name=free_name(stored.facts.name, {*siblings, *reserved}),
        position=max(siblings.values(), default=-1) + 1 if position is None else position,
        alt_text=alt_text,
        status=status or Image.Status.APPROVED,
        uploader=uploader,
        replaces=replaces,
    )
    _take_facts(image, stored)
    if image.status == Image.Status.APPROVED and Image.objects.was_taken_down(image.sha256):
        image.status, image.status_reason = Image.Status.REJECTED, TAKEN_DOWN_BEFORE
        image.moderated_at = timezone.now()
    image.save(force_insert=True)
    return image


def replace_file(image: Image, file: BinaryIO, name: str) -> bool:
    """Give an image another file; its old one and its renditions go once that is committed.

    :return: False when the bytes are the same, and nothing was changed
    :raises gallery.verification.Refused: the image keeps the file that it has
    """
    facts = verify(file, name)
    if facts.sha256 == image.sha256:
        return False
    with stored_original(file, name, facts) as stored:
        record_replacement(image, stored)
    return True


@transaction.atomic
def record_replacement(image: Image, stored: StoredFile) -> None:
    """Point an image at a stored file. Called inside ``stored_original``."""
    current = Image.objects.select_for_update().get(pk=image.pk)
    delete_after_commit(current.original)
    for rendition in current.renditions.all():
        rendition.delete()
    _take_facts(current, stored)
    siblings = set(current.product.images.exclude(pk=current.pk).values_list("source_name", flat=True))
    current.source_name = free_name(with_ending(current.source_name, current.format), siblings)
    current.revision += 1
    current.save()
    image.refresh_from_db()


def _take_facts(image: Image, stored: StoredFile) -> None:
    image.original.name = stored.name
    image.original_missing_at = None
    for name in (
        "format", "bytes", "width", "height", "frames", "orientation",
        "has_alpha", "sha256", "perceptual_hash", "sharpness", "swatch", "colors", "notes",
    ):  # fmt: skip
        setattr(image, name, getattr(stored.facts, name))


def free_name(name: str, taken: set[str]) -> str:
    """The name, or the name with the first number that is not taken: ``photo-2.jpg``."""
    if name not in taken:
        return name
    stem, _dot, ending = name.rpartition(".")
    number = 2
    while (candidate := f"{stem[:140]}-{number}.{ending}") in taken:
        number += 1
    return candidate
