"""The moderation queue through its addresses: every key's action, undo, collisions, reports, takedown, the audit."""

import io
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gallery.contributions import contribute, replace, reply, withdraw
from gallery.intake import add_image
from gallery.merging import merge_images, merge_products
from gallery.models import Claim, Decision, Image, Report, Role, User
from gallery.renditions import rendition
from search.safety.upkeep import purge_taken_down
from tests.catalogue import add_photo, add_product
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db

JSON = {"headers": {"accept": "application/json"}}
FAULTS = [fault.value for fault in Image.Fault]


@pytest.fixture
def second(db) -> User:
    user = User.objects.create_user("second", "second@example.com", "a long password", first_name="Sec")
    user.groups.add(Group.objects.get_or_create(name=Role.MODERATOR)[0])
    return user


@pytest.fixture
def desk(moderator) -> Client:
    return client_of(moderator)


@pytest.fixture
def photos(shopper) -> list[Image]:
    """Three that wait, in the order in which they came."""
    return waiting(3, shopper)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def waiting(count: int, uploader: User) -> list[Image]:
    product = add_product("DRESS", photos=1)
    return [
        add_photo(product, "circle", "red", f"sent-{n}.jpg", size=(240 + n, 180), uploader=uploader, status="pending")
        for n in range(count)
    ]


def decide(client: Client, image: Image, act: str, revision: int | None = None, **data):
    data |= {"act": act, "revision": image.revision if revision is None else revision}
    return client.post(reverse("moderation-decide", args=[image.pk]), data, **JSON)


def state_of(image: Image) -> tuple:
    """All that a decision changes."""
    fields = ("status", "status_reason", "fault", "moderated_by_id", "moderated_at", "taken_down_at")
    return Image.objects.values_list(*fields).get(pk=image.pk)


def offered(client: Client) -> Image | None:
    return client.get("/moderation/").context["image"]


# --- Who may --------------------------------------------------------------------------------------------------


def addresses(image: Image) -> list[str]:
    names = ("moderation", "moderation-ahead", "moderation-reports")
    by_key = ("moderation-one", "evidence")
    return [*map(reverse, names), *(reverse(name, args=[image.pk]) for name in by_key)]


def test_strangers_sign_in_and_everybody_else_is_refused(client, photos, shopper, staff):
    pages, audits = addresses(photos[0]), [reverse("audit-image", args=[photos[0].pk]), "/audit/products/DRESS/"]
    posts = [reverse("moderation-decide", args=[photos[0].pk]), *map(reverse, ("moderation-undo", "moderation-claims"))]
    for address in pages + audits:
        assert client.get(address).url.startswith("/accounts/login/?next=/"), address
    for address in posts:
        assert client.post(address).url.startswith("/accounts/login/"), address
    for user, refused in ((shopper, pages + audits), (staff, pages)):
        own = client_of(user)
        assert {own.get(address).status_code for address in refused} == {403}
        assert {own.post(address).status_code for address in posts} == {403}
    assert client_of(staff).get(audits[0]).status_code == 200
    assert state_of(photos[0])[0] == "pending"


# --- The queue ------------------------------------------------------------------------------------------------


def test_the_photo_that_waited_longest_comes_first_with_its_evidence(desk, photos, shopper):
    Image.objects.filter(pk=photos[0].pk).update(reply="It is my own.", replied_at=timezone.now())
    page = desk.get("/moderation/")
    shown = page.context["shown"]
    assert page.context["image"] == photos[0]
    assert (shown.record.who, shown.record.pending, shown.record.approved) == (shopper, 3, 0)
    html = page.content.decode()
    assert "too small to zoom: 240 px" in html
    assert "It is my own." in html
    assert reverse("evidence", args=[photos[0].pk]) in html
    assert [one["count"] for one in page.context["states"]] == [3, 0, 0, 0, 0]


def test_administrators_are_led_to_the_administration(desk, photos):
    chief = User.objects.create_superuser("chief", "chief@example.com", "a long password")
    page, link = f"/moderation/{photos[0].pk}/", reverse("admin:gallery_image_change", args=[photos[0].pk])
    assert link in client_of(chief).get(page).content.decode()
    assert link not in desk.get(page).content.decode()


@pytest.mark.parametrize("number", range(1, 7))
def test_a_number_rejects_for_its_reason(desk, photos, moderator, number):
    code = FAULTS[number - 1]
    assert f'value="reject:{code}"' in desk.get("/moderation/").content.decode().split(f'data-key="{number}"')[0][-200:]
    answer = decide(desk, photos[0], f"reject:{code}")
    assert answer.json()["said"] == "Rejected: sent-0.jpg"
    photos[0].refresh_from_db()
    assert (photos[0].status, photos[0].fault, photos[0].moderated_by) == ("rejected", code, moderator)
    assert photos[0].status_reason == Image.Fault(code).label
    assert offered(desk) == photos[1]


def test_approve_and_its_history(desk, photos, moderator):
    assert decide(desk, photos[0], "approve").json()["counts"]["pending"] == 2
    assert state_of(photos[0])[0] == "approved"
    record = photos[0].history.first()
    assert (record.history_user, record.status) == (moderator, "approved")
    assert Client().get(photos[0].url(320)).status_code == 200


def test_a_change_needs_a_sentence(desk, photos):
    answer = decide(desk, photos[0], "change", reason="  ")
    assert (answer.status_code, answer.json()["error"]) == (422, "Write a sentence that says what to change.")
    assert state_of(photos[0])[0] == "pending"
    decide(desk, photos[0], "change", reason="Show the whole dress, please.")
    assert state_of(photos[0])[:2] == ("changes_requested", "Show the whole dress, please.")


def test_a_long_reason_is_kept_whole(desk, photos):
    decide(desk, photos[0], "reject:other", reason="x" * 300)
    assert len(photos[0].history.first().status_reason) == 300
    assert decide(desk, photos[1], "reject:other", reason="x" * 301).status_code == 422


@pytest.mark.parametrize("act", ["", "reject", "reject:boring", "approve:poor", "praise"])
def test_what_is_no_decision_changes_nothing(desk, photos, act):
    assert decide(desk, photos[0], act).status_code == 422
    assert state_of(photos[0])[0] == "pending"


def test_skipped_photos_come_back_when_asked_for(desk, photos, second):
    for photo in photos:
        decide(desk, photo, "skip")
    page = desk.get("/moderation/")
    assert (page.context["image"], page.context["skipped"]) == (None, 3)
    assert offered(client_of(second)) == photos[0]  # to another moderator they are as good as new
    Claim.objects.all().delete()
    desk.post("/moderation/skipped/")
    assert offered(desk) == photos[0]


def test_buttons_work_without_scripts(desk, photos):
    address = reverse("moderation-decide", args=[photos[0].pk])
    page = desk.post(address, {"act": "reject:poor", "revision": photos[0].revision}, follow=True)
    assert page.redirect_chain == [("/moderation/", 302)]
    assert "Rejected: sent-0.jpg" in page.content.decode()
    assert page.context["image"] == photos[1]
    page = desk.post("/moderation/undo/", follow=True)
    assert page.redirect_chain == [(reverse("moderation-one", args=[photos[0].pk]), 302)]
    assert state_of(photos[0])[0] == "pending"


def test_other_states_are_contact_sheets(desk, photos, django_assert_max_num_queries):
    decide(desk, photos[0], "reject:poor")
    decide(desk, photos[1], "change", reason="Straighten it.")
    with django_assert_max_num_queries(14):
        page = desk.get("/moderation/?state=rejected")
    assert [image.pk for image in page.context["page"]] == [photos[0].pk]
    assert [image.pk for image in desk.get("/moderation/?state=changes_requested").context["page"]] == [photos[1].pk]
    assert [one["count"] for one in page.context["states"]] == [1, 1, 1, 0, 0]


def test_photos_ahead_are_claimed_and_need_as_many_queries_as_one(
    desk, photos, moderator, django_assert_max_num_queries
):
    desk.get("/moderation/")
    with django_assert_max_num_queries(26):
        html = desk.get(f"/moderation/ahead/?have={photos[0].pk}").content.decode()
    assert html.count("data-judge") == 2
    assert set(Claim.objects.filter(moderator=moderator).values_list("image", flat=True)) == {p.pk for p in photos}


# --- Two moderators -------------------------------------------------------------------------------------------


def test_a_claimed_photo_is_not_offered_to_another(desk, photos, second):
    other = client_of(second)
    assert (offered(desk), offered(other)) == (photos[0], photos[1])
    assert (
        "moderator is looking at this photo, too."
        in other.get(reverse("moderation-one", args=[photos[0].pk])).content.decode()
    )
    Claim.objects.filter(image=photos[0]).update(until=timezone.now() - timedelta(seconds=1))
    assert offered(other) == photos[0]  # the claim ran out


def test_a_claim_lasts_as_long_as_somebody_looks(desk, photos, second):
    offered(desk)
    Claim.objects.update(until=timezone.now() + timedelta(seconds=1))
    desk.post("/moderation/claims/", {"have": [str(photos[0].pk), "nonsense"]})
    assert Claim.objects.get(image=photos[0]).until > timezone.now() + timedelta(seconds=60)
    # Nobody takes over what another one looks at.
    client_of(second).post("/moderation/claims/", {"have": [str(photos[0].pk)]})
    assert Claim.objects.get(image=photos[0]).moderator.username == "moderator"


def test_who_comes_second_changes_nothing_and_is_told(desk, photos, second):
    seen = photos[0].revision
    decide(client_of(second), photos[0], "approve")
    before = state_of(photos[0])
    answer = decide(desk, photos[0], "reject:poor", revision=seen)
    assert answer.status_code == 409
    assert answer.json()["error"] == "second has decided on “sent-0.jpg” meanwhile: Approved. Nothing was changed."
    assert state_of(photos[0]) == before
    Image.objects.filter(pk=photos[1].pk).delete()
    assert decide(desk, photos[1], "approve").status_code == 409


def test_a_photo_that_was_edited_is_looked_at_again(desk, photos):
    Image.objects.filter(pk=photos[0].pk).move_to(add_product("OTHER"))
    answer = decide(desk, photos[0], "approve")
    assert (answer.status_code, state_of(photos[0])[0]) == (409, "pending")
    assert "Look at it again" in answer.json()["error"]


# --- Undo -----------------------------------------------------------------------------------------------------


def test_ten_decisions_are_undone_to_the_exact_states(desk, shopper, second):
    photos = waiting(10, shopper)
    photos[3].reject(second, "Too dark.", "poor")
    photos[4].ask_for_changes(second, "Once more.")
    photos[5].take_down(second, "Somebody objected.", "stolen")
    acts = ["approve", *(f"reject:{code}" for code in FAULTS[:3]), "approve", "restore", *(
        f"reject:{code}" for code in FAULTS[3:]), "take_down"]  # fmt: skip
    assert len(acts) == 10
    before = {}
    for photo, act in zip(photos, acts, strict=True):
        photo.refresh_from_db()
        before[photo.pk] = state_of(photo)
        assert decide(desk, photo, act).status_code == 200, act
        assert state_of(photo) != before[photo.pk]
    for photo in reversed(photos):
        answer = desk.post("/moderation/undo/", **JSON).json()
        assert answer["key"] == str(photo.pk)
        assert f'data-photo="{photo.pk}"' in answer["html"]
        assert state_of(photo) == before[photo.pk]
    assert answer["can_undo"] is False
    last = desk.post("/moderation/undo/", **JSON)
    assert (last.status_code, last.json()["error"]) == (409, "There is no decision of yours left to undo.")
    assert photos[0].history.first().history_change_reason == "Undone: Approved"


def test_what_another_changed_since_is_not_undone_but_what_came_before_is(desk, photos, second):
    decide(desk, photos[0], "approve")
    decide(desk, photos[1], "reject:poor")
    photos[1].refresh_from_db()
    photos[1].approve(second)
    answer = desk.post("/moderation/undo/", **JSON)
    assert answer.status_code == 409
    assert "“sent-1.jpg” has been changed since" in answer.json()["error"]
    assert state_of(photos[1])[0] == "approved"
    assert desk.post("/moderation/undo/", **JSON).json()["key"] == str(photos[0].pk)
    assert state_of(photos[0])[0] == "pending"


def test_everybody_undoes_their_own(desk, photos, second):
    decide(desk, photos[0], "approve")
    assert client_of(second).post("/moderation/undo/", **JSON).status_code == 409
    assert state_of(photos[0])[0] == "approved"


def test_several_decisions_on_one_photo_are_undone_one_after_the_other(desk, photos, second):
    before = []
    for act in ("approve", "reject:poor", "take_down", "restore"):
        before.append(state_of(photos[0]))
        photos[0].refresh_from_db()
        assert decide(desk, photos[0], act).status_code == 200, act
    for state in reversed(before):
        assert desk.post("/moderation/undo/", **JSON).json()["key"] == str(photos[0].pk)
        assert state_of(photos[0]) == state
    assert desk.post("/moderation/undo/", **JSON).status_code == 409
    # What another one decided in between still stands against it.
    photos[0].refresh_from_db()
    decide(desk, photos[0], "approve")
    photos[0].refresh_from_db()
    photos[0].reject(second, "No.", "poor")
    assert desk.post("/moderation/undo/", **JSON).status_code == 409


def test_a_replaced_photo_gives_way_again_when_the_request_for_a_change_is_undone(desk, shopper, photos):
    old = photos[0]
    decide(desk, old, "approve")
    new = replace(old, shopper, io.BytesIO(jpeg(color="green")), "new.jpg")
    decide(desk, new, "approve")
    before = [state_of(image) for image in (old, new)]
    assert [state[0] for state in before] == ["withdrawn", "approved"]
    new.refresh_from_db()
    decide(desk, new, "change", reason="Brighter, please.")
    assert [state_of(image)[0] for image in (old, new)] == ["approved", "changes_requested"]
    desk.post("/moderation/undo/", **JSON)
    assert [state_of(image) for image in (old, new)] == before
    desk.post("/moderation/undo/", **JSON)
    assert [state_of(image)[0] for image in (old, new)] == ["approved", "pending"]


def test_a_look_alike_that_was_merged_away_leaves_the_kept_photo_as_it_is(desk, photos, staff):
    also = [f"{photos[1].pk}:{photos[1].revision}"]
    decide(desk, photos[0], "reject:duplicate", also=also)
    shops = photos[0].product.images.get(source_name="DRESS-0.jpg")
    merge_images(shops.pk, photos[1].pk, staff)
    shops.refresh_from_db()
    assert shops.revision == Decision.objects.get(image=shops).revision, "as if the decision had been about it"
    assert desk.post("/moderation/undo/", **JSON).json()["key"] == str(photos[0].pk)
    assert (state_of(photos[0])[0], state_of(shops)[0]) == ("pending", "approved")


@pytest.mark.django_db(transaction=True)
def test_two_undos_at_once_take_two_decisions_back(desk, photos, moderator):
    for photo in photos[:2]:
        decide(desk, photo, "approve")

    def undo():
        try:
            return desk.post("/moderation/undo/", **JSON)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert Decision.objects.undo_last(moderator)[0].image == photos[1]
            other = pool.submit(undo)
            time.sleep(1)  # it has read which decision is the last, and waits for this transaction
        answer = other.result()
    assert (answer.status_code, answer.json()["key"]) == (200, str(photos[0].pk))
    assert {state_of(photo)[0] for photo in photos} == {"pending"}


def test_look_alikes_go_together_and_come_back_together(desk, photos):
    also = [f"{photo.pk}:{photo.revision}" for photo in photos[1:]]
    answer = decide(desk, photos[0], "reject:duplicate", also=[*also, "nonsense"])
    assert answer.json()["said"] == "Rejected: sent-0.jpg and 2 look-alikes"
    assert {state_of(photo)[0] for photo in photos} == {"rejected"}
    assert Decision.objects.values("batch").distinct().count() == 1
    assert desk.post("/moderation/undo/", **JSON).json()["key"] == str(photos[0].pk)
    assert {state_of(photo)[0] for photo in photos} == {"pending"}


def test_one_look_alike_that_was_decided_on_stops_all(desk, photos, second):
    also = [f"{photo.pk}:{photo.revision}" for photo in photos[1:]]
    photos[2].approve(second)
    assert decide(desk, photos[0], "reject:duplicate", also=also).status_code == 409
    assert [state_of(photo)[0] for photo in photos] == ["pending", "pending", "approved"]


# --- Reports and takedown -------------------------------------------------------------------------------------


def reported(image: Image) -> None:
    for number, reason in enumerate(("offensive", "stolen")):
        Report.objects.make(image, reason, "Look closer.", user=None, session_key=f"visitor-{number}")


@pytest.fixture
def public() -> Image:
    product = add_product("HAT", photos=2)
    return product.images.order_by("position", "pk")[0]


def test_reports_are_grouped_by_photo(desk, public, django_assert_max_num_queries):
    reported(public)
    reported(add_product("SHOE").images.get())
    with django_assert_max_num_queries(14):
        page = desk.get("/moderation/?state=reported", follow=True)
    groups = [(image.product.sku, len(image.open_reports)) for image in page.context["page"]]
    assert groups == [("SHOE", 2), ("HAT", 2)]
    assert "Look closer." in page.content.decode()


def test_keep_answers_the_reports_and_can_be_undone(desk, public, moderator):
    reported(public)
    before = state_of(public)
    decide(desk, public, "keep")
    assert (state_of(public), Report.objects.open().count()) == (before, 0)
    assert {report.resolved_by for report in Report.objects.all()} == {moderator}
    assert "Answered by moderator" in desk.get(reverse("audit-image", args=[public.pk])).content.decode()
    desk.post("/moderation/undo/", **JSON)
    assert Report.objects.open().count() == 2


def reported_as_seen(client: Client, address: str) -> str:
    page = client.get(address).content.decode()
    return re.search(r'name="reported"\s+value="(\d+)"', page)[1]


@pytest.mark.parametrize("address", ["/moderation/reports/", "/moderation/{}/"])
def test_a_report_that_came_in_meanwhile_is_not_answered_by_keeping(desk, public, address):
    reported(public)
    seen = reported_as_seen(desk, address.format(public.pk))
    Report.objects.make(public, "wrong", "It shows a shoe.", user=None, session_key="visitor-3")
    assert decide(desk, public, "keep", reported=seen).status_code == 200
    assert Report.objects.open().get().note == "It shows a shoe."
    seen = reported_as_seen(desk, address.format(public.pk))
    decide(desk, public, "keep", reported=seen)
    assert not Report.objects.open().exists()


def test_what_its_contributor_has_withdrawn_is_not_shown_by_a_decision(desk, photos, shopper, moderator):
    withdraw(photos[0], by=shopper)
    assert "withdrawn this photo for good" in decide(desk, photos[0], "approve").json()["error"]
    for act in ("reject:poor", "restore"):
        assert decide(desk, photos[0], act).status_code == 409, act
    assert decide(desk, photos[0], "change", reason="Brighter, please.").status_code == 409
    assert state_of(photos[0])[0] == "withdrawn"
    # It may have to go for good all the same, and does not come back by that.
    assert decide(desk, photos[0], "take_down").status_code == 200
    photos[0].refresh_from_db()
    for act in ("restore", "approve"):
        assert decide(desk, photos[0], act).status_code == 409, act
    desk.post("/moderation/undo/", **JSON)
    assert state_of(photos[0])[0] == "withdrawn"


def test_of_what_is_taken_down_no_change_is_asked(desk, public):
    decide(desk, public, "take_down")
    public.refresh_from_db()
    answer = decide(desk, public, "change", reason="Brighter, please.")
    assert (answer.status_code, state_of(public)[0]) == (409, "rejected")
    assert [one["count"] for one in desk.get("/moderation/").context["states"]] == [0, 0, 0, 0, 1]


def test_files_that_were_made_while_it_was_restored_go_when_that_is_undone(
    desk, public, stored, django_capture_on_commit_callbacks
):
    decide(desk, public, "take_down")
    public.refresh_from_db()
    decide(desk, public, "restore")
    assert Client().get(public.url(320)).status_code == 200
    assert len(stored("renditions")) == 1
    with django_capture_on_commit_callbacks(execute=True):
        desk.post("/moderation/undo/", **JSON)
    assert (stored("renditions"), Client().get(public.url(320)).status_code) == ([], 404)


def test_what_is_taken_down_is_gone_from_the_next_request_on(desk, public, stored):
    files = [public.url(320), public.url(640)]
    assert [Client().get(file).status_code for file in files] == [200, 200]
    names = stored("renditions")
    reported(public)
    address = reverse("moderation-decide", args=[public.pk])
    page = desk.post(address, {"act": "take_down", "revision": public.revision, "next": "/moderation/reports/"})
    assert page.url == "/moderation/reports/"
    public.refresh_from_db()
    assert (public.status, public.taken_down_at is not None, Report.objects.open().count()) == ("rejected", True, 0)
    assert [Client().get(file).status_code for file in files] == [404, 404]
    assert public.url(320) not in Client().get("/products/HAT/").content.decode()
    assert len(names) > 0
    assert [image.pk for image in desk.get("/moderation/?state=taken_down").context["page"]] == [public.pk]


def test_the_public_renditions_are_deleted(desk, stored, public, django_capture_on_commit_callbacks):
    rendition(public, "webp", 320)
    assert len(stored("renditions")) == 1
    with django_capture_on_commit_callbacks(execute=True):
        decide(desk, public, "take_down")
    assert (stored("renditions"), len(stored("originals"))) == ([], 2)
    assert desk.get(public.url(320))["Cache-Control"] == "private, no-store"  # moderators still see it


def test_within_the_grace_period_it_can_be_restored(desk, public, settings):
    settings.TAKEDOWN_GRACE_DAYS = 30
    assert decide(desk, public, "restore").status_code == 409
    decide(desk, public, "take_down")
    public.refresh_from_db()
    assert decide(desk, public, "take_down").status_code == 409
    assert purge_taken_down() == 0
    decide(desk, public, "restore")
    assert (state_of(public)[0], state_of(public)[-1]) == ("approved", None)
    assert Client().get(public.url(320)).status_code == 200


def test_after_it_the_photo_goes_for_good(desk, stored, public, settings, django_capture_on_commit_callbacks):
    settings.TAKEDOWN_GRACE_DAYS = 30
    decide(desk, public, "take_down", reason="A court said so.")
    long_ago = timezone.now() - timedelta(days=31)
    Image.objects.filter(pk=public.pk).update(taken_down_at=long_ago)
    with django_capture_on_commit_callbacks(execute=True):
        assert purge_taken_down() == 1
    assert not Image.objects.filter(pk=public.pk).exists()
    assert len(stored("originals")) == 1  # of the product's other photo
    audit = desk.get(reverse("audit-image", args=[public.pk])).content.decode()
    assert "A court said so." in audit
    assert "Deleted" in audit


def test_the_file_of_a_purged_photo_comes_back_only_by_a_moderator(desk, public, shopper):
    with public.original.open("rb") as file:
        data = file.read()
    decide(desk, public, "take_down", reason="A court said so.")
    Image.objects.filter(pk=public.pk).update(taken_down_at=timezone.now() - timedelta(days=31))
    assert purge_taken_down() == 1
    again = add_image(add_product("AGAIN", photos=0), io.BytesIO(data), "again.jpg")
    sent = contribute(shopper, io.BytesIO(data), "sent.jpg")
    assert (again.status, sent.status) == ("rejected", "pending")
    for address in ("/moderation/?state=rejected", f"/moderation/{again.pk}/", f"/moderation/{sent.pk}/"):
        assert "This very file was taken down before." in desk.get(address).content.decode(), address
    assert Client().get(again.url(320)).status_code == 404
    assert decide(desk, again, "approve").status_code == 200
    assert Client().get(again.url(320)).status_code == 200
    assert "taken down before" not in desk.get(f"/moderation/{sent.pk}/").content.decode()
    assert add_image(add_product("MORE", photos=0), io.BytesIO(data), "more.jpg").status == "approved"


# --- The audit ------------------------------------------------------------------------------------------------


def test_the_audit_says_who_when_and_why(desk, photos, moderator, staff, django_assert_max_num_queries):
    decide(desk, photos[0], "reject:stolen", reason="From another shop.")
    photos[0].refresh_from_db()
    decide(desk, photos[0], "approve")
    client = client_of(staff)
    with django_assert_max_num_queries(10):
        page = client.get(reverse("audit-image", args=[photos[0].pk]))
    entries = page.context["page"].object_list
    assert [(entry.record.history_user, dict(entry.changes)["State"]) for entry in entries] == [
        (moderator, "Approved"),
        (moderator, "Rejected"),
        (None, "Waiting for approval"),
    ]
    assert dict(entries[1].changes)["What is wrong"] == "It belongs to somebody else"
    assert entries[1].record.history_change_reason == "From another shop."


def test_reasons_of_the_site_itself_are_in_the_language_of_the_reader(photos, shopper, moderator):
    withdraw(photos[0], by=shopper)
    photos[1].ask_for_changes(moderator, "Withdrawn")  # a person's word stays, though it is one of the site's, too
    reply(photos[1], by=shopper, words="Here it is.")
    reader = Client(headers={"accept-language": "zh-hans"})
    reader.force_login(moderator)
    for photo, stored, words in (
        (photos[0], "Withdrawn by the contributor", "由投稿人撤回"),
        (photos[1], "Answered by the contributor", "投稿人已回复"),
    ):
        assert photo.history.first().history_change_reason == stored
        for page in ("audit-image", "moderation-one"):
            text = reader.get(reverse(page, args=[photo.pk])).content.decode()
            assert words in text and stored not in text, page
    assert ">Withdrawn<" in text


def test_the_staff_bar_leads_to_the_audit_of_the_product(staff):
    product = add_product("DRESS")
    product.price = "12.00"
    product.save()
    client = client_of(staff)
    assert "/audit/products/DRESS/" in client.get("/products/DRESS/").content.decode()
    page = client.get("/audit/products/DRESS/")
    assert dict(page.context["page"].object_list[0].changes) == {"Price": "12.00"}
    assert client.get("/audit/products/NOTHING/").status_code == 404


def test_the_audit_of_what_was_merged_is_reached_from_the_kept_one(staff):
    kept, dropped = add_product("KEPT"), add_product("DROPPED", title="A dress")
    dropped.title = "A long dress"
    dropped.save()
    keys = [product.images.get().pk for product in (kept, dropped)]  # of one file
    merge_products(kept.pk, dropped.pk, staff)
    client = client_of(staff)
    addresses = ["/audit/products/DROPPED/", reverse("audit-image", args=[keys[1]])]
    kepts = ["/audit/products/KEPT/", reverse("audit-image", args=[keys[0]])]
    for address, of_kept in zip(addresses, kepts, strict=True):
        assert f'href="{address}"' in client.get(of_kept).content.decode()
    changes = [dict(entry.changes) for entry in client.get(addresses[0]).context["page"]]
    assert {"Title": "A long dress"} in changes
    assert "Merged into KEPT" in client.get(addresses[0]).content.decode()
    assert "DROPPED-0.jpg" in client.get(addresses[1]).content.decode()
