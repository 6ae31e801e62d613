"""Whatever changes what an index says of an image names that image, inside the transaction that changes it."""

import io

import pytest
from django.db import transaction

from gallery.intake import add_image, replace_file
from gallery.models import Brand, Category, Image, Product
from tests.catalogue import add_product
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db


@pytest.fixture
def product(announced) -> Product:
    """Two photos; beside it another product that nothing here may touch."""
    add_product("OTHER", category="Else", brand="Else", tags=["else"], photos=2)
    product = add_product("DRESS", category="Clothing/Dresses", tags=["new"], photos=2)
    announced.take()
    return product


def keys(product: Product) -> set:
    return set(product.images.values_list("pk", flat=True))


def test_a_new_image(product, announced):
    image = add_image(product, io.BytesIO(jpeg(color="blue")), "third.jpg")
    assert announced.take() == {image.pk}


def test_another_file(product, announced):
    image = product.images.first()
    replace_file(image, io.BytesIO(jpeg(color="blue")), "a.jpg")
    assert announced.take() == {image.pk}


def test_the_same_file_announces_nothing(product, announced):
    image = product.images.first()
    assert not replace_file(image, image.original.open(), "a.jpg")
    assert announced.take() == set()


@pytest.mark.parametrize(
    "edit",
    [
        lambda product: setattr(product, "price", 5),
        lambda product: setattr(product, "title", "Another"),
        lambda product: setattr(product, "published", False),
        lambda product: setattr(product, "availability", "out_of_stock"),
        lambda product: setattr(product, "category", None),
        lambda product: setattr(product, "brand", Brand.objects.create(name="New", slug="new")),
        lambda product: setattr(product, "attributes", {"material": ["wool"]}),
    ],
)
def test_edited_metadata(product, announced, edit):
    edit(product)
    product.save()
    assert announced.take() == keys(product)


def test_hiding_and_publishing(product, announced):
    product.hide()
    assert announced.take() == keys(product)
    product.publish()
    assert announced.take() == keys(product)


def test_tags(product, announced):
    for change in (
        lambda: product.tags.add("summer"),
        lambda: product.tags.remove("new"),
        lambda: product.tags.set(["a", "b"]),
        lambda: product.tags.clear(),
    ):
        change()
        assert announced.take() == keys(product)


def test_deleting_an_image(product, announced):
    image = product.images.first()
    key = image.pk
    image.delete()
    assert announced.take() == {key}


def test_deleting_many_images(product, announced):
    gone = keys(product)
    product.images.all().delete()
    assert announced.take() == gone


def test_deleting_a_product(product, announced):
    gone = keys(product)
    product.delete()
    assert announced.take() == gone


def test_moving_between_products(product, announced):
    other, moved = Product.objects.get(sku="OTHER"), keys(product)
    assert product.images.all().move_to(other) == 2
    assert announced.take() == moved
    image = other.images.get(pk=min(moved))
    image.product = product
    image.save()
    assert announced.take() == {image.pk}


def test_moderating_many(product, announced, moderator):
    product.images.all().set_status(Image.Status.REJECTED, moderator, "Blurred.")
    assert announced.take() == keys(product)
    image = product.images.first()
    image.approve(by=moderator)
    assert announced.take() == {image.pk}
    image.reject(by=moderator, reason="Blurred.")
    assert announced.take() == {image.pk}
    image.refresh_from_db()
    assert (image.status, image.moderated_by, image.revision) == ("rejected", moderator, 4)


def test_moving_a_category_changes_what_is_below_it(product, announced):
    clothing = Category.objects.get(name="Clothing")
    clothing.parent = Category.objects.at_path("Shop")
    clothing.save()
    assert announced.take() == keys(product)


def test_what_is_rolled_back_is_not_lost_to_others(product, announced):
    """Receivers write in the same transaction, so their rows go with it."""
    from search.models import Change

    before = {change.pk: change.version for change in Change.objects.all()}
    with pytest.raises(RuntimeError), transaction.atomic():
        product.hide()
        raise RuntimeError("something later fails")
    assert {change.pk: change.version for change in Change.objects.all()} == before
