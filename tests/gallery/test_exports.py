"""Copies in a chosen format: what the API and the page answer, to whom, and what stays bounded."""

import io
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image as Pillow

from gallery.exports import similarity
from gallery.intake import add_image
from gallery.models import Image, Rendition
from gallery.renditions import rendition
from tests.catalogue import add_product
from tests.gallery import files
from tests.pictures import draw, encode

pytestmark = pytest.mark.django_db
FORMATS = {"webp": "WEBP", "jpeg": "JPEG", "avif": "AVIF", "png": "PNG", "webp-lossless": "WEBP"}


@pytest.fixture(autouse=True)
def _fresh_throttles():
    cache.clear()


@pytest.fixture
def image(db) -> Image:
    """A photograph in its way: soft gradients and noise, which formats treat differently."""
    noise = Pillow.effect_noise((450, 300), 40).convert("RGB")
    picture = Pillow.blend(draw("circle", "red", size=(450, 300)), noise, 0.3)
    return add_image(add_product("DRESS", photos=0), io.BytesIO(encode(picture, "PNG")), "dress.png")


@pytest.fixture
def at_the_counter(staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def ask(image: Image, client: Client | None = None, **choices):
    return (client or Client()).get(f"/api/v1/images/{image.pk}/renditions", choices)


def fetched(address: str, client: Client) -> tuple[Pillow.Image, bytes]:
    response = client.get(address)
    assert response.status_code == 200
    content = b"".join(response.streaming_content)
    return Pillow.open(io.BytesIO(content)), content


# --- The API ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_made_measured_and_served(image, at_the_counter, format):
    answer = ask(image, at_the_counter, format=format, width=320).json()
    assert (answer["image"], answer["format"], answer["width"]) == (str(image.pk), format, 320)
    assert answer["original"] == {"bytes": image.bytes, "width": 450, "height": 300}
    picture, content = fetched(answer["url"], at_the_counter)
    assert (picture.format, picture.size) == (FORMATS[format], (320, 213))
    assert len(content) == answer["bytes"]
    if format in ("png", "webp-lossless"):
        assert (answer["ssim"], answer["quality"]) == (1.0, 100)
    else:
        assert 0.5 < answer["ssim"] < 1


def test_less_quality_is_smaller_and_less_alike(image):
    worse, better = (ask(image, format="avif", quality=quality, width=640).json() for quality in (30, 90))
    assert worse["bytes"] < better["bytes"]
    assert worse["ssim"] < better["ssim"]


def test_a_page_s_copy_whose_file_was_lost_is_made_again(image, settings):
    made = rendition(image, "webp", 320)
    made.file.storage.delete(made.file.name)
    answer = ask(image, format="webp", width=320, quality=settings.RENDITION_QUALITY["webp"])
    assert answer.status_code == 200 and answer.json()["ssim"] > 0.5
    assert fetched(answer.json()["url"], Client())[0].size == (320, 213)
    assert not Image.objects.without_original().exists()


def test_the_usual_choice(image):
    answer = ask(image).json()
    assert (answer["format"], answer["quality"], answer["width"]) == ("webp", 80, 640)


def test_it_is_made_once_and_nothing_is_scaled_up(image, at_the_counter, stored):
    answers = [ask(image, at_the_counter, format="jpeg", quality=50, width=2048).json() for _n in range(2)]
    assert answers[0] == answers[1]
    assert len(stored("renditions")) == 1
    assert fetched(answers[0]["url"], at_the_counter)[0].size == (450, 300)


def test_a_copy_like_a_page_s_own_is_that_file(image, stored):
    made = rendition(image, "webp", 640)
    answer = ask(image, format="webp", quality=80, width=640).json()
    assert answer["bytes"] == made.bytes
    assert 0.5 < answer["ssim"] < 1
    assert len(stored("renditions")) == 1


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"format": "gif"}, "format"),
        ({"format": "avif", "quality": "61"}, "quality"),
        ({"format": "avif", "quality": "high"}, "quality"),
        ({"format": "png", "quality": "60"}, "quality"),
        ({"width": "801"}, "width"),
        ({"width": "-1"}, "width"),
        ({"height": "800"}, "height"),
    ],
)
def test_what_is_not_offered_is_named(image, at_the_counter, choices, field):
    response = ask(image, at_the_counter, **choices)
    assert response.status_code == 400
    assert response.json()["field"] == field
    assert not Rendition.objects.exists()


def test_more_than_pages_show_is_for_the_people_of_the_shop(image, shopper, moderator):
    client = Client()
    for choices in ({"format": "png"}, {"format": "webp-lossless"}, {"width": 1600}):
        client.logout()
        assert ask(image, client, **choices).status_code == 403
        client.force_login(shopper)
        assert ask(image, client, **choices).status_code == 403
        client.force_login(moderator)
        address = ask(image, client, **choices).json()["url"]
        assert client.get(address)["Cache-Control"] == "private, no-store"
        assert Client().get(address).status_code == 404  # the address alone opens nothing


def test_a_hidden_photo_is_not_there(image, at_the_counter):
    address = ask(image).json()["url"]
    assert Client().get(address)["Cache-Control"] == "public, max-age=300"
    image.product.hide()
    assert ask(image).status_code == 404
    assert Client().get(address).status_code == 404
    assert ask(image, at_the_counter).status_code == 200


def test_too_many_are_refused(image, settings):
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] | {"export": "2/min"}
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}
    statuses = [ask(image, width=width).status_code for width in (160, 320, 480)]
    assert statuses == [200, 200, 429]


def test_originals_that_are_missing_or_damaged(image):
    storage, name = image.original.storage, str(image.original.name)
    with storage.open(name, "wb") as file:
        file.write(b"damaged")
    assert ask(image).json()["code"] == "damaged"
    storage.delete(name)
    assert ask(image).status_code == 404


def test_a_copy_that_was_not_made_or_has_gone_is_not_there(image):
    assert Client().get(reverse("exported-file", args=[image.pk, 640, 60, "avif"])).status_code == 404
    assert Client().get(reverse("exported-file", args=[image.pk, 641, 60, "avif"])).status_code == 404
    rendition(image, "webp", 640)  # a page's, which nobody has exported
    assert Client().get(reverse("exported-file", args=[image.pk, 640, 80, "webp"])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_copies_go_after_some_days_and_files_of_pages_stay(image, stored):
    rendition(image, "webp", 640)
    ask(image, format="webp", quality=80, width=640)
    ask(image, format="avif", width=640)
    assert Rendition.objects.purge() == 0
    Rendition.objects.update(created_at=timezone.now() - timedelta(days=8))
    assert Rendition.objects.purge() == 1
    assert [(made.format, made.width) for made in Rendition.objects.all()] == [("webp", 640)]
    assert len(stored("renditions")) == 1


def test_transparency_is_kept_where_the_format_has_it(at_the_counter):
    cut = add_image(add_product("CUT", photos=0), io.BytesIO(files.transparent()), "a.png")
    for format in ("avif", "png", "webp-lossless", "webp"):
        picture, _content = fetched(ask(cut, at_the_counter, format=format).json()["url"], at_the_counter)
        assert picture.convert("RGBA").getpixel((1, 1))[3] == 0


@pytest.mark.parametrize("size", [(1, 1), (2, 90), (5, 4), (300, 3)])
def test_small_pictures_have_a_likeness_too(size):
    one, other = draw(size=size), Pillow.new("RGB", size, "blue")
    assert similarity(one, one) == 1.0
    assert similarity(one, other) < 0.9


# --- The page -----------------------------------------------------------------------------------------


def test_staff_choose_see_and_download(image, at_the_counter):
    product = at_the_counter.get(image.product.get_absolute_url()).content.decode()
    address = reverse("export", args=[image.pk])
    assert f'href="{address}"' in product
    empty = at_the_counter.get(address)
    assert empty.context["made"] is None
    assert not Rendition.objects.exists()
    page = at_the_counter.get(address, {"format": "avif", "quality": 60, "width": 800})
    made = Rendition.objects.get()
    assert f"{made.ssim:.4f}" in page.content.decode()
    download = at_the_counter.get(made.export_url)
    assert download["Content-Disposition"] == 'attachment; filename="DRESS-800.avif"'
    assert len(b"".join(download.streaming_content)) == made.bytes
    exact = at_the_counter.get(address, {"format": "png", "quality": 60, "width": 800}).content.decode()
    assert "Every pixel is the same." in exact


def test_the_page_is_for_the_people_of_the_shop(image, client, shopper):
    address = reverse("export", args=[image.pk])
    assert client.get(address).status_code == 302
    client.force_login(shopper)
    assert client.get(address).status_code == 403


def test_the_page_says_what_is_wrong(image, at_the_counter):
    address = reverse("export", args=[image.pk])
    wrong = at_the_counter.get(address, {"format": "gif"})
    assert wrong.status_code == 422
    assert "Choose from the lists." in wrong.content.decode()
    image.original.storage.delete(image.original.name)
    missing = at_the_counter.get(address, {"format": "avif", "width": 320})
    assert missing.status_code == 404
    assert "missing from storage" in missing.content.decode()
    assert Image.objects.without_original().exists()


def test_the_index_page_tells_what_is_saved(image, at_the_counter, django_assert_max_num_queries):
    rendition(image, "webp", 320)
    with django_assert_max_num_queries(16):
        page = at_the_counter.get("/index/")
    (served,) = page.context["storage"].served
    made = Rendition.objects.get()
    assert (served.files, served.bytes, served.originals) == (1, made.bytes, image.bytes)
    assert served.saved == round(100 * (1 - made.bytes / image.bytes)) > 50
    assert f"{served.saved} %" in page.content.decode()
