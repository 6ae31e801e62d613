"""Query photos: who sends, sees and forgets them."""

import io
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image as Pillow

from gallery.models import User
from gallery.storage import walk
from search import photos
from search.encoders import slot
from search.models import QueryEmbedding, QueryPhoto
from tests.gallery import files
from tests.pictures import draw, encode, jpeg
from tests.search.bad_files import REFUSED

pytestmark = pytest.mark.django_db


def send(client, data: bytes | None = None, name: str = "mine.jpg", **fields):
    file = SimpleUploadedFile(name, jpeg() if data is None else data, "image/jpeg")
    return client.post(reverse("search-photo"), {"image": file, **fields}, headers={"accept": "application/json"})


def kept_files() -> list[str]:
    try:
        return list(walk(storages["queries"]))
    except FileNotFoundError:
        return []


@pytest.fixture(autouse=True)
def _empty_storage():
    for name in kept_files():
        storages["queries"].delete(name)


def test_a_photo_leads_to_its_results(client, shop):
    answer = send(client)
    assert answer.status_code == 201
    body = answer.json()
    photo = QueryPhoto.objects.get()
    assert body["url"] == f"/search/?photo={photo.pk}"
    assert body["photo"] == {
        "id": str(photo.pk),
        "url": reverse("search-photo-file", args=[photo.pk]),
        "width": 240,
        "height": 180,
    }
    page = client.get(body["url"]).context["page"]
    assert page.bands[0].cards[0].product.sku == "RED-CIRCLE"
    assert page.photo.key == str(photo.pk)


def test_without_a_script_the_browser_is_led_on(client, shop):
    file = SimpleUploadedFile("mine.jpg", jpeg(), "image/jpeg")
    response = client.post(reverse("search-photo"), {"image": file, "next": "?brand=7&q=red&page=3"})
    assert response.status_code == 303
    assert response["Location"] == f"/search/?q=red&photo={QueryPhoto.objects.get().pk}&brand=7"


def test_what_is_kept_is_small_upright_and_bare(client, shop):
    exif = Pillow.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    exif[0x010F] = "A camera"
    send(client, encode(draw(size=(2000, 1500)), "JPEG", exif=exif))
    photo = QueryPhoto.objects.get()
    assert (photo.width, photo.height) == (960, 1280)
    response = client.get(reverse("search-photo-file", args=[photo.pk]))
    assert response["Cache-Control"] == "private, no-store"
    assert response["Content-Type"] == "image/jpeg"
    kept = Pillow.open(io.BytesIO(response.getvalue()))
    assert kept.size == (960, 1280)
    assert not kept.getexif()
    assert b"A camera" not in response.getvalue()


def test_heic_from_a_phone_is_taken(client, shop):
    body = send(client, files.HEIC, "IMG_0001.HEIC").json()
    assert client.get(body["photo"]["url"])["Content-Type"] == "image/jpeg"


def test_files_that_a_crash_left_are_swept_after_their_grace(client, shop, settings):
    send(client)
    storages["queries"].save("aa/bb/left.jpg", ContentFile(jpeg()))
    photos.delete_expired()
    assert len(kept_files()) == 2
    settings.UNNAMED_FILES_KEPT_HOURS = 0
    photos.delete_expired()
    assert kept_files() == [QueryPhoto.objects.get().file.name]


@pytest.mark.parametrize("kind", REFUSED)
def test_bad_files_are_refused_in_words(client, shop, kind):
    name, data, status = REFUSED[kind]
    answer = send(client, data, name)
    assert answer.status_code == status
    assert name in answer.json()["error"]
    assert answer.json()["code"]
    file = SimpleUploadedFile(name, data, "image/jpeg")
    page = client.post(reverse("search-photo"), {"image": file})
    assert page.status_code == status
    assert page.context["error"] == answer.json()["error"]
    assert "search/home.html" in [template.name for template in page.templates]
    assert (QueryPhoto.objects.count(), kept_files()) == (0, [])


def test_no_file_is_said_to_be_missing(client, shop):
    answer = client.post(reverse("search-photo"), {}, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "missing")


@pytest.mark.parametrize("limit", ["MAX_IMAGE_BYTES", "MAX_IMAGE_PIXELS"])
def test_files_over_a_limit_are_too_large(client, shop, settings, limit):
    setattr(settings, limit, 1000)
    answer = send(client)
    assert answer.status_code == 413
    assert "mine.jpg" in answer.json()["error"]
    assert kept_files() == []


def test_nobody_else_sees_the_photo(client, client_of, shop):
    body = send(client).json()
    stranger = client_of(None)
    key = body["photo"]["id"]
    assert stranger.get(body["photo"]["url"]).status_code == 404
    assert stranger.post(reverse("search-photo-forget", args=[key])).status_code == 404
    page = stranger.get(f"{body['url']}&q=circle").context["page"]
    assert page.photo is None
    assert page.query.canonical == "q=circle"
    assert len(page.notes) == 1
    assert client.get(body["photo"]["url"]).status_code == 200


def test_a_photo_of_a_user_goes_with_the_user(client_of, shop, django_capture_on_commit_callbacks):
    user = User.objects.create_user("ada", "ada@example.com", "x")
    body = send(client_of(user)).json()
    assert client_of(user).get(body["photo"]["url"]).status_code == 200
    assert client_of(None).get(body["photo"]["url"]).status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        user.delete()
    assert kept_files() == []


def test_forgetting_deletes_all_and_keeps_the_rest_of_the_query(client, shop, django_capture_on_commit_callbacks):
    body = send(client, next="q=circle").json()
    view = client.get(body["url"]).context["page"].photo
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(view.forget_url)
    assert (response.status_code, response["Location"]) == (303, "/search/?q=circle")
    assert (QueryPhoto.objects.count(), QueryEmbedding.objects.count(), kept_files()) == (0, 0, [])
    assert client.get(body["photo"]["url"]).status_code == 404


def test_forgetting_needs_a_post(client, shop):
    key = send(client).json()["photo"]["id"]
    assert client.get(reverse("search-photo-forget", args=[key])).status_code == 405
    assert QueryPhoto.objects.count() == 1


def test_expired_photos_are_gone_before_and_after_the_sweep(client, shop, django_capture_on_commit_callbacks):
    body = send(client, next="q=circle").json()
    send(client)
    QueryPhoto.objects.filter(pk=body["photo"]["id"]).update(expires_at=timezone.now() - timedelta(seconds=1))
    page = client.get(body["url"]).context["page"]
    assert (page.query.canonical, len(page.notes)) == ("q=circle", 1)
    with django_capture_on_commit_callbacks(execute=True):
        assert photos.delete_expired() == 1
    assert QueryPhoto.objects.count() == len(kept_files()) == 1


def test_a_filter_click_encodes_nothing(client, shop, encoded):
    body = send(client).json()
    assert encoded == [1]
    url = body["url"]
    for more in ("", "&brand=1", "&q=circle", "&price_max=12", "&sort=price", "&w=color:1"):
        assert client.get(url + more).status_code == 200
    assert encoded == [1]


def test_a_busy_encoder_keeps_the_photo_and_says_when_to_come_back(client, shop, settings, encoded):
    settings.ENCODER_WAIT_SECONDS = 0.01
    with slot._slot:
        body = send(client)
        assert body.status_code == 201
        page = client.get(body.json()["url"])
    assert page.status_code == 503
    assert int(page["Retry-After"]) >= 1
    assert page.context["query_string"] == body.json()["url"].partition("?")[2]
    assert client.get(body.json()["url"]).context["page"].total > 0
    assert encoded == [1]


def test_before_anything_is_indexed_a_photo_is_kept(client, db):
    body = send(client).json()
    page = client.get(body["url"]).context["page"]
    assert page.photo is not None
    assert (page.total, len(page.notes)) == (0, 1)


def test_a_blank_photo_says_that_there_is_nothing_to_compare(client, shop, index):
    body = send(client, encode(draw(color="white"), "PNG"), "blank.png").json()
    assert client.get(body["url"]).status_code == 200


def test_sending_too_often_is_answered_in_words(client, shop, settings):
    rates = {"search": "99/min", "photo": "2/min"}
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}
    # The first counts for the address, as the session begins with it; the next two for the session.
    assert [send(client).status_code for _ in range(4)] == [201, 201, 201, 429]
    refused = send(client)
    assert refused.json()["code"] == "too_often"
    assert 1 <= int(refused["Retry-After"]) <= 60
