"""Reasons that the site itself gives: whoever acts in whatever language, everybody reads them in their own."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from gallery import jobs, reasons
from gallery.merging import merge_images, merge_products
from gallery.models import BulkEdit, Image, User
from tests.catalogue import add_photo, add_product

pytestmark = pytest.mark.django_db


def reading(user: User, language: str) -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


def assert_read(user: User, address: str, english: str, chinese: str) -> None:
    for language, words, other in (("en", english, chinese), ("zh-hans", chinese, english)):
        page = reading(user, language).get(address).content.decode()
        assert words in page and other not in page, (address, language)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_merges(staff, language):
    left, right = add_product("LEFT"), add_product("RIGHT", "square", "blue")
    moved = right.images.get()
    with translation.override(language):
        merge_products(left.pk, right.pk, staff)
    for address in (reverse("audit-product", args=["LEFT"]), reverse("product-edit", args=["LEFT"])):
        assert_read(staff, address, "Merged RIGHT into it", "已将 RIGHT 合并进来")
    assert_read(staff, reverse("audit-image", args=[moved.pk]), "Moved from RIGHT by a merge", "因合并从 RIGHT 移来")
    assert_read(staff, reverse("audit-product", args=["RIGHT"]), "Merged into LEFT", "已合并到 LEFT")


def test_a_long_name_is_cut_and_its_sentence_kept(staff):
    product = add_product("P", photos=0)
    kept = add_photo(product, "circle", "red", "kept.jpg", size=(480, 360))
    dropped = add_photo(product, "circle", "red", f"{'long' * 35}.jpg")
    with translation.override("zh-hans"):
        merge_images(kept.pk, dropped.pk, staff)
    stored = kept.history.first().history_change_reason
    assert len(stored) == reasons.LENGTH and stored.endswith("… into it")
    assert_read(staff, reverse("audit-image", args=[kept.pk]), " into it", " 合并进来")


def test_undone_decisions_and_faults(moderator, shopper):
    photo = add_photo(add_product("P"), "circle", "blue", "sent.jpg", uploader=shopper, status=Image.Status.PENDING)
    desk = reading(moderator, "zh-hans")
    desk.post(reverse("moderation-decide", args=[photo.pk]), {"act": "reject:stolen", "revision": photo.revision})
    address = reverse("audit-image", args=[photo.pk])
    assert photo.history.first().history_change_reason == "It belongs to somebody else"
    assert_read(moderator, address, "It belongs to somebody else", "属于他人")
    desk.post(reverse("moderation-undo"))
    assert photo.history.first().history_change_reason == "Undone: Rejected"
    assert_read(moderator, address, "Undone: Rejected", "已撤销：已拒绝")


def test_bulk_edits(staff):
    product = add_product("P", tags=["old"])
    desk = reading(staff, "zh-hans")
    desk.post(reverse("bulk-edits"), {"product": [str(product.pk)], "query": ""})
    edit = BulkEdit.objects.get()
    desk.post(f"{edit.get_absolute_url()}apply/", {"action": "add_tags", "tags": "new", "count": 1})
    edit.refresh_from_db()
    jobs.run(str(edit.job_id))
    edit.job.refresh_from_db()
    assert edit.job.says == "已更改 1 件商品。", "a job tells it in the language of who started it"
    address = reverse("audit-product", args=["P"])
    assert_read(staff, address, f"Bulk edit {edit.pk}: Add tags", f"批量编辑 {edit.pk}：添加标签")
    desk.post(f"{edit.get_absolute_url()}undo/")
    edit.refresh_from_db()
    jobs.run(str(edit.undo_job_id))
    assert_read(staff, address, f"Undo of bulk edit {edit.pk}: Add tags", f"撤销批量编辑 {edit.pk}：添加标签")


def test_the_administration_has_them_too(client, admin_user):
    left, right = add_product("LEFT"), add_product("RIGHT", "square", "blue")
    merge_products(left.pk, right.pk, admin_user)
    address = reverse("admin:gallery_product_history", args=[left.pk])
    assert_read(admin_user, address, "Merged RIGHT into it", "已将 RIGHT 合并进来")


def test_what_a_person_wrote_stays_as_it_is(staff):
    product = add_product("P")
    for words in ("Merged into", "100 % sure: %(status)s", "Undone: "):
        product._change_reason = words
        product.save()
        page = reading(staff, "zh-hans").get(reverse("audit-product", args=["P"])).content.decode()
        assert words in page
