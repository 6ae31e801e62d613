"""Rows are locked in one order, so that nobody waits in a circle. SQLite has no locks of rows: there it only runs."""

import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.db.models import Model

from gallery.contributions import replace
from gallery.keys import new_key
from gallery.merging import merge_products
from gallery.models import Decision, Image, UploadGroup
from search.duplicates import deciding
from search.models import DuplicatePair
from tests.catalogue import add_photo, add_product
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db(transaction=True)

Case = tuple[Model, list[Model], Callable[[], object]]


def in_order(images) -> list[Image]:
    return sorted(images, key=lambda image: image.pk)


def turned(product) -> list[Image]:
    """The product's photos by their keys; their places are the other way round."""
    keys = in_order(product.images.all())
    product.arrange([image.pk for image in reversed(keys)])
    return keys


def of_a_merge(staff, moderator, shopper) -> Case:
    dropped, kept = add_product("DROPPED", photos=2), add_product("KEPT", "square", photos=2)
    photos = [*turned(dropped), *turned(kept)]
    return photos[0], photos[1:], lambda: merge_products(kept.pk, dropped.pk, staff)


def of_a_merge_and_an_upload(staff, moderator, shopper) -> Case:
    dropped, kept = add_product("DROPPED"), add_product("KEPT", "square")
    group = UploadGroup.objects.create(user=staff, key=new_key(), product=dropped)
    return group, [dropped, kept], lambda: merge_products(kept.pk, dropped.pk, staff)


def of_an_undone_decision(staff, moderator, shopper) -> Case:
    product = add_product("P", photos=2)
    photos = turned(product)
    revisions = dict(Image.objects.values_list("pk", "revision"))
    made = Decision.objects.make("reject", revisions, moderator, reason="No.", fault="poor")
    return photos[0], [photos[1], *made], lambda: Decision.objects.undo_last(moderator)


def of_the_approval_of_a_newer_file(staff, moderator, shopper) -> Case:
    product = add_product("P", photos=0)
    old = add_photo(product, "circle", "red", "old.jpg", uploader=shopper)
    new = replace(old, shopper, io.BytesIO(jpeg("circle", "blue")), "new.jpg")
    return old, [new], lambda: Decision.objects.make("approve", {new.pk: new.revision}, moderator)


def of_another_file(staff, moderator, shopper) -> Case:
    product = add_product("P", photos=0)
    photo = add_photo(product, "circle", "red", "old.jpg", uploader=shopper)
    return product, [photo], lambda: replace(photo, shopper, io.BytesIO(jpeg("circle", "blue")), "new.jpg")


def of_a_person_who_adds(staff, moderator, shopper) -> Case:
    product = add_product("P", photos=0)
    photo = add_photo(product, "circle", "red", "old.jpg", uploader=shopper)
    return shopper, [product, photo], lambda: replace(photo, shopper, io.BytesIO(jpeg("circle", "blue")), "new.jpg")


def of_a_pair_that_is_merged(staff, moderator, shopper) -> Case:
    photos = in_order([add_product("ONE").images.get(), add_product("TWO", "square").images.get()])
    pair = pair_of(*photos)
    return photos[0], [photos[1], pair], lambda: deciding.merge(pair, photos[1].pk, staff)


def of_products_told_apart(staff, moderator, shopper) -> Case:
    sides = [
        in_order(add_product(sku, shape, photos=2).images.all()) for sku, shape in (("A", "circle"), ("B", "square"))
    ]
    pairs = [pair_of(one, other) for one, other in zip(*sides, strict=True)]
    return pairs[0], [pairs[1]], lambda: deciding.tell_apart(pairs[1], staff)


def pair_of(one: Image, other: Image) -> DuplicatePair:
    return DuplicatePair.objects.create(
        first=one.pk,
        second=other.pk,
        first_sha256=one.sha256,
        second_sha256=other.sha256,
        kind="same_product",
        score=0.9,
    )


@pytest.mark.parametrize(
    "case",
    [
        of_a_merge,
        of_a_merge_and_an_upload,
        of_an_undone_decision,
        of_the_approval_of_a_newer_file,
        of_another_file,
        of_a_person_who_adds,
        of_a_pair_that_is_merged,
        of_products_told_apart,
    ],
)
def test_no_later_row_is_held_while_an_earlier_one_is_waited_for(staff, moderator, shopper, case):
    first, later, work = case(staff, moderator, shopper)

    def run() -> object:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            type(first)._base_manager.select_for_update().get(pk=first.pk)
            working = pool.submit(run)
            _wait_for_somebody_who_waits()
            for row in later:  # an error where it is held
                type(row)._base_manager.select_for_update(nowait=True).get(pk=row.pk)
        working.result()


def _wait_for_somebody_who_waits() -> None:
    if connection.vendor != "postgresql":
        return
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits")
