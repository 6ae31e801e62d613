"""Merging: what moves, which file stays, who is refused, and what is left of the one that has gone."""

import io

import pytest
from django.urls import reverse

from gallery.importing.importer import Importer
from gallery.importing.sources import open_source
from gallery.intake import add_image
from gallery.merging import MergeRefused, merge_images, merge_products
from gallery.models import Collection, CollectionItem, Image, ImageRedirect, Product, ProductRedirect, Report
from tests.catalogue import add_photo, add_product
from tests.pictures import draw, encode

pytestmark = pytest.mark.django_db


def photos(product: Product) -> list[str]:
    return [image.source_name for image in product.images.order_by("position", "pk")]


@pytest.fixture
def pair(db) -> tuple[Product, Product]:
    """Two products, with a photo of the same name and different content each."""
    left = add_product("LEFT", tags=["warm"], attributes={"size": ["S"]}, price=None, brand="")
    right = add_product(
        "RIGHT", color="blue", tags=["plain", "warm"], attributes={"size": ["S", "M"], "cut": ["wide"]},
        description="Blue.", translations={"zh-hans": {"title": "蓝", "description": "蓝色"}},
        link="https://shop.example/right",
    )  # fmt: skip
    for product in (left, right):
        image = product.images.get()
        image.source_name = "front.jpg"
        image.save()
    return left, right


def test_everything_of_the_dropped_product_is_in_the_kept_one(pair, staff):
    left, right = pair
    kept = merge_products(left.pk, right.pk, staff)
    kept.refresh_from_db()
    assert set(Product.objects.values_list("sku", flat=True)) == {"LEFT"}
    assert {tag.name for tag in kept.tags.all()} == {"warm", "plain"}
    assert kept.attributes == {"size": ["S", "M"], "cut": ["wide"]}
    assert (kept.title, kept.description, str(kept.price), kept.currency) == ("Red circle", "Blue.", "10.00", "EUR")
    assert (kept.brand.name, kept.link) == ("Velluto", "https://shop.example/right")
    assert kept.translations["zh-hans"]["title"] == "蓝"
    assert photos(kept) == ["front.jpg", "front-2.jpg"], "names clash within a product"
    assert [image.position for image in kept.images.all()] == [0, 1]


def test_what_the_kept_product_says_stands(pair, staff):
    left, right = pair
    merge_products(right.pk, left.pk, staff)
    right.refresh_from_db()
    assert (right.title, right.description, right.category.name) == ("Blue circle", "Blue.", "Shapes")
    assert right.attributes["size"] == ["S", "M"]


def test_the_old_address_leads_to_the_kept_product_through_all_merges(client, pair, staff):
    left, right = pair
    third = add_product("THIRD", "square")
    merge_products(right.pk, left.pk, staff)
    merge_products(third.pk, right.pk, staff)
    for sku in ("LEFT", "RIGHT"):
        response = client.get(reverse("product", args=[sku]))
        assert (response.status_code, response["Location"]) == (301, "/products/THIRD/")
    assert set(ProductRedirect.objects.values_list("product__sku", flat=True)) == {"THIRD"}


def test_photos_of_the_same_bytes_become_one(stored, staff):
    left, right = add_product("LEFT"), add_product("RIGHT")
    add_photo(right, "square", "red", "other.jpg")
    kept_key, dropped_key = left.images.get().pk, right.images.first().pk
    merge_products(left.pk, right.pk, staff)
    assert photos(left) == ["LEFT-0.jpg", "other.jpg"]
    assert left.images.first().pk == kept_key
    assert ImageRedirect.objects.resolve([dropped_key, kept_key]) == {dropped_key: kept_key}


def test_collections_keep_one_place_for_both(pair, shopper, staff):
    left, right = pair
    both, only = Collection.objects.start(shopper, "Both"), Collection.objects.start(shopper, "Only")
    both.add(left.images.get())
    both.add(right.images.get())
    only.add(right.images.get())
    saved = right.images.get().pk
    merge_products(left.pk, right.pk, staff)
    items = CollectionItem.objects.order_by("collection__name").values_list("collection__name", "product__sku", "image")
    assert [item[:2] for item in items] == [("Both", "LEFT"), ("Only", "LEFT")]
    assert items[1][2] == saved, "the photo that was saved has moved along"


@pytest.mark.parametrize("keep_the_small_one", [True, False])
def test_the_better_file_stays_under_the_kept_key(
    stored, staff, shopper, django_capture_on_commit_callbacks, keep_the_small_one
):
    product = add_product("P", photos=0)
    small = add_photo(product, "circle", "red", "small.jpg", size=(240, 180), alt_text="A circle")
    large = add_photo(product, "circle", "red", "large.jpg", size=(480, 360))
    Report.objects.make(small, "wrong", "", user=shopper, session_key="")
    Report.objects.make(large, "stolen", "", user=shopper, session_key="")
    keep, drop = (small, large) if keep_the_small_one else (large, small)
    best = large.original.name
    with django_capture_on_commit_callbacks(execute=True):
        merge_images(keep.pk, drop.pk, staff)
    image = product.images.get()
    assert (image.pk, image.width, image.alt_text) == (keep.pk, 480, "A circle")
    assert (image.original.name, image.sha256) == (best, large.sha256)
    assert stored() == [best], "the other file has gone"
    with image.original.open("rb") as file:
        assert len(file.read()) == image.bytes
    assert image.reports.count() == 2
    assert ImageRedirect.objects.get().sha256 == small.sha256


def test_of_as_many_pixels_the_sharper_file_stays(staff):
    product = add_product("P", photos=0)
    plain = add_photo(product, "circle", "red", "plain.jpg")
    sharp = add_image(product, io.BytesIO(encode(draw("stripes", "red"), "PNG")), "sharp.png")
    assert sharp.sharpness > plain.sharpness
    merge_images(plain.pk, sharp.pk, staff)
    assert product.images.get().format == "png"


def test_an_approved_photo_is_not_hidden_by_one_that_waits(staff):
    product = add_product("P", photos=0)
    waiting = add_photo(product, "circle", "red", "waiting.jpg", status=Image.Status.PENDING)
    approved = add_photo(product, "circle", "red", "approved.jpg", size=(244, 180))
    merge_images(waiting.pk, approved.pk, staff)
    assert product.images.get().status == "approved"


@pytest.mark.parametrize("status", [Image.Status.PENDING, Image.Status.REJECTED, Image.Status.WITHDRAWN])
@pytest.mark.parametrize("keep_the_approved_one", [True, False])
def test_a_file_that_no_moderator_let_through_is_not_published_by_a_merge(
    client, staff, shopper, stored, django_capture_on_commit_callbacks, status, keep_the_approved_one
):
    product = add_product("P", photos=0)
    approved = add_photo(product, "circle", "red", "approved.jpg", size=(240, 180))
    hidden = add_photo(product, "circle", "red", "hidden.jpg", size=(480, 360), uploader=shopper, status=status)
    keep, drop = (approved, hidden) if keep_the_approved_one else (hidden, approved)
    with django_capture_on_commit_callbacks(execute=True):
        merge_images(keep.pk, drop.pk, staff)
    image = product.images.get()
    assert (image.pk, image.status, image.width, image.sha256) == (keep.pk, "approved", 240, approved.sha256)
    assert stored() == [approved.original.name]
    assert client.get(image.url(320)).status_code == 200


@pytest.mark.parametrize("keep_the_shops", [True, False])
def test_a_copy_that_is_merged_gives_no_right_to_the_shops_photo(client, staff, shopper, keep_the_shops):
    product = add_product("P", photos=0)
    shops = add_photo(product, "circle", "red", "shop.jpg", size=(480, 360))
    copy = add_photo(product, "circle", "red", "copy.jpg", uploader=shopper)
    keep, drop = (shops, copy) if keep_the_shops else (copy, shops)
    merge_images(keep.pk, drop.pk, staff)
    image = product.images.get()
    assert (image.width, image.uploader) == (480, None)
    client.force_login(shopper)
    assert client.post(reverse("contribution-withdraw", args=[image.pk])).status_code == 404
    image.refresh_from_db()
    assert image.status == "approved"


def test_whose_file_stays_keeps_the_right_to_it(staff, shopper):
    product = add_product("P", photos=0)
    shops = add_photo(product, "circle", "red", "shop.jpg")
    theirs = add_photo(product, "circle", "red", "theirs.jpg", size=(480, 360), uploader=shopper)
    merge_images(shops.pk, theirs.pk, staff)
    image = product.images.get()
    assert (image.pk, image.width, image.uploader) == (shops.pk, 480, shopper)


@pytest.mark.parametrize("keep_the_lost_one", [True, False])
def test_a_file_that_is_lost_does_not_take_the_place_of_one_that_is_there(
    stored, staff, django_capture_on_commit_callbacks, keep_the_lost_one
):
    product = add_product("P", photos=0)
    there = add_photo(product, "circle", "red", "there.jpg")
    lost = add_photo(product, "circle", "red", "lost.jpg", size=(480, 360))
    lost.original.storage.delete(lost.original.name)
    Image.objects.filter(pk=lost.pk).note_missing()
    keep, drop = (lost, there) if keep_the_lost_one else (there, lost)
    with django_capture_on_commit_callbacks(execute=True):
        merge_images(keep.pk, drop.pk, staff)
    image = product.images.get()
    assert (image.pk, image.width, image.original_missing_at) == (keep.pk, 240, None)
    assert stored() == [there.original.name]


def test_the_index_is_told_of_every_photo(pair, staff, announced):
    left, right = pair
    keys = set(Image.objects.values_list("pk", flat=True))
    announced.take()
    merge_products(left.pk, right.pk, staff)
    assert announced.take() == keys
    product = add_product("P", photos=2)
    first, second = product.images.all()
    announced.take()
    merge_images(first.pk, second.pk, staff)
    assert announced.take() == {first.pk, second.pk}


def test_history_says_who_merged_what(pair, staff):
    left, right = pair
    merge_products(left.pk, right.pk, staff)
    changed = left.history.first()
    assert (changed.history_change_reason, changed.history_user) == ("Merged RIGHT into it", staff)
    gone = Product.history.filter(id=right.pk).first()
    assert (gone.history_type, gone.history_change_reason, gone.history_user) == ("-", "Merged into LEFT", staff)
    moved = Image.history.filter(history_change_reason="Moved from RIGHT by a merge")
    assert (moved.count(), moved.get().history_user) == (1, staff)


def test_what_was_merged_already_is_refused_and_nothing_changes(pair, staff):
    left, right = pair
    merge_products(left.pk, right.pk, staff)
    with pytest.raises(MergeRefused, match="merged or deleted meanwhile"):
        merge_products(right.pk, left.pk, staff)
    with pytest.raises(MergeRefused, match="itself"):
        merge_products(left.pk, left.pk, staff)
    first, second = left.images.order_by("position")
    merge_images(first.pk, second.pk, staff)
    with pytest.raises(MergeRefused, match="meanwhile"):
        merge_images(second.pk, first.pk, staff)
    assert left.images.count() == 1


def test_a_product_that_was_changed_meanwhile_is_not_merged(pair, staff):
    left, right = pair
    seen = {left.pk: left.revision, right.pk: right.revision}
    right.title = "Another title"
    right.save()
    with pytest.raises(MergeRefused, match="RIGHT was changed meanwhile"):
        merge_products(left.pk, right.pk, staff, seen)
    assert Product.objects.count() == 2


def test_a_photo_that_was_taken_down_is_not_merged(staff, pair):
    from django.utils import timezone

    left, right = pair
    image = right.images.get()
    image.status, image.taken_down_at = Image.Status.REJECTED, timezone.now()
    image.save()
    with pytest.raises(MergeRefused, match="taken down"):
        merge_images(left.images.get().pk, image.pk, staff)


def test_every_relation_to_what_is_merged_is_looked_after():
    """A new table that refers to images or products has to be moved by a merge, in gallery or by its signals."""
    known = {
        Image: {
            "Rendition", "Report", "CollectionItem", "ImageRedirect", "Image", "Decision",  # gallery.merging
            "ProductView", "Judgement",  # search.receivers
            "Claim",  # of a moderator for seconds: it goes
        },
        Product: {
            "Image", "TaggedProduct", "CollectionItem", "ProductRedirect", "UploadGroup",  # gallery.merging
            "LabelConfirmed",  # search.receivers
            "LabelDoubt",  # the next training finds it again
            "BulkEditItem",  # keeps the SKU: undoing it on the other product would be wrong
        },
    }  # fmt: skip
    for model, moved in known.items():
        related = {
            relation.related_model.__name__
            for relation in model._meta.get_fields(include_hidden=True)
            if relation.auto_created and not relation.concrete
        }
        assert {name for name in related if not name.startswith("Historical")} <= moved, model


class TestImportsAfterAMerge:
    """A catalogue file still has the rows of both products."""

    @pytest.fixture
    def run(self, tmp_path):
        (tmp_path / "small.jpg").write_bytes(encode(draw("circle", "red", size=(240, 180))))
        (tmp_path / "large.jpg").write_bytes(encode(draw("circle", "red", size=(480, 360))))
        rows = ["sku,file,title", "SMALL,small.jpg,Small", "LARGE,large.jpg,Large"]
        (tmp_path / "catalogue.csv").write_text("\n".join(rows))

        def run():
            with open_source(tmp_path) as source:
                return Importer(source).run()

        return run

    @pytest.mark.parametrize("keep", ["SMALL", "LARGE"])
    def test_it_brings_nothing_back(self, run, staff, keep):
        run()
        drop = "LARGE" if keep == "SMALL" else "SMALL"
        kept, dropped = Product.objects.get(sku=keep), Product.objects.get(sku=drop)
        key = dropped.images.get().pk
        merge_products(kept.pk, dropped.pk, staff)
        merge_images(kept.images.exclude(pk=key).get().pk, key, staff)
        summary = run()
        assert (summary.created, summary.changed, summary.unchanged, summary.failures) == (0, 0, 2, [])
        assert f"{drop} was merged into {keep}" in summary.warnings[0]
        image = Image.objects.get()
        assert (image.width, Product.objects.get().title) == (480, keep.capitalize())
