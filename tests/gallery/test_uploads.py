import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from gallery.models import Brand, Category, Image, Product
from tests.catalogue import add_product
from tests.gallery import files
from tests.pictures import draw, encode, jpeg

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


@pytest.fixture
def client(staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def send(client: Client, data: bytes, name: str = "Red dress.jpg", **fields):
    return client.post("/upload/", {"file": SimpleUploadedFile(name, data), **fields}, headers=JSON)


# --- One file, from the uploader ----------------------------------------------------------------------


def test_a_lone_upload_makes_a_draft_product_named_after_the_file(client, staff):
    response = send(client, jpeg(), "Red_dress-front.jpg")
    assert response.status_code == 201
    image, product = Image.objects.get(), Product.objects.get()
    assert response.json() == {
        "image": str(image.pk),
        "sku": "red_dress-front",
        "title": "Red dress front",
        "product_url": "/products/red_dress-front/",
        "thumb_url": image.url(320),
        "notes": [],
        "state": "It is a draft: only staff see it.",
        "similar_url": f"/search/?image={image.pk}",
        "suggestion_url": f"/suggestions/{image.pk}/",
        "alike": [],
    }
    assert (image.product, image.uploader, image.status) == (product, staff, Image.Status.APPROVED)
    assert (product.sku, product.title, product.published) == ("red_dress-front", "Red dress front", False)


def test_the_batch_says_more(client):
    batch = {
        "category": " Clothing / Dresses/", "brand": "Velluto", "price": "49.90", "currency": "CHF",
        "availability": "preorder", "tags": "new, cotton，new", "published": "on",
    }  # fmt: skip
    send(client, jpeg(), "a.jpg", **batch)
    send(client, jpeg(color="blue"), "b.jpg", **batch)
    for product in Product.objects.all():
        assert product.category.name == "Dresses"
        assert product.category.parent.name == "Clothing"
        assert product.brand.name == "Velluto"
        assert (str(product.price), product.currency, product.availability) == ("49.90", "CHF", "preorder")
        assert set(product.tags.names()) == {"new", "cotton"}
        assert product.published
    assert (Category.objects.count(), Brand.objects.count()) == (2, 1)


def test_the_shops_currency_is_understood(client):
    send(client, jpeg(), price="5")
    assert Product.objects.get().currency == "EUR"


@pytest.mark.parametrize("name", ["连衣裙.jpg", "....", "<script>.png", "x" * 300 + ".jpg", "../../up.jpg"])
def test_any_name_gives_a_product(client, name):
    response = send(client, jpeg(), name)
    assert response.status_code == 201
    assert client.get(response.json()["product_url"]).status_code == 200


def test_equal_names_give_different_products(client):
    skus = [send(client, jpeg(color=color), "IMG.jpg").json()["sku"] for color in ("red", "blue", "green")]
    assert skus == ["img", "img-2", "img-3"]


def test_what_was_normalised_is_said(client):
    answer = send(client, encode(draw().convert("CMYK"), "JPEG"), "print.png").json()
    assert len(answer["notes"]) == 2
    assert "CMYK" in answer["notes"][0]


def test_the_file_of_a_photo_that_was_taken_down_for_good_is_rejected(client):
    send(client, jpeg())
    image = Image.objects.get()
    image.take_down(None, "A court said so.")
    Image.objects.filter(pk=image.pk).update(taken_down_at=timezone.now() - timedelta(days=31))
    assert Image.objects.purge_taken_down() == [image.sha256]
    answer = send(client, jpeg(), "Again.jpg", published="on")
    assert answer.status_code == 201
    assert answer.json()["notes"] == [
        "This very file was taken down before, so the photo is rejected. A moderator can approve it."
    ]
    assert Image.objects.get().status == Image.Status.REJECTED
    assert Client().get(answer.json()["product_url"]).status_code == 404


def test_the_same_photo_twice_is_said_and_not_refused(client):
    add_product("DRESS-1", photos=0)
    first = send(client, jpeg(), "one.jpg").json()
    second = send(client, jpeg(), "two.jpg")
    assert second.status_code == 201
    assert second.json()["notes"] == [f"The same photo is already in the catalogue: {first['sku']}."]


@pytest.mark.parametrize(
    ("name", "data", "status", "code"),
    [
        ("empty.jpg", b"", 400, "empty"),
        ("page.jpg", b"<html>", 400, "not-a-picture"),
        ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", 400, "svg"),
        ("cut.jpg", jpeg()[:900], 400, "damaged"),
        ("bomb.png", files.png_bomb(), 413, "too-many-pixels"),
        ("film.gif", files.gif_of_many_frames(600), 413, "too-many-frames"),
        ("photo.heic", files.HEIC, 400, "heic"),
    ],
)
def test_refused_files_leave_nothing_behind(client, stored, name, data, status, code):
    response = send(client, data, name, category="Never/Made", brand="Never made")
    assert response.status_code == status
    assert response.json()["code"] == code
    assert name in response.json()["error"]
    assert not Image.objects.exists()
    assert not Product.objects.exists()
    assert not Category.objects.exists()
    assert stored() == []


@pytest.mark.parametrize("size", [1, 500_000])
def test_files_above_the_limit(client, settings, stored, size):
    settings.MAX_IMAGE_BYTES = 100_000
    response = send(client, jpeg() + b"\0" * (100_000 - len(jpeg()) + size), "big.jpg")
    assert response.status_code == 413
    assert response.json()["code"] == "too-many-bytes"
    assert "big.jpg" in response.json()["error"]
    assert stored() == []


def test_what_is_above_the_limit_is_dropped_as_it_arrives(client, settings):
    settings.MAX_IMAGE_BYTES = 100_000
    response = client.post("/upload/", {"file": io.BytesIO(b"\0" * 3_000_000)}, headers=JSON)
    assert response.wsgi_request.FILES["file"].size == 100_001


def test_a_file_of_exactly_the_limit_is_taken(client, settings):
    settings.MAX_IMAGE_BYTES = len(jpeg())
    assert send(client, jpeg()).status_code == 201


def test_no_file(client):
    response = client.post("/upload/", {"category": "Clothing"}, headers=JSON)
    assert response.status_code == 400
    assert response.json() == {"error": "No file was sent. Choose at least one picture.", "code": "no-file"}


def test_one_file_at_a_time(client):
    pictures = [SimpleUploadedFile(f"{n}.jpg", jpeg()) for n in range(2)]
    response = client.post("/upload/", {"file": pictures}, headers=JSON)
    assert response.status_code == 400
    assert "one file" in response.json()["error"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", "cheap"), ("price", "-1"), ("price", "1e30"), ("currency", "euro"), ("currency", "€"),
        ("availability", "perhaps"), ("brand", "x" * 81), ("category", "x" * 201),
    ],
)  # fmt: skip
def test_wrong_fields_are_named(client, stored, field, value):
    response = send(client, jpeg(), **{field: value})
    assert response.status_code == 400
    assert response.json()["code"] == "wrong-field"
    assert response.json()["field"] == field
    assert response.json()["error"].startswith(field.capitalize())
    assert not Product.objects.exists()
    assert stored() == []


@pytest.mark.django_db(transaction=True)
def test_uploads_of_one_name_at_once(client, staff):
    def upload(n: int) -> int:
        own = Client()
        own.force_login(staff)
        try:
            return send(own, jpeg(size=(200 + n, 100)), "IMG_0001.jpg", brand="New brand", category="New/Category")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(upload, range(8)))
    assert [response.status_code for response in responses] == [201] * 8
    assert Product.objects.values("sku").distinct().count() == 8
    assert (Brand.objects.count(), Category.objects.count()) == (1, 2)


# --- Several photos of one product --------------------------------------------------------------------

GROUP = "11111111-1111-4111-8111-111111111111"
SOFT, SHARP = jpeg(), jpeg("stripes", "black")


def send_to_group(client: Client, data: bytes, name: str, place: int, group: str = GROUP, **fields):
    return send(client, data, name, group=group, group_name="DRESS-1", place=str(place), **fields)


def test_files_of_a_group_are_photos_of_one_product(client):
    answers = [
        send_to_group(client, data, f"DRESS-1_{n}.jpg", n, tags="new", category="Clothing")
        for n, data in enumerate((SOFT, jpeg(color="blue"), SHARP))
    ]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert {answer.json()["sku"] for answer in answers} == {"dress-1"}
    product = Product.objects.get()
    assert (product.title, list(product.tags.names())) == ("DRESS 1", ["new"])
    names = list(product.images.order_by("position").values_list("source_name", flat=True))
    assert names == ["DRESS-1_2.jpg", "DRESS-1_0.jpg", "DRESS-1_1.jpg"], "the sharpest is the face, then as sent"


def test_places_hold_whatever_arrives_first(client):
    for place in (2, 0, 1):
        send_to_group(client, jpeg(size=(200 + place, 180)), f"{place}.jpg", place)
    Image.objects.update(sharpness=1.0)
    Image.objects.filter(source_name="0.jpg").update(sharpness=9.0)
    send_to_group(client, encode(draw(color="white")), "3.jpg", 3)
    names = list(Product.objects.get().images.order_by("position").values_list("source_name", flat=True))
    assert names == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]


def test_a_file_that_is_sent_again_is_taken_once(client, stored):
    first = send_to_group(client, SOFT, "a.jpg", 0).json()
    again = send_to_group(client, SOFT, "a.jpg", 0)
    assert (again.status_code, again.json()["image"]) == (201, first["image"])
    assert (Image.objects.count(), len(stored())) == (1, 1)


def test_groups_are_a_person_s_own(client, staff):
    send_to_group(client, SOFT, "a.jpg", 0)
    other = type(staff).objects.create_user("other", "other@example.com", "a long password")
    other.groups.set(staff.groups.all())
    theirs = Client()
    theirs.force_login(other)
    send_to_group(theirs, SHARP, "b.jpg", 0)
    assert Product.objects.count() == 2


def test_a_product_that_is_gone_is_made_anew(client):
    send_to_group(client, SOFT, "a.jpg", 0)
    Product.objects.get().delete()
    assert send_to_group(client, SHARP, "b.jpg", 1).status_code == 201
    assert Product.objects.get().images.count() == 1


@pytest.mark.parametrize("wrong", [{"group": "x"}, {"group": GROUP, "place": "-1"}, {"group": GROUP, "place": "x"}])
def test_a_group_that_makes_no_sense(client, stored, wrong):
    response = send(client, SOFT, **wrong)
    assert (response.status_code, response.json()["code"]) == (400, "wrong-group")
    assert not Product.objects.exists() and stored() == []


@pytest.mark.django_db(transaction=True)
def test_files_of_a_group_at_once(client, staff):
    def upload(n: int) -> int:
        own = Client()
        own.force_login(staff)
        try:
            return send_to_group(own, jpeg(size=(200 + n, 100)), f"{n}.jpg", n, tags="new").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(upload, range(6))) == [201] * 6
    product = Product.objects.get()
    assert sorted(product.images.values_list("position", flat=True)) == list(range(6))


def test_what_looks_nearly_the_same_is_told(client):
    add_product("DRESS-1", "stripes", "black", size=(240, 180))
    shrunk = encode(draw("stripes", "black", size=(240, 180)).resize((120, 90)), "JPEG", quality=60)
    answer = send(client, shrunk, "small.jpg").json()
    assert answer["notes"] == []
    assert answer["alike"] == [
        {"sku": "DRESS-1", "url": "/products/DRESS-1/", "says": "It looks nearly the same as a photo of"}
    ]
    same = send(client, shrunk, "again.jpg").json()["alike"]
    assert [(one["sku"], one["says"]) for one in same] == [
        ("small", "The same file is a photo of"),
        ("DRESS-1", "It looks nearly the same as a photo of"),
    ]


# --- The page, without scripts ------------------------------------------------------------------------


def test_the_page_shows_limits_and_the_form(client):
    response = client.get("/upload/")
    assert response.status_code == 200
    assert response.context["limits"] == {
        "bytes": 25 * 1024 * 1024,
        "pixels": 60_000_000,
        "files": 200,
        "types": "JPEG, PNG, WebP, AVIF, GIF, TIFF",
    }
    assert (
        response.context["form"]["currency"].initial == "EUR" or response.context["form"].initial["currency"] == "EUR"
    )


def test_several_files_give_a_receipt(client, stored):
    pictures = [SimpleUploadedFile("good.jpg", jpeg()), SimpleUploadedFile("bad.jpg", b"no picture")]
    response = client.post("/upload/", {"file": pictures, "tags": "new"})
    assert response.status_code == 400
    good, bad = response.context["receipt"]
    assert (good.name, good.ok, good.url) == ("good.jpg", True, "/products/good/")
    assert (bad.name, bad.ok, bad.url) == ("bad.jpg", False, "")
    assert "bad.jpg" in bad.message
    assert len(stored()) == 1


def test_all_good(client):
    response = client.post("/upload/", {"file": [SimpleUploadedFile("good.jpg", jpeg())]})
    assert response.status_code == 200


def test_too_many_files(client, settings):
    settings.MAX_UPLOAD_FILES = 2
    pictures = [SimpleUploadedFile(f"{n}.jpg", jpeg()) for n in range(3)]
    response = client.post("/upload/", {"file": pictures})
    assert response.status_code == 400
    assert "at most 2 files" in str(response.context["form"].non_field_errors())
    assert not Product.objects.exists()


def test_a_wrong_field_on_the_page(client):
    response = client.post("/upload/", {"file": SimpleUploadedFile("a.jpg", jpeg()), "price": "cheap"})
    assert response.status_code == 400
    assert response.context["form"].errors["price"]
    assert not Product.objects.exists()


# --- Who may ------------------------------------------------------------------------------------------


def test_visitors_are_sent_to_sign_in():
    response = Client().get("/upload/")
    assert response.status_code == 302
    assert response.url == "/accounts/login/?next=/upload/"
    answer = send(Client(), jpeg())
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert not Image.objects.exists()


def test_shoppers_and_moderators_may_not(shopper, moderator):
    for user in (shopper, moderator):
        client = Client()
        client.force_login(user)
        assert client.get("/upload/").status_code == 403
        assert send(client, jpeg()).status_code == 403
    assert not Image.objects.exists()


def test_other_sites_may_not_post(staff):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    assert send(client, jpeg()).status_code == 403
    assert not Image.objects.exists()
