"""Photos that people contribute: sending, what becomes of them, answering, replacing and withdrawing."""

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gallery import visibility
from gallery.contributions import NotNow, contribute, replace, reply, withdraw
from gallery.merging import merge_products
from gallery.models import Image, Product, Role, User
from gallery.verification import Refused
from tests.catalogue import add_photo, add_product
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db
Status = Image.Status


@pytest.fixture(autouse=True)
def _quick_and_unthrottled(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture
def dress() -> Product:
    return add_product("DRESS")


@pytest.fixture
def client(shopper) -> Client:
    client = Client()
    client.force_login(shopper)
    return client


def picture(color: str = "blue", name: str = "Mine.jpg", size=(240, 180)) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, jpeg(color=color, size=size))


def send(client: Client, *files: SimpleUploadedFile, to: str = "/products/DRESS/add-photo/", mine: str = "on"):
    return client.post(to, {"file": list(files), "mine": mine})


def given(user: User, product: Product | None, color: str = "blue") -> Image:
    return contribute(user, io.BytesIO(jpeg(color=color)), f"{color}.jpg", product)


def text_of(response) -> str:
    return response.content.decode()


# --- Sending ----------------------------------------------------------------------------------------------


def test_a_photo_for_a_product_waits_and_is_hidden(client, shopper, dress):
    answer = send(client, picture())
    assert answer.url == "/uploads/"
    image = Image.objects.get(uploader=shopper)
    assert (image.product, image.status, image.source_name) == (dress, Status.PENDING, "Mine.jpg")
    assert image not in Image.objects.visible_to(visibility.public)
    assert str(image.pk) not in text_of(Client().get("/products/DRESS/"))
    assert Client().get(image.url(320)).status_code == 404
    own = text_of(client.get("/products/DRESS/"))
    assert str(image.pk) in own and own.count("Only you see this photo") == 1


def test_a_suggestion_is_a_draft_named_after_its_file(client, shopper):
    send(client, picture(name="Green_kettle.jpg"), to="/uploads/new/")
    image = Image.objects.get()
    product = image.product
    assert (product.title, product.sku, product.published) == ("Green kettle", "green_kettle", False)
    assert (image.status, image.uploader) == (Status.PENDING, shopper)
    assert Client().get("/products/green_kettle/").status_code == 404
    assert client.get("/products/green_kettle/").status_code == 200
    image.approve(by=None)
    assert Client().get("/products/green_kettle/").status_code == 404, "the shop publishes products"


def test_several_files_give_reasons_for_those_that_are_not_taken(client, dress, stored):
    before = stored()
    answer = send(client, picture("blue", "good.jpg"), SimpleUploadedFile("bad.jpg", b"no picture"))
    assert answer.status_code == 422
    good, bad = answer.context["receipt"]
    assert (good.ok, bad.ok) == (True, False)
    assert "bad.jpg" in bad.message
    assert len(stored()) == len(before) + 1


@pytest.mark.parametrize(
    ("files", "mine", "told"), [(0, "on", "No file"), (11, "on", "at most 10"), (1, "", "Confirm")]
)
def test_what_a_form_lacks_is_said(client, dress, files, mine, told):
    answer = send(client, *(picture(name=f"{n}.jpg") for n in range(files)), mine=mine)
    assert answer.status_code == 422
    assert told in text_of(answer)
    assert Image.objects.count() == 1


def test_the_same_file_twice_is_refused_until_it_was_withdrawn(client, shopper, dress):
    send(client, picture())
    answer = send(client, picture(name="again.jpg"))
    assert "again.jpg has been sent for this product already" in text_of(answer)
    withdraw(shopper.images.get(), by=shopper)
    assert send(client, picture()).status_code == 302


def test_so_many_may_wait_and_no_more(client, shopper, dress, settings, stored):
    settings.CONTRIBUTIONS_PENDING = 2
    send(client, picture("blue"), picture("green"))
    before = stored()
    with pytest.raises(Refused, match="2 photos of yours wait"):
        given(shopper, dress, "purple")
    assert stored() == before
    assert "Many photos of yours wait" in text_of(client.get("/products/DRESS/add-photo/"))
    shopper.images.first().approve(by=None)
    assert send(client, picture("purple")).status_code == 302


def test_many_files_in_a_short_time_are_stopped(client, dress, settings):
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": {"contribution": "1/hour"}}
    assert send(client, picture("blue")).status_code == 302
    answer = send(client, picture("green"))
    assert answer.status_code == 422
    assert "Try again in an hour" in text_of(answer)


@pytest.mark.parametrize("address", ["/products/DRESS/add-photo/", "/uploads/new/"])
def test_visitors_are_sent_to_sign_in(dress, address):
    assert send(Client(), picture(), to=address).url.startswith("/accounts/login/?next=")
    assert Client().get(address).url == f"/accounts/login/?next={address}"
    assert not Image.objects.filter(status=Status.PENDING).exists()


def test_products_that_one_does_not_see_take_no_photos(client):
    add_product("DRAFT", published=False)
    assert client.get("/products/DRAFT/add-photo/").status_code == 404
    assert send(client, picture(), to="/products/DRAFT/add-photo/").status_code == 404


def test_a_form_that_was_opened_before_a_merge_goes_to_the_kept_product(client, shopper, dress, staff):
    kept = merge_products(dress.pk, add_product("OLD", "square").pk, staff)
    kept.hide()
    old = "/products/OLD/add-photo/"
    assert client.get(old).status_code == send(client, picture(), to=old).status_code == 404
    kept.publish()
    assert client.get(old).url == "/products/DRESS/add-photo/"
    assert send(client, picture(), to=old).url == "/uploads/"
    assert shopper.images.get().product == dress


# --- My uploads -------------------------------------------------------------------------------------------


def test_every_state_is_said_in_words(client, shopper, moderator, dress):
    images = [given(shopper, dress, color) for color in ("blue", "green", "purple", "orange", "black")]
    images[0].approve(by=moderator)
    images[1].reject(moderator, "Too dark to see the seam.", Image.Fault.POOR)
    images[2].ask_for_changes(moderator, "Show the whole dress.")
    withdraw(images[3], by=shopper)
    page = text_of(client.get("/uploads/"))
    for words in (
        "Approved", "Rejected", "Changes requested", "Withdrawn", "Waiting for approval",
        "It is blurred, too dark, too small or cut off", "Too dark to see the seam.", "Show the whole dress.",
    ):  # fmt: skip
        assert words in page, words


@pytest.mark.parametrize("stored", ["It is blurred, too dark, too small or cut off", "模糊、太暗、太小或被裁切"])
def test_a_reason_without_words_of_its_own_is_said_once(client, shopper, moderator, dress, stored):
    image = given(shopper, dress)
    desk = Client(headers={"accept-language": "zh-hans"})
    desk.force_login(moderator)
    desk.post(f"/moderation/{image.pk}/decide/", {"act": "reject:poor", "revision": image.revision})
    image.refresh_from_db()
    assert image.status_reason == "It is blurred, too dark, too small or cut off", "in no moderator's language"
    Image.objects.filter(pk=image.pk).update(status_reason=stored)  # as rows of before have it
    for address in ("/uploads/", f"/uploads/{image.pk}/"):
        page = text_of(client.get(address))
        assert page.count("It is blurred, too dark, too small or cut off") == 1
        assert "模糊、太暗、太小或被裁切" not in page, "the contributor reads another language"


def test_every_state_says_what_can_be_done(client, shopper, moderator, dress):
    image = given(shopper, dress)

    def page() -> str:
        return text_of(client.get(f"/uploads/{image.pk}/"))

    image.ask_for_changes(moderator, "Show all of it.")
    assert "send another file, or answer" in page()
    image.reject(moderator, "No.")
    assert "Nobody else sees this photo." in page()
    image.take_down(moderator, "No.")
    assert "Ask whoever runs this site" in page()


def test_the_list_takes_the_same_number_of_queries_however_long(client, shopper, dress):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            client.get("/uploads/")
        return len(caught)

    given(shopper, dress, "blue")
    few = queries()
    for color in ("green", "purple", "orange"):
        given(shopper, dress, color)
        given(shopper, None, color)
    assert queries() == few


def test_photos_of_others_do_not_exist(client, shopper, dress):
    other = User.objects.create_user("other", "other@example.com", "x")
    image = given(other, dress)
    assert "blue.jpg" not in text_of(client.get("/uploads/"))
    assert client.get(f"/uploads/{image.pk}/").status_code == 404
    for verb in ("reply", "file", "withdraw"):
        assert client.post(f"/uploads/{image.pk}/{verb}/", {"reply": "x", "file": picture("red")}).status_code == 404
    image.refresh_from_db()
    assert (image.status, image.reply) == (Status.PENDING, "")


def test_a_photo_that_was_taken_down_is_not_shown_and_nothing_can_be_done(client, shopper, moderator, dress):
    image = given(shopper, dress)
    image.reject(moderator, "It belongs to somebody else.", Image.Fault.STOLEN)
    Image.objects.filter(pk=image.pk).update(taken_down_at=timezone.now())
    page = text_of(client.get(f"/uploads/{image.pk}/"))
    assert "Taken down" in page and image.url(640, "jpeg") not in page
    assert [client.get(image.url(width)).status_code for width in (320, 640)] == [404, 404]
    assert client.get(f"/products/photos/{image.pk}/report/").status_code == 404
    assert "Your answer" not in page
    with pytest.raises(NotNow, match="Taken down"):
        reply(image, shopper, "It is mine.")


# --- Answering --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [True, False])
def test_one_answer_brings_a_photo_back_to_the_moderators(client, shopper, moderator, dress, asked):
    image = given(shopper, dress)
    if asked:
        image.ask_for_changes(moderator, "Is that the same dress?")
    else:
        image.reject(moderator, "That is another dress.", Image.Fault.OTHER_PRODUCT)
    client.post(f"/uploads/{image.pk}/reply/", {"reply": "It is the same, in evening light."})
    image.refresh_from_db()
    assert (image.status, image.reply) == (Status.PENDING, "It is the same, in evening light.")
    assert image.moderated_by == moderator, "the contributor decided nothing"
    assert image.status_reason, "what was said stays to be read"
    assert image.history.first().history_user == shopper
    image.reject(moderator, "No.")
    answer = client.post(f"/uploads/{image.pk}/reply/", {"reply": "But it is!"}, follow=True)
    assert "answered already" in text_of(answer)
    image.refresh_from_db()
    assert (image.status, image.reply) == (Status.REJECTED, "It is the same, in evening light.")


@pytest.mark.parametrize("status", [Status.PENDING, Status.APPROVED, Status.WITHDRAWN])
def test_nothing_was_asked_of_other_photos(client, shopper, dress, status):
    image = given(shopper, dress)
    Image.objects.filter(pk=image.pk).set_status(status)
    assert "Answer the moderator" not in text_of(client.get(f"/uploads/{image.pk}/"))
    answer = client.post(f"/uploads/{image.pk}/reply/", {"reply": "Hello"}, follow=True)
    assert "no longer possible" in text_of(answer)
    image.refresh_from_db()
    assert (image.status, image.reply) == (status, "")


@pytest.mark.parametrize("words", ["", "x" * 501])
def test_an_answer_has_words_but_not_too_many(client, shopper, dress, words):
    image = given(shopper, dress)
    image.ask_for_changes(None, "Which?")
    assert client.post(f"/uploads/{image.pk}/reply/", {"reply": words}).status_code == 422
    image.refresh_from_db()
    assert image.status == Status.CHANGES_REQUESTED


# --- Withdrawing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.PENDING, Status.CHANGES_REQUESTED, Status.APPROVED])
def test_a_photo_is_taken_back(client, shopper, dress, announced, status):
    image = given(shopper, dress)
    Image.objects.filter(pk=image.pk).set_status(status)
    announced.take()
    answer = client.post(f"/uploads/{image.pk}/withdraw/", follow=True)
    assert "The photo is withdrawn" in text_of(answer)
    image.refresh_from_db()
    assert image.status == Status.WITHDRAWN
    assert announced.take() == {image.pk}
    assert Client().get(image.url(320)).status_code == 404


def test_what_a_moderator_decided_meanwhile_counts(client, shopper, dress):
    image = given(shopper, dress)
    image.reject(None, "No.")
    assert "now “Rejected”" in text_of(client.post(f"/uploads/{image.pk}/withdraw/", follow=True))
    image.refresh_from_db()
    assert image.status == Status.REJECTED


# --- Replacing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [True, False])
def test_a_hidden_photo_takes_another_file_at_once(client, shopper, dress, stored, asked):
    image = given(shopper, dress)
    if asked:
        image.ask_for_changes(None, "Brighter, please.")
    files, sha = len(stored()), image.sha256
    with_commit = client.post(f"/uploads/{image.pk}/file/", {"file": picture("green")})
    assert with_commit.url == f"/uploads/{image.pk}/"
    image.refresh_from_db()
    assert image.status == Status.PENDING and image.sha256 != sha
    assert len(stored()) == files + 1, "the old file goes with the commit"
    assert shopper.images.count() == 1


def test_an_approved_photo_stays_until_the_new_one_is_approved(client, shopper, moderator, dress, stored):
    old = given(shopper, dress)
    old.approve(by=moderator)
    answer = client.post(f"/uploads/{old.pk}/file/", {"file": picture("green")}, follow=True)
    assert "stays as it is until then" in text_of(answer)
    new = Image.objects.get(replaces=old)
    assert (new.status, new.position, new.uploader) == (Status.PENDING, old.position, shopper)
    old.refresh_from_db()
    assert old.is_public and not new.is_public
    assert "A newer file waits" in text_of(client.get(f"/uploads/{old.pk}/"))
    new.approve(by=moderator)
    old.refresh_from_db()
    assert (old.status, old.moderated_by) == (Status.WITHDRAWN, moderator)
    assert new.is_public
    assert old.original.storage.exists(old.original.name), "nothing is lost"
    assert old.history.first().history_change_reason == "Replaced by a newer photo"
    assert "Replaced by a newer photo" in text_of(client.get(f"/uploads/{old.pk}/"))
    assert [image.pk for image in Image.objects.visible_to(visibility.public).filter(uploader=shopper)] == [new.pk]


def test_an_approval_of_many_takes_over_at_once_and_can_be_taken_back(shopper, moderator, dress, announced):
    old, other = given(shopper, dress, "blue"), given(shopper, dress, "purple")
    old.approve(by=moderator)
    new = replace(old, shopper, io.BytesIO(jpeg(color="green")), "new.jpg")
    announced.take()
    decided = Image.objects.filter(status=Status.PENDING)
    keys = decided.primary_keys()
    assert decided.set_status(Status.APPROVED, by=moderator) == 2
    assert announced.take() == {old.pk, new.pk, other.pk}
    states = dict(Image.objects.filter(uploader=shopper).values_list("pk", "status"))
    assert states == {old.pk: Status.WITHDRAWN, new.pk: Status.APPROVED, other.pk: Status.APPROVED}
    Image.objects.filter(pk__in=keys).set_status(Status.PENDING, by=moderator)
    states = dict(Image.objects.filter(uploader=shopper).values_list("pk", "status"))
    assert states == {old.pk: Status.APPROVED, new.pk: Status.PENDING, other.pk: Status.PENDING}


@pytest.mark.parametrize("status", [Status.REJECTED, Status.CHANGES_REQUESTED])
def test_a_refused_replacement_leaves_the_old_photo(shopper, moderator, dress, status):
    old = given(shopper, dress)
    old.approve(by=moderator)
    new = replace(old, shopper, io.BytesIO(jpeg(color="green")), "new.jpg")
    Image.objects.filter(pk=new.pk).set_status(status, moderator, "No.")
    old.refresh_from_db()
    assert old.is_public


def test_what_its_contributor_took_back_never_comes_back(shopper, moderator, dress):
    old = given(shopper, dress)
    old.approve(by=moderator)
    new = replace(old, shopper, io.BytesIO(jpeg(color="green")), "new.jpg")
    new.approve(by=moderator)
    withdraw(new, by=shopper)
    Image.objects.filter(pk=new.pk).set_status(Status.PENDING, by=moderator)
    old.refresh_from_db()
    assert old.status == Status.WITHDRAWN


def test_withdrawing_takes_the_waiting_replacement_along(shopper, dress):
    old = given(shopper, dress)
    old.approve(by=None)
    new = replace(old, shopper, io.BytesIO(jpeg(color="green")), "new.jpg")
    withdraw(old, by=shopper)
    new.refresh_from_db()
    assert new.status == Status.WITHDRAWN


def test_only_one_replacement_waits(client, shopper, dress):
    old = given(shopper, dress)
    old.approve(by=None)
    for color in ("green", "purple"):
        client.post(f"/uploads/{old.pk}/file/", {"file": picture(color)})
    new = Image.objects.get(replaces=old)
    assert new.swatch == "purple"


@pytest.mark.parametrize(
    ("file", "told"), [(None, "No file was sent"), (picture("blue"), "very file"), (b"<html>", "not a picture")]
)
def test_a_file_that_is_not_taken_changes_nothing(client, shopper, dress, stored, file, told):
    image = given(shopper, dress)
    before = (stored(), image.revision)
    file = SimpleUploadedFile("page.jpg", file) if isinstance(file, bytes) else file
    answer = client.post(f"/uploads/{image.pk}/file/", {"file": file} if file else {})
    assert answer.status_code == 422
    assert told in text_of(answer)
    image.refresh_from_db()
    assert (stored(), image.revision) == before


def test_a_rejected_photo_takes_no_other_file(client, shopper, dress, stored):
    image = given(shopper, dress)
    image.reject(None, "No.")
    before = stored()
    answer = client.post(f"/uploads/{image.pk}/file/", {"file": picture("green")}, follow=True)
    assert "no longer possible" in text_of(answer)
    assert stored() == before


def test_photos_of_staff_are_theirs_to_withdraw_too(staff):
    group = Group.objects.get(name=Role.STAFF)
    assert group in staff.groups.all()
    image = add_photo(add_product("HAT"), "square", "blue", "hat.jpg", uploader=staff)
    Image.objects.filter(pk=image.pk).update(created_at=timezone.now() - timedelta(days=3))
    client = Client()
    client.force_login(staff)
    assert "hat.jpg" in text_of(client.get("/uploads/"))
