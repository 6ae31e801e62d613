"""Hashes that are near are found by bands, and only those."""

import random

import pytest
from django.db import connection

from gallery.hashes import MOST_BITS, distance, mirrored
from gallery.models import Image
from tests.catalogue import add_product

pytestmark = pytest.mark.django_db


def flipped(hash: str, places: list[int]) -> str:
    return f"{int(hash, 16) ^ sum(1 << place for place in places):016x}"


@pytest.fixture
def hashed():
    """Images with given hashes: no file is looked at here."""
    product = add_product("P", photos=1)
    image = product.images.get()

    def make(*hashes: str) -> list[Image]:
        made = []
        for hash in hashes:
            row = Image(product=product, perceptual_hash=hash)
            for name in ("format", "bytes", "width", "height", "sha256", "original"):
                setattr(row, name, getattr(image, name))
            made.append(row)
        return Image.objects.bulk_create(made)

    image.perceptual_hash = "ffffffffffffffff"
    image.save()
    return make


@pytest.mark.parametrize("bits", [0, 3, 6, MOST_BITS])
def test_near_hashes_are_found_and_no_others(hashed, bits):
    chance = random.Random(bits)
    hash = "0f1e2d3c4b5a6978"
    apart = {number: flipped(hash, chance.sample(range(64), number)) for number in (0, 1, 3, 5, 6, 7, 10, 11, 12, 20)}
    images = dict(zip(apart, hashed(*apart.values()), strict=True))
    found = Image.objects.hashed_like(hash, bits)
    assert found == {images[number].pk: number for number in apart if number <= bits}
    assert list(found.values()) == sorted(found.values()), "the nearest first"


def test_more_bits_than_are_looked_for_are_refused(db):
    with pytest.raises(ValueError, match="11 bits"):
        Image.objects.hashed_like("0" * 16, MOST_BITS + 1)


def test_the_mirrored_hash_is_its_own_inverse():
    assert mirrored(mirrored("0f1e2d3c4b5a6978")) == "0f1e2d3c4b5a6978"
    assert distance("0f1e2d3c4b5a6978", mirrored("0f1e2d3c4b5a6978")) == 32


def test_hashes_are_looked_for_in_indexes(hashed, django_assert_num_queries):
    with django_assert_num_queries(1) as captured:
        Image.objects.hashed_like("0" * 16, 7)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # it would read a small table as a whole
        explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        cursor.execute(f"{explain} {captured[0]['sql']}")
        plan = " ".join(str(row[-1]) for row in cursor.fetchall())
    assert all(f"image_hash_band_{number}" in plan for number in range(4)), plan
