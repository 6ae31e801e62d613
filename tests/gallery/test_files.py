import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from PIL import Image as Pillow

from gallery.intake import add_image, replace_file
from gallery.models import Image, Rendition
from gallery.renditions import make_missing_renditions, rendition
from tests.catalogue import add_product
from tests.gallery import files
from tests.pictures import draw, encode, jpeg

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def image(db) -> Image:
    return add_product("DRESS", size=(900, 600)).images.get()


def get(image: Image, width: int = 320, format: str = "webp", client: Client | None = None, **headers):
    return (client or Client()).get(image.url(width, format), headers=headers)


def picture_of(response) -> Pillow.Image:
    return Pillow.open(io.BytesIO(b"".join(response.streaming_content)))


# --- What is served -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("format", "kind"), [("webp", "WEBP"), ("jpeg", "JPEG")])
def test_a_rendition_is_scaled(image, format, kind):
    response = get(image, 320, format)
    assert response.status_code == 200
    assert response["Content-Type"] == f"image/{format}"
    assert response["X-Content-Type-Options"] == "nosniff"
    picture = picture_of(response)
    assert (picture.format, picture.size) == (kind, (320, 213))


def test_nothing_is_scaled_up(image):
    assert picture_of(get(image, 1280)).size == (900, 600)


def test_a_picture_as_narrow_as_a_thread():
    image = add_image(add_product("THREAD", photos=0), io.BytesIO(encode(draw(size=(8, 20_000)), "PNG")), "a.png")
    assert max(picture_of(get(image)).size) <= 16_383


def test_metadata_and_what_follows_the_picture_are_never_served():
    exif = Pillow.Exif()
    exif[0x010F] = "SECRET CAMERA"
    exif[0x0112] = 6
    data = encode(draw(size=(600, 400)), "JPEG", exif=exif, comment=b"SECRET WORDS") + b"SECRET ARCHIVE"
    image = add_image(add_product("DRESS", photos=0), io.BytesIO(data), "a.jpg")
    for format in ("webp", "jpeg"):
        served = b"".join(get(image, 320, format).streaming_content)
        assert b"SECRET" not in served
        picture = Pillow.open(io.BytesIO(served))
        assert picture.size == (320, 480)  # upright, and said by nothing but its pixels
        assert not picture.getexif()
        assert "icc_profile" not in picture.info


def test_cut_outs_stay_cut_outs_in_webp_and_are_on_white_in_jpeg():
    image = add_image(add_product("CUT", photos=0), io.BytesIO(files.transparent()), "a.png")
    assert picture_of(get(image)).getpixel((1, 1))[3] == 0
    assert min(picture_of(get(image, 320, "jpeg")).getpixel((1, 1))) > 250


# --- To whom ------------------------------------------------------------------------------------------


def test_public_images_may_be_cached_by_all(image):
    response = get(image)
    assert response["Cache-Control"] == "public, max-age=300"
    assert "Cookie" not in response.get("Vary", "")
    assert get(image, **{"If-None-Match": response["ETag"]}).status_code == 304
    assert get(image, **{"If-None-Match": f'W/{response["ETag"]}, "other"'}).status_code == 304
    assert get(image, **{"If-None-Match": '"other"'}).status_code == 200


def test_head(image):
    response = Client().head(image.url(320))
    assert response.status_code == 200
    assert not response.content if not response.streaming else not b"".join(response.streaming_content)


@pytest.mark.parametrize("hide", ["status", "product"])
def test_hidden_images_are_there_for_staff_moderators_and_their_uploader_alone(
    image, hide, staff, moderator, shopper, django_user_model
):
    uploader = django_user_model.objects.create_user("uploader", "uploader@example.com", "a long password")
    Image.objects.update(uploader=uploader)
    public_etag = get(image)["ETag"]
    if hide == "status":
        Image.objects.all().set_status(Image.Status.PENDING)
    else:
        image.product.hide()
    assert get(image).status_code == 404
    assert get(image, **{"If-None-Match": public_etag}).status_code == 404
    client = Client()
    client.force_login(shopper)
    assert get(image, client=client).status_code == 404
    for user in (staff, moderator, uploader):
        client.force_login(user)
        response = get(image, client=client)
        assert response.status_code == 200
        assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(("width", "format"), [(321, "webp"), (5000, "webp"), (320, "png"), (320, "svg")])
def test_other_widths_and_formats_are_not_there(image, width, format):
    assert Client().get(reverse("image-file", args=[image.pk, width, format])).status_code == 404
    assert not Rendition.objects.exists()


def test_an_unknown_image(db):
    address = reverse("image-file", args=["01890a5d-ac96-774b-bcce-b302099a8057", 320, "webp"])
    assert Client().get(address).status_code == 404


def test_an_original_that_is_lost(image):
    image.original.storage.delete(image.original.name)
    assert get(image).status_code == 404
    assert not Rendition.objects.exists()


@pytest.mark.parametrize("keep", [0, 400])
def test_an_original_that_is_damaged(image, keep):
    """It is told where the index is looked after; a page shows an empty mat."""
    storage, name = image.original.storage, str(image.original.name)
    with storage.open(name, "rb") as file:
        whole = file.read()
    with storage.open(name, "wb") as file:
        file.write(whole[:keep] or b"damaged")
    assert get(image).status_code == 404


# --- How it is handed on ------------------------------------------------------------------------------


def test_nginx_sends_the_file(image, settings):
    settings.FILE_DELIVERY = "x-accel"
    response = get(image)
    assert response["X-Accel-Redirect"] == f"/protected/renditions/{Rendition.objects.get().file.name}"
    assert response["Content-Type"] == "image/webp"
    assert response["Cache-Control"] == "public, max-age=300"


def test_apache_sends_the_file(image, settings):
    settings.FILE_DELIVERY = "x-sendfile"
    assert get(image)["X-Sendfile"] == Rendition.objects.get().file.path


# --- How it is made -----------------------------------------------------------------------------------


def test_it_is_made_once(image, stored):
    assert rendition(image, "webp", 320) == rendition(image, "webp", 320)
    assert len(stored("renditions")) == 1


def test_a_replaced_file_never_shows_its_old_pixels(image):
    red = picture_of(get(image)).convert("RGB").getpixel((160, 106))
    assert red[0] > 200
    old_url = image.url(320)
    replace_file(image, io.BytesIO(jpeg(color="blue", size=(900, 600))), "a.jpg")
    assert image.url(320) != old_url
    blue = picture_of(get(image)).convert("RGB").getpixel((160, 106))
    assert blue[2] > 200 > blue[0]


def test_a_rendition_that_was_made_while_the_file_was_replaced_is_made_anew(image, stored):
    before = Image.objects.get()
    content = before.original.read()
    replace_file(image, io.BytesIO(jpeg(color="blue", size=(900, 600))), "a.jpg")
    # A request that read the old file before it was deleted, and writes its rendition after the replacement.
    before.original.storage.save(before.original.name, io.BytesIO(content))
    rendition(before, "webp", 320)
    blue = picture_of(get(image)).convert("RGB").getpixel((160, 106))
    assert blue[2] > 200 > blue[0]
    assert stored("renditions") == [Rendition.objects.get().file.name]


def test_many_requests_make_the_same_one_at_once(image, stored):
    def make(_n: int):
        try:
            return rendition(image, "webp", 640).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        keys = set(pool.map(make, range(12)))
    assert len(keys) == 1
    assert stored("renditions") == [Rendition.objects.get().file.name]


def test_an_image_that_is_deleted_meanwhile_leaves_no_rendition(image, stored, monkeypatch):
    from gallery import renditions

    encoded = renditions.encoded

    def encode_slowly(*args):
        content = encoded(*args)
        Image.objects.get().delete()
        return content

    monkeypatch.setattr(renditions, "encoded", encode_slowly)
    assert get(image).status_code == 404
    assert stored("renditions") == []


def test_renditions_are_made_ahead_where_they_are_missing():
    images = [image for n in range(3) for image in add_product(f"P{n}").images.all()]
    rendition(images[0], "webp", 320)
    assert make_missing_renditions(images) == 2
    assert make_missing_renditions(images) == 0
