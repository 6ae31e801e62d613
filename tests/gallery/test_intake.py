import io
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import IntegrityError, connection, transaction

from gallery import intake
from gallery.intake import add_image, replace_file
from gallery.models import Image, Product, Rendition
from gallery.renditions import rendition
from gallery.sweep import sweep_files
from gallery.verification import Refused
from tests.catalogue import add_photo, add_product
from tests.gallery import files
from tests.pictures import jpeg

ALIASES = ("originals", "renditions")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def product(db) -> Product:
    return add_product("DRESS", photos=0)


def add(product, data=None, name="front.jpg", **options) -> Image:
    return add_image(product, io.BytesIO(data or jpeg()), name, **options)


def test_the_original_is_kept_bit_for_bit(product, stored):
    data = jpeg() + b"trailing bytes"
    image = add(product, data, "Front view.jpg")
    assert image.original.read() == data
    assert stored() == [image.original.name]
    assert "Front" not in image.original.name
    image.refresh_from_db()
    assert (image.source_name, image.format, image.bytes) == ("Front view.jpg", "jpeg", len(data))
    assert image.notes == ["trailing-data"]
    assert image.status == Image.Status.APPROVED


def test_photos_follow_each_other(product):
    images = [add(product, name=f"{n}.jpg") for n in range(3)]
    assert [image.position for image in images] == [0, 1, 2]
    assert add(product, name="first.jpg", position=0).position == 0
    assert add(product, name="last.jpg").position == 3


def test_equal_names_get_a_number(product):
    names = [add(product, name=name).source_name for name in ("a.jpg", "a.jpg", "a.png", "a.jpg")]
    assert names == ["a.jpg", "a-2.jpg", "a-3.jpg", "a-4.jpg"]


def test_the_same_bytes_may_be_stored_twice(product):
    one, two = add(product), add(add_product("COPY", photos=0))
    assert one.sha256 == two.sha256
    assert one.original.name != two.original.name


def test_a_refused_file_leaves_nothing(product, stored):
    with pytest.raises(Refused):
        add(product, b"not a picture")
    assert not Image.objects.exists()
    assert stored() == []


def test_a_row_that_cannot_be_written_leaves_no_file(product, stored):
    with pytest.raises(IntegrityError):
        add(product, status="unheard of")
    assert not Image.objects.exists()
    assert stored() == []


def test_verification_and_storing_hold_no_transaction(product, monkeypatch):
    """An upload that takes its time must not keep others from writing."""
    seen = []
    verify, save = intake.verify, intake.storages["originals"].save
    monkeypatch.setattr(intake, "verify", lambda *a: (seen.append(connection.in_atomic_block), verify(*a))[1])
    monkeypatch.setattr(
        intake.storages["originals"], "save", lambda *a: (seen.append(connection.in_atomic_block), save(*a))[1]
    )
    add(product)
    assert seen == [False, False]


# --- Replacing ----------------------------------------------------------------------------------------


def test_another_file_takes_the_place_of_the_old_one(product, stored):
    image = add(product, jpeg(color="red"))
    old, revision = image.original.name, image.revision
    rendition(image, "webp", 320)
    assert len(stored("renditions")) == 1

    data = jpeg("square", "blue", size=(300, 400))
    assert replace_file(image, io.BytesIO(data), "whatever.jpg")
    assert stored() == [image.original.name] != [old]
    assert image.original.read() == data
    assert (image.width, image.height, image.swatch, image.source_name) == (300, 400, "blue", "front.jpg")
    assert image.revision == revision + 1
    assert stored("renditions") == []
    assert not Rendition.objects.exists()


def test_the_same_file_changes_nothing(product, stored):
    image = add(product)
    assert not replace_file(image, io.BytesIO(jpeg()), "front.jpg")
    assert stored() == [image.original.name]
    image.refresh_from_db()
    assert image.revision == 1


def test_a_refused_replacement_keeps_what_is_there(product, stored):
    image = add(product)
    with pytest.raises(Refused):
        replace_file(image, io.BytesIO(jpeg()[:500]), "front.jpg")
    image.refresh_from_db()
    assert stored() == [image.original.name]


def test_the_name_follows_the_format(product):
    image = add(product)
    replace_file(image, io.BytesIO(files.of_format("png")), "front.png")
    assert image.source_name == "front.png"


def test_a_rolled_back_replacement_keeps_the_old_file(product, stored):
    image = add(product)
    with pytest.raises(RuntimeError), transaction.atomic():
        replace_file(image, io.BytesIO(jpeg(color="blue")), "front.jpg")
        raise RuntimeError("something later fails")
    image = Image.objects.get()
    assert image.original.read() == jpeg()
    assert image.original.name in stored()


# --- Deleting, and the sweep --------------------------------------------------------------------------


def test_deleting_an_image_deletes_its_files(product, stored):
    image = add(product)
    rendition(image, "webp", 320)
    image.delete()
    assert stored() == stored("renditions") == []


def test_deleting_a_product_deletes_the_files_of_its_images(stored):
    product = add_product("GONE", photos=2)
    for image in product.images.all():
        rendition(image, "jpeg", 640)
    product.delete()
    assert stored() == stored("renditions") == []


def test_a_rolled_back_deletion_deletes_no_file(product, stored):
    image = add(product)
    with pytest.raises(RuntimeError), transaction.atomic():
        image.delete()
        raise RuntimeError("something later fails")
    assert len(stored()) == 1


def test_the_sweep_deletes_only_old_files_without_a_row(product, stored):
    image = add(product)
    made = rendition(image, "webp", 320)
    orphans = [storages[alias].save("00/00/orphan.jpg", ContentFile(b"left by a crash")) for alias in ALIASES]
    assert sweep_files() == 0  # they may be uploads in progress
    yesterday = time.time() - 25 * 3600
    for alias, orphan in zip(ALIASES, orphans, strict=True):
        for name in (orphan, *stored(alias)):
            os.utime(storages[alias].path(name), (yesterday, yesterday))
    assert sweep_files() == 2
    assert stored() == [image.original.name]
    assert stored("renditions") == [made.file.name]


def test_positions_and_names_stay_distinct_under_concurrent_uploads(product):
    def upload(_n: int) -> None:
        try:
            add_photo(product, "circle", "red", "same.jpg")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upload, range(8)))
    assert sorted(product.images.values_list("position", flat=True)) == list(range(8))
    assert product.images.values("source_name").distinct().count() == 8
