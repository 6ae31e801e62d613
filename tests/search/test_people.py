"""History with consent, saved searches, recommendations and the order for a person, through their addresses."""

from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from gallery.models import Collection, Image, Role, User
from search.engines import get_engine
from search.models import Generation, ProductView, QueryPhoto, SavedSearch, SearchRecord
from search.people import history, recommend
from search.people.clusters import farthest_first, grouped
from search.people.ordering import BandHit, reorder, reordered, taste_of
from search.query import Query
from search.slices import ALL, Hit
from tests.catalogue import COLORS, SHAPES, add_product
from tests.search.test_photos import send

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def person(name: str, keeps: bool | None) -> User:
    user = User.objects.create_user(name, f"{name}@example.com", "x", keeps_history=keeps)
    user.groups.add(Group.objects.get_or_create(name=Role.SHOPPER)[0])
    return user


@pytest.fixture
def shopper(db) -> User:
    """Somebody who agreed."""
    return person("shopper", True)


@pytest.fixture
def client(shopper, client_of) -> Client:
    return client_of(shopper)


@pytest.fixture
def many(index) -> list[Image]:
    """48 products: every shape in every colour, twice. Enough to choose from, and to tell kinds apart."""
    for n in range(48):
        shape, color = SHAPES[n % 4], COLORS[(n // 4) % 6]
        add_product(f"{shape}-{color}-{n}".upper(), shape, color, size=(200 + 4 * n, 180))
    index()
    return list(Image.objects.select_related("product").order_by("pk"))


def asked(user, text: str, total: int = 3, page: int = 1) -> None:
    query = Query(text=text, page=page)
    history.record_search(SimpleNamespace(user=user), query, total)


def look_at(client: Client, image: Image) -> int:
    return client.post(reverse("viewed", args=[image.pk])).status_code


def save(client: Client, *images: Image) -> None:
    for image in images:
        client.post(reverse("save", args=[image.pk]))


def texts(client: Client) -> list[str]:
    return [entry.query.text for _record, entry in client.get(reverse("history")).context["searches"]]


# --- Consent --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keeps", [None, False])
def test_without_consent_nothing_is_kept(client_of, image_of, keeps):
    user = person("other", keeps)
    client = client_of(user)
    asked(user, "red circle")
    assert look_at(client, image_of("RED-CIRCLE")) == 204
    assert not SearchRecord.objects.exists() and not ProductView.objects.exists()
    assert history.SESSION_KEY not in client.session
    save(client, image_of("RED-CIRCLE"))
    assert client.get(reverse("recommended")).content.decode().count("tile-link") == 0
    assert taste_of(user, Generation.objects.live()) is None


def test_consent_is_given_and_taken_back(client_of, image_of):
    user = person("other", None)
    client = client_of(user)
    page = client.get(reverse("history")).content.decode()
    assert "May your searches be kept?" in page
    client.post(reverse("history-consent"), {"keep": "yes"})
    user.refresh_from_db()
    assert user.keeps_history is True
    asked(user, "red circle")
    look_at(client, image_of("RED-CIRCLE"))
    save(client, image_of("RED-CIRCLE"))
    client.post(reverse("search-save"), {"query": "q=red+circle"})
    response = client.post(reverse("history-consent"), {"keep": "no"}, follow=True)
    assert "Confirm it below" in response.content.decode()
    user.refresh_from_db()
    assert user.keeps_history and SearchRecord.objects.exists(), "nothing is deleted before it is confirmed"
    client.post(reverse("history-consent"), {"keep": "no", "sure": "1"})
    user.refresh_from_db()
    assert user.keeps_history is False
    assert not SearchRecord.objects.exists() and not ProductView.objects.exists()
    assert SavedSearch.objects.count() == 1 and Collection.objects.get().items.count() == 1


def test_a_no_from_a_stale_page_leads_to_where_it_is_confirmed(client_of, shop):
    user = person("other", True)
    client = client_of(user)
    asked(user, "red circle")
    answer = client.post(reverse("history-consent"), {"keep": "no"}, headers=HTMX)
    assert (answer.headers["HX-Redirect"], answer.content) == (reverse("history"), b"")
    assert "Confirm it below" in client.get(reverse("history")).content.decode()


def test_a_search_that_ends_after_a_no_is_not_kept(client_of, shop):
    user = person("other", True)
    late = User.objects.get(pk=user.pk)  # as a request that is still being answered knows the person
    client_of(user).post(reverse("history-consent"), {"keep": "no", "sure": "1"})
    asked(late, "red circle")
    assert not SearchRecord.objects.exists()


def test_what_is_kept_can_be_deleted_whatever_was_answered(client_of, shop):
    user = person("other", True)
    asked(user, "red circle")
    User.objects.filter(pk=user.pk).update(keeps_history=False)
    assert "Delete everything" in client_of(user).get(reverse("history")).content.decode()


def test_the_quiet_line_is_answered_in_its_place(client_of):
    client = client_of(person("other", None))
    answer = client.post(reverse("history-consent"), {"keep": "yes"}, headers=HTMX).content.decode()
    assert "From now on your searches are kept." in answer and "<html" not in answer
    client = client_of(person("third", None))
    response = client.post(reverse("history-consent"), {"keep": "no", "next": "/search/?q=red"})
    assert response.url == "/search/?q=red"
    assert User.objects.get(username="third").keeps_history is False


# --- History --------------------------------------------------------------------------------------------


def test_searches_stand_newest_first_and_once(client, shopper, shop):
    for text in ("red", "blue", "red"):
        asked(shopper, text)
    asked(shopper, "red", page=2)
    asked(shopper, "", total=100)
    assert texts(client) == ["red", "blue"]
    record = SearchRecord.objects.get(query="q=red")
    assert record.total == 3


def test_searches_are_bounded(client, shopper, monkeypatch):
    monkeypatch.setattr(history, "MOST_SEARCHES", 3)
    for n in range(5):
        asked(shopper, f"word{n}")
    assert texts(client) == ["word4", "word3", "word2"]
    history.record_search(SimpleNamespace(user=shopper), Query(attributes=(f"size={'x' * 9000}",)), 1)
    assert len(texts(client)) == 3


def test_recording_takes_three_statements(shopper, django_assert_num_queries):
    other = person("other", None)
    with django_assert_num_queries(3):
        asked(shopper, "red")
    with django_assert_num_queries(0):
        asked(other, "red")


def test_a_search_is_told_in_words_and_pictures(client, shopper, shop, image_of):
    photo = UUID(send(client).json()["photo"]["id"])
    image = image_of("RED-CIRCLE")
    brand = image.product.brand_id
    canonical = f"q=circle&photo={photo}&image={image.pk}&brand={brand}&tags=warm&price_max=20"
    query = Query.from_querydict(QueryDict(canonical))[0]
    history.record_search(SimpleNamespace(user=shopper), query, 2)
    ((_record, entry),) = client.get(reverse("history")).context["searches"]
    assert entry.words == ("“circle”", "Velluto", "warm", "Up to 20.00 EUR")
    assert [thumb.is_gone for thumb in entry.thumbs] == [False, False]
    page = client.get(reverse("history")).content.decode()
    assert reverse("search-photo-file", args=[photo]) in page
    assert client.get(entry.url).status_code == 200
    QueryPhoto.objects.filter(pk=photo).update(expires_at=timezone.now() - timedelta(seconds=1))
    image.product.hide()
    page = client.get(reverse("history")).content.decode()
    assert "Photo (expired)" in page and "no longer in the catalogue" in page
    assert reverse("search-photo-file", args=[photo]) not in page


def test_deleting_one_and_all(client, shopper, image_of):
    asked(shopper, "red")
    asked(shopper, "blue")
    look_at(client, image_of("RED-CIRCLE"))
    client.post(reverse("history-delete", args=[SearchRecord.objects.get(query="q=red").pk]))
    assert texts(client) == ["blue"]
    client.post(reverse("history-clear"))
    assert texts(client) == [] and not ProductView.objects.exists()
    shopper.refresh_from_db()
    assert shopper.keeps_history is True


def test_nobody_else_sees_or_deletes_it(client, shopper, client_of):
    asked(shopper, "red")
    client.post(reverse("search-save"), {"query": "q=red"})
    stranger = client_of(person("stranger", True))
    context = stranger.get(reverse("history")).context
    assert (context["searches"], context["saved"]) == ([], [])
    assert stranger.post(reverse("history-delete", args=[SearchRecord.objects.get().pk])).status_code == 404
    assert stranger.post(reverse("search-save-delete", args=[SavedSearch.objects.get().pk])).status_code == 404
    stranger.post(reverse("history-clear"))
    assert SearchRecord.objects.count() == 1
    visitor = client_of()
    for name in ("history-clear", "history-consent", "search-save"):
        assert visitor.post(reverse(name)).url.startswith("/accounts/login/")
    assert visitor.get(reverse("history")).url == "/accounts/login/?next=/history/"


def test_the_page_takes_few_statements_however_long(client, shopper, image_of):
    counts = []
    for n in range(2):
        for m in range(1 + 9 * n):
            asked(shopper, f"word{n}{m}")
            query = Query.like(image_of("RED-CIRCLE").pk).with_(tags=("warm",), text=f"x{n}{m}")
            history.record_search(SimpleNamespace(user=shopper), query, 1)
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("history"))
            counts.append(len(captured))
    assert counts[0] == counts[1] <= 12


# --- Saved searches -------------------------------------------------------------------------------------


def test_a_search_is_saved_under_its_words_or_a_name(client, shop):
    client.post(reverse("search-save"), {"query": "q=red+circle&color=red&page=2&weaker=1"})
    client.post(reverse("search-save"), {"query": "q=blue", "name": "Gifts"})
    client.post(reverse("search-save"), {"query": "q=green", "name": "Gifts"})
    client.post(reverse("search-save"), {"query": "q=blue"})  # once is enough
    saved = {row.name: row.query for row in SavedSearch.objects.all()}
    assert saved == {"“red circle” · Red": "q=red+circle&color=red", "Gifts": "q=blue", "Gifts 2": "q=green"}
    client.post(reverse("search-save"), {"query": "q=blue", "name": "Presents"})
    assert SavedSearch.objects.get(query="q=blue").name == "Presents"
    page = client.get(reverse("history"))
    assert [row.name for row, _entry in page.context["saved"]] == ["Gifts 2", "Presents", "“red circle” · Red"]
    client.post(reverse("search-save-delete", args=[SavedSearch.objects.get(name="Presents").pk]))
    assert SavedSearch.objects.count() == 2


def test_saving_says_what_becomes_of_a_photo(client, shop):
    photo = send(client).json()["photo"]["id"]
    answer = client.post(reverse("search-save"), {"query": f"photo={photo}"}, headers=HTMX).content.decode()
    assert "Search by photo" in answer and "still deleted when it expires" in answer
    QueryPhoto.objects.get(pk=photo).delete()
    saved = SavedSearch.objects.get()
    assert client.get(f"{reverse('search')}?{saved.query}").status_code == 200


@pytest.mark.parametrize("query", ["", "page=3", "color=none-such-color-there-is" * 400])
def test_what_cannot_be_saved(client, query):
    response = client.post(reverse("search-save"), {"query": query}, headers=HTMX)
    assert "nothing to save" in response.content.decode()
    assert not SavedSearch.objects.exists()


def test_saved_searches_are_bounded(client, monkeypatch):
    monkeypatch.setattr("search.people.saved.MOST_SAVED", 1)
    client.post(reverse("search-save"), {"query": "q=red"})
    response = client.post(reverse("search-save"), {"query": "q=blue"}, follow=True)
    assert "which is the most" in response.content.decode()


# --- What was looked at ---------------------------------------------------------------------------------


def test_of_a_visitor_the_session_alone_knows(client_of, many):
    visitor = client_of()
    for image in many[:25]:
        look_at(visitor, image)
    look_at(visitor, many[10])
    keys = visitor.session[history.SESSION_KEY]
    assert len(keys) == 20
    assert keys[:2] == [str(many[10].pk), str(many[24].pk)]
    assert not ProductView.objects.exists()
    page = visitor.get(reverse("recommended"))
    assert len(page.context["recommended"]) == recommend.RECOMMENDED
    assert page.context["because"] == many[10]


def test_signing_in_ends_what_the_session_knew(client_of, many, shopper):
    visitor = client_of()
    look_at(visitor, many[0])
    visitor.force_login(shopper)
    assert history.SESSION_KEY not in visitor.session
    assert not ProductView.objects.exists()


def test_a_hidden_photo_is_not_looked_at(client, client_of, image_of):
    image = image_of("RED-CIRCLE")
    image.product.hide()
    assert look_at(client, image) == 404
    assert look_at(client_of(), image) == 404


# --- Recommendations ------------------------------------------------------------------------------------


@pytest.fixture
def requests(monkeypatch) -> list:
    """What the engine is asked."""
    asked: list = []
    engine = get_engine("embedded")
    search = engine.search
    monkeypatch.setattr(engine, "search", lambda request: asked.append(request) or search(request))
    return asked


def kinds(cards) -> set[str]:
    return {card.product.title.split()[1] for card in cards}


def test_every_kind_that_was_saved_is_recommended(client, many, requests):
    saved = [image for image in many if image.product.title in ("Red circle", "Blue stripes")]
    save(client, *saved)
    page = client.get(reverse("recommended"))
    recommended = page.context["recommended"]
    assert len(recommended) == recommend.RECOMMENDED
    assert {"circle", "stripes"} <= kinds(recommended)
    assert not {image.product_id for image in saved} & {card.product.pk for card in recommended}
    assert page.context["because"] is None
    assert 0 < len(requests) <= 4
    assert {request.visibility.kind for request in requests} == {"public"}


def test_because_you_looked_at_the_last_one(client, many, requests):
    circle = next(image for image in many if image.product.title == "Green circle")
    for image in (*many[:6], circle):
        look_at(client, image)
    page = client.get(reverse("recommended"))
    assert page.context["because"] == circle
    alike = page.context["alike"]
    assert kinds(alike[:2]) == {"circle"}
    assert not {c.product.pk for c in alike} & {c.product.pk for c in page.context["recommended"]}
    assert circle.product_id not in {card.product.pk for card in alike}
    assert len(requests) <= 4
    assert "Because you looked at Green circle" in page.content.decode()


def test_a_draw_holds_for_minutes_and_not_for_ever(client, many, monkeypatch):
    save(client, many[0], many[7])
    now = timezone.now()

    def drawn(minutes: int) -> tuple:
        monkeypatch.setattr(recommend.timezone, "now", lambda: now + timedelta(minutes=minutes))
        return tuple(card.product.sku for card in client.get(reverse("recommended")).context["recommended"])

    monkeypatch.setattr(recommend, "_DRAW_SECONDS", 20 * 60)
    start = 20 - int(now.timestamp()) // 60 % 20  # minutes to the next draw
    assert drawn(start + 1) == drawn(start + 15)
    # 40 draws of 8 among some 22: chance alone does not fail this.
    draws = {frozenset(drawn(start + 1 + 20 * n)) for n in range(40)}
    assert len(draws) >= 34
    assert len(frozenset().union(*draws)) > 12


def test_hidden_products_are_neither_recommended_nor_a_reason(client, client_of, many):
    look_at(client, many[0])
    for card in client.get(reverse("recommended")).context["alike"]:
        card.product.hide()  # before the index has heard of it
        shown = client.get(reverse("recommended")).context
        assert card.product.pk not in {c.product.pk for c in (*shown["alike"], *shown["recommended"])}
        break
    many[0].product.hide()
    assert client.get(reverse("recommended")).context["because"] is None


def test_nothing_is_recommended_to_whom_nothing_is_known(client, client_of, many, requests):
    for someone in (client, client_of()):
        assert "tile-link" not in someone.get(reverse("recommended")).content.decode()
        assert reverse("recommended") not in someone.get("/").content.decode()
    assert requests == []
    save(client, many[0])
    assert reverse("recommended") in client.get("/").content.decode()


def test_no_recommendation_where_the_engine_is_down(client, image_of, engine_down):
    save(client, image_of("RED-CIRCLE"))
    response = client.get(reverse("recommended"))
    assert (response.status_code, "tile-link" in response.content.decode()) == (200, False)


def test_a_whole_collection_is_searched_with(client, client_of, many):
    save(client, *[image for image in many if image.product.title in ("Red circle", "Blue stripes", "Green square")])
    key = Collection.objects.get().pk
    response = client.get(reverse("collection-search", args=[key]))
    assert response.status_code == 302
    examples = parse_qs(urlsplit(response.url).query)["image"]
    assert 2 <= len(examples) <= 8
    chosen = Image.objects.filter(pk__in=examples).values_list("product__title", flat=True)
    assert set(chosen) == {"Red circle", "Blue stripes", "Green square"}
    assert client.get(response.url).context["page"].pictures
    assert client_of(person("stranger", True)).get(reverse("collection-search", args=[key])).status_code == 404
    client.post(reverse("collections"), {"name": "Empty"})
    empty = Collection.objects.get(name="Empty").pk
    assert client.get(reverse("collection-search", args=[empty])).url == reverse("collection", args=[empty])


# --- The order inside a band ----------------------------------------------------------------------------


def band_of(images: list[Image], band: str = "similar") -> list[Hit]:
    return [
        Hit(image.pk, str(image.product_id), 0.9 - n / 100, band=band, photos=(image.pk,))
        for n, image in enumerate(images)
    ]


def of_title(images: list[Image], *titles: str) -> list[Image]:
    return [image for title in titles for image in images if image.product.title == title]


def test_what_resembles_the_saved_comes_first(client, shopper, many):
    circles = of_title(many, "Red circle")
    save(client, circles[0])
    taste = taste_of(shopper, Generation.objects.live())
    band = of_title(many, "Blue square", "Black stripes", "Red circle")
    hits = [BandHit(image.pk, str(image.product_id), 0.5) for image in band]
    order = reorder(hits, taste)
    assert sorted(order) == list(range(6))
    assert {band[place].product.title for place in order[:2]} == {"Red circle"}
    assert reorder([], taste) == []


def test_nothing_leaves_its_band(client, shopper, many):
    save(client, *of_title(many, "Red circle", "Blue stripes"))
    taste = taste_of(shopper, Generation.objects.live())
    near, far = many[:10], of_title(many, "Red circle", "Green square")
    hits = [*band_of(near, "very-similar"), *band_of(far)]
    ordered = reordered(hits, taste)
    assert {hit.key for hit in ordered[:10]} == {image.pk for image in near}
    assert [hit.band for hit in ordered] == [hit.band for hit in hits]
    assert sorted(ordered) == sorted(hits)
    assert {hit.key for hit in ordered[10:12]} == {image.pk for image in far[:2]}
    unbanded = band_of(many[:12], ALL)
    assert reordered(unbanded, taste) == unbanded


def test_the_unknown_stay_in_the_order_of_similarity(client, shopper, many, django_assert_num_queries):
    save(client, many[0])
    generation = Generation.objects.live()
    assert generation.projection.names and generation.scale  # read once for a process
    with django_assert_num_queries(2):
        taste = taste_of(shopper, generation)
    strangers = [BandHit(uuid4(), "x", 0.8), BandHit(uuid4(), "y", 0.7)]
    hits = [*strangers, BandHit(many[0].pk, str(many[0].product_id), 0.6)]
    with django_assert_num_queries(1):
        assert reorder(hits, taste) == [2, 0, 1]
    assert taste_of(person("other", True), generation) is None


# --- Groups ---------------------------------------------------------------------------------------------


def test_groups_of_alike_vectors():
    draw = np.random.default_rng(0)
    centres = np.eye(3, 16)
    rows = np.concatenate([centre + draw.normal(scale=0.05, size=(10, 16)) for centre in centres])
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    assert grouped(rows, 8, alike=0.6) == [list(range(n, n + 10)) for n in (0, 10, 20)]
    assert len(grouped(rows, 2, alike=0.6)) == 2
    assert [place // 10 for place in farthest_first(rows, 8, alike=0.6)] in ([0, 1, 2], [0, 2, 1])
    assert grouped(rows[:1], 8, 0.6) == [[0]]
    assert grouped(rows[:0], 8, 0.6) == farthest_first(rows[:0], 8) == []
    same = np.repeat(rows[:1], 5, axis=0)
    assert grouped(same, 3, alike=0.6) == [[0, 1, 2, 3, 4]]
