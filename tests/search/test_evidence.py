"""The evidence that the queue loads: look-alikes, copies, a category, safety and faces; and what leaves the index."""

import io
import re

import numpy as np
import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from PIL import Image as Pillow
from skimage import data

from gallery.intake import add_image
from gallery.models import Decision, Image, Product, Role, User
from search.indexing.loop import IndexLoop
from search.models import Embedding, FoundFaces, SafetyScore
from search.safety import faces, nudity
from search.safety.upkeep import LooksAhead, purge_taken_down
from tests.catalogue import add_photo, add_product
from tests.pictures import encode

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator(db) -> User:
    user = User.objects.create_user("moderator", "moderator@example.com", "x")
    user.groups.add(Group.objects.get(name=Role.MODERATOR))
    return user


@pytest.fixture
def desk(moderator) -> Client:
    client = Client()
    client.force_login(moderator)
    return client


@pytest.fixture
def queue(shop, index) -> list[Image]:
    """Three red circles and a square that wait, and a red circle that was rejected."""
    product = add_product("SENT", photos=0, category="Angular")
    sent = [
        add_photo(product, "circle", color, f"circle-{n}.jpg", size=(244 + n, 180), status="pending")
        for n, color in enumerate(("red", "#fa0505", "#f50a0a"))
    ]
    sent.append(add_photo(product, "square", "blue", "square.jpg", status="pending"))
    add_photo(product, "circle", "#f01010", "no.jpg").reject(None, "", "stolen")
    index()
    return sent


@pytest.fixture
def sent(db) -> list[Image]:
    """Two that wait and are in no index yet: what is seen in the files themselves needs none."""
    product = add_product("SENT", photos=0)
    return [add_photo(product, "circle", color, f"{color}.jpg", status="pending") for color in ("red", "blue")]


def evidence(client: Client, image: Image):
    return client.get(reverse("evidence", args=[image.pk]), headers={"hx-request": "true"})


def test_what_a_photo_resembles_and_what_became_of_that(desk, queue, django_assert_max_num_queries):
    evidence(desk, queue[0])  # looked at once
    with django_assert_max_num_queries(20):
        page = evidence(desk, queue[0])
    found = page.context["evidence"]
    assert {one.image.product.sku for one in found.approved} >= {"RED-CIRCLE", "RED-CIRCLE-2"}
    assert all(one.image.status == "approved" for one in found.approved)
    assert [one.image.source_name for one in found.rejected] == ["no.jpg"]
    assert "It belongs to somebody else" in page.content.decode()
    assert found.approved[0].says in ("Nearly the same", "Very similar", "Similar")
    # Of those that wait, circles are offered to go along, and the square is not.
    assert {one.pk for one in found.look_alikes} == {queue[1].pk, queue[2].pk}
    assert f'form="decide-{queue[0].pk}"' in page.content.decode()


def test_a_category_that_the_nearest_are_in(desk, queue):
    suggestion = evidence(desk, queue[0]).context["evidence"].suggestion
    assert (suggestion.category.name, suggestion.is_own) == ("Discs", False)
    assert (suggestion.percent, suggestion.of) == (50, 8)
    assert "(the product is in Angular)" in evidence(desk, queue[0]).content.decode()


def test_photos_of_the_product_itself_do_not_speak_for_its_category(desk, shop, index):
    photo = add_photo(shop[1], "circle", "#e21212", "more.jpg", status="pending")
    index()
    suggestion = evidence(desk, photo).context["evidence"].suggestion
    assert suggestion.of == 5, "eight photos are approved, three of them of this very product"


def test_copies_are_named_as_such(desk, queue, image_of, index):
    first = image_of("RED-CIRCLE")
    with first.original.open("rb") as file:
        copy = add_image(queue[0].product, io.BytesIO(file.read()), "copy.jpg", status="pending")
    picture = Pillow.open(first.original.open("rb"))
    small = add_image(
        queue[0].product, io.BytesIO(encode(picture.resize((200, 150)), "PNG")), "small.png", status="pending"
    )
    index()
    assert first in evidence(desk, copy).context["evidence"].copies
    found = evidence(desk, small).context["evidence"]
    assert (found.copies, first in found.near_copies) == ([], True)


def test_what_another_moderator_looks_at_is_not_offered(desk, queue, moderator):
    other = User.objects.create_user("other", "other@example.com", "x")
    other.groups.add(Group.objects.get(name=Role.MODERATOR))
    second = Client()
    second.force_login(other)
    second.get(reverse("moderation-one", args=[queue[1].pk]))
    assert [one.pk for one in evidence(desk, queue[0]).context["evidence"].look_alikes] == [queue[2].pk]


def test_a_photo_that_is_not_indexed_yet_has_evidence_all_the_same(desk, sent):
    page = evidence(desk, sent[0])
    assert "not indexed yet" in page.content.decode()
    assert 'data-safety="safe"' in page.content.decode()


def test_without_the_engine_the_rest_is_said(desk, image_of, engine_down):
    html = evidence(desk, image_of("RED-CIRCLE")).content.decode()
    assert "Search is not available at the moment" in html
    assert 'data-safety="safe"' in html


def test_the_page_without_scripts_decides_on_look_alikes_too(desk, queue):
    html = desk.get(reverse("evidence", args=[queue[0].pk])).content.decode()
    assert "<!DOCTYPE html>" in html
    assert html.count("<h1") == 1
    also = re.findall(r'name="also"\s+value="([^"]+)"', html)
    assert len(also) == 2
    data = {"act": "reject:duplicate", "revision": queue[0].revision, "also": also}
    page = desk.post(reverse("moderation-decide", args=[queue[0].pk]), data, follow=True)
    assert "and 2 look-alikes" in page.content.decode()
    assert Image.objects.rejected().count() == 4
    desk.post("/moderation/undo/")
    assert Image.objects.rejected().count() == 1


# --- Safety ---------------------------------------------------------------------------------------------------


def test_a_drawn_picture_is_safe_and_looked_at_once(desk, sent, monkeypatch):
    evidence(desk, sent[0])
    score = SafetyScore.objects.get(sha256=sent[0].sha256)
    assert 0 <= score.score < 0.5
    monkeypatch.setattr(nudity, "unsafe", lambda picture: pytest.fail("looked at again"))
    assert evidence(desk, sent[0]).context["looks"].unsafe == score.score


def test_above_the_threshold_it_opens_covered(desk, sent, settings):
    SafetyScore.objects.create(sha256=sent[0].sha256, model=nudity.MODEL, score=0.81)
    assert 'data-safety="unsafe"' in evidence(desk, sent[0]).content.decode()
    settings.SAFETY_THRESHOLD = 0.9
    assert 'data-safety="safe"' in evidence(desk, sent[0]).content.decode()


def test_what_cannot_be_checked_opens_covered(desk, sent):
    sent[0].original.storage.delete(sent[0].original.name)
    html = evidence(desk, sent[0]).content.decode()
    assert 'data-safety="unsafe"' in html
    assert "It could not be checked." in html


def test_with_a_damaged_model_it_opens_covered(desk, sent, monkeypatch, tmp_path):
    (tmp_path / "open-nsfw.onnx").write_bytes(b"damaged")
    monkeypatch.setattr(nudity, "_classifier", None)
    monkeypatch.setattr(nudity.importlib.resources, "files", lambda package: tmp_path)
    html = evidence(desk, sent[0]).content.decode()
    assert 'data-safety="unsafe"' in html and "It could not be checked." in html


def test_the_loop_looks_ahead_and_rejects_only_where_it_is_told_to(sent, settings):
    settings.SAFETY_THRESHOLD = 0.0  # everything is above it
    looks = LooksAhead()
    while looks.make_some():
        pass
    assert SafetyScore.objects.count() == Image.objects.pending().values("sha256").distinct().count() == 2
    settings.SAFETY_AUTO_REJECT = True
    SafetyScore.objects.all().delete()
    looks.seen(1)
    while looks.make_some():
        pass
    assert Image.objects.pending().count() == 0
    sent[0].refresh_from_db()
    assert (sent[0].status, sent[0].fault, sent[0].moderated_by) == ("rejected", "offensive", None)
    assert Decision.objects.count() == 0


def test_where_it_is_told_to_the_loop_rejects_a_file_that_it_knows_too(desk, sent, settings):
    settings.SAFETY_THRESHOLD = 0.0
    settings.SAFETY_AUTO_REJECT = True
    looks = LooksAhead()
    evidence(desk, sent[0])  # a moderator's page was quicker to look at it
    while looks.make_some():
        pass
    assert Image.objects.pending().count() == 0
    with sent[1].original.open("rb") as file:
        again = add_image(add_product("OTHER", photos=0), io.BytesIO(file.read()), "again.jpg", status="pending")
    looks.seen(1)
    looks.make_some()
    again.refresh_from_db()
    assert (again.status, again.fault) == ("rejected", "offensive")
    # What a moderator has looked at is not rejected over the moderator's head.
    for act in ("approve", "change"):
        again.refresh_from_db()
        decided = {"act": act, "revision": again.revision, "reason": "Which?"}
        desk.post(reverse("moderation-decide", args=[again.pk]), decided)
    Image.objects.filter(pk=again.pk).resubmit(None)
    looks.seen(1)
    looks.make_some()
    again.refresh_from_db()
    assert again.status == "pending"


def test_faces_are_counted_and_nothing_else_is(desk, sent):
    face = Pillow.fromarray(data.astronaut()).crop((130, 0, 330, 250)).resize((400, 500))
    photo = add_image(sent[0].product, io.BytesIO(encode(face)), "face.jpg", status="pending")
    assert "There seems to be a face" in evidence(desk, photo).content.decode()
    stored = FoundFaces.objects.get(sha256=photo.sha256)
    assert len(stored.boxes) == 1
    left, top, width, height = stored.boxes[0]
    assert 0.2 < left + width / 2 < 0.8
    assert 0.1 < top + height / 2 < 0.7
    assert "No face was found" in evidence(desk, sent[1]).content.decode()


def test_an_even_picture_has_no_face():
    assert faces.faces_in(Pillow.fromarray(np.full((300, 300, 3), 200, np.uint8))) == []
    assert faces.faces_in(Pillow.new("RGB", (10, 10))) == []


# --- What is rejected leaves the shop's pages --------------------------------------------------------------------


def test_a_rejected_photo_is_gone_from_pages_and_strips_at_once(desk, queue, image_of):
    first, other = image_of("RED-CIRCLE"), image_of("RED-CIRCLE-2")
    stranger = Client()
    places = ["/search/?q=red", f"/similar/{other.pk}/", f"/search/?image={other.pk}", "/products/RED-CIRCLE/"]

    def shows(place: str) -> bool:
        return str(first.pk) in stranger.get(place).content.decode()

    assert [shows(place) for place in places] == [True] * 4
    assert stranger.get(first.url(320)).status_code == 200
    desk.post(reverse("moderation-decide", args=[first.pk]), {"act": "reject:stolen", "revision": first.revision})
    # The index still holds it: no loop has run.
    assert [shows(place) for place in places] == [False] * 4
    assert stranger.get(first.url(320)).status_code == 404


def test_nothing_of_a_purged_photo_is_left(desk, queue, index):
    image = queue[0]
    evidence(desk, image)
    with image.original.open("rb") as file:
        twin = add_image(Product.objects.get(sku="BLUE-SQUARE"), io.BytesIO(file.read()), "twin.jpg")
    decided = {"act": "take_down", "revision": image.revision}
    desk.post(reverse("moderation-decide", args=[image.pk]), decided)
    Image.objects.filter(pk=image.pk).update(taken_down_at="2020-01-01T00:00:00Z")
    hashes = {"sha256": image.sha256}
    assert purge_taken_down() == 1
    assert Embedding.objects.filter(**hashes).exists()  # the other photo has the same file
    twin.take_down(None, "")
    Image.objects.filter(pk=twin.pk).update(taken_down_at="2020-01-01T00:00:00Z")
    assert purge_taken_down() == 1
    assert not any(model.objects.filter(**hashes).exists() for model in (Embedding, SafetyScore, FoundFaces))


def test_the_loop_purges_by_its_schedule():
    assert purge_taken_down in [scheduled.action for scheduled in IndexLoop().schedule]
