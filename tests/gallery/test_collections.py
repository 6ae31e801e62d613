"""Collections, through their addresses: saving, renaming, deleting with a way back, and nobody else's business."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from gallery.models import Collection, Image, Product, Role, User
from tests.catalogue import add_product

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(shopper) -> Client:
    client = Client()
    client.force_login(shopper)
    return client


@pytest.fixture
def stranger(db) -> Client:
    user = User.objects.create_user("stranger", "stranger@example.com", "x")
    user.groups.add(Group.objects.get_or_create(name=Role.SHOPPER)[0])
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def product() -> Product:
    return add_product("DRESS", photos=2)


@pytest.fixture
def image(product) -> Image:
    return product.images.order_by("position", "pk")[0]


def save(client: Client, image: Image, **data):
    return client.post(reverse("save", args=[image.pk]), data)


def statements(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
        return len(captured)


def collection(name: str = "") -> Collection:
    """Of this name; without one, where saving goes without a choice."""
    return Collection.objects.get(name=name)


def skus(one: Collection) -> list[str]:
    return [item.product.sku for item in one.items.order_by("-created_at", "-pk")]


def test_the_first_save_is_one_click_and_makes_a_collection(client, image, shopper):
    response = save(client, image)
    assert (response.status_code, response.url) == (302, "/products/DRESS/")
    assert skus(collection()) == ["DRESS"]
    assert (collection().owner, collection().is_default) == (shopper, True)
    save(client, image)
    save(client, image.product.images.order_by("-position", "-pk")[0])
    assert skus(collection()) == ["DRESS"], "a product is in a collection once"
    save(client, image, remove="1")
    assert skus(collection()) == []


def test_the_button_says_what_is_saved_without_another_question(client, image):
    page = client.get("/products/DRESS/").content.decode()
    assert 'id="save-button' in page and "is-saved" not in page
    save(client, image)
    assert "is-saved" in client.get("/products/DRESS/").content.decode()
    before = statements(client, "/products/DRESS/")
    for name in ("Summer", "Winter", "Gifts"):
        client.post(reverse("collections"), {"name": name})
    assert statements(client, "/products/DRESS/") == before


def test_a_fragment_for_each_place(client, image):
    beside = client.post(reverse("save", args=[image.pk]), headers=HTMX).content.decode()
    assert 'class="save"' in beside and "is-saved" in beside and "<html" not in beside
    menu = client.get(reverse("save-menu", args=[image.pk])).content.decode()
    assert "remove it" in menu and "hx-get" not in menu
    menu = client.post(
        reverse("save", args=[image.pk]), {"place": "menu", "remove": "1"}, headers=HTMX
    ).content.decode()
    assert "remove it" not in menu
    save(client, image)
    data = {"collection": str(collection().pk), "place": "tile", "remove": "1"}
    tile = client.post(reverse("save", args=[image.pk]), data, headers=HTMX).content.decode()
    assert "is-removed" in tile and "Undo" in tile
    del data["remove"]
    assert "is-removed" not in client.post(reverse("save", args=[image.pk]), data, headers=HTMX).content.decode()
    assert skus(collection()) == ["DRESS"]


def test_saving_into_a_chosen_and_into_a_new_collection(client, image):
    save(client, image, new="Summer")
    assert skus(collection("Summer")) == ["DRESS"]
    assert not Collection.objects.filter(is_default=True).exists()
    client.post(reverse("collections"), {"name": "Winter"})
    save(client, image, collection=str(collection("Winter").pk))
    assert skus(collection("Winter")) == ["DRESS"]
    page = client.get(reverse("collection", args=[collection("Winter").pk]))
    assert [tile["product"].sku for tile in page.context["tiles"]] == ["DRESS"]


@pytest.mark.parametrize(
    ("name", "says"), [("", "needs a name"), ("x" * 81, "80 characters"), ("Summer", "already have")]
)
def test_names_that_cannot_be(client, name, says):
    client.post(reverse("collections"), {"name": "Summer"})
    response = client.post(reverse("collections"), {"name": name}, follow=True)
    assert says in response.content.decode()
    client.post(reverse("collections"), {"name": "Winter"})
    response = client.post(reverse("collection", args=[collection("Winter").pk]), {"name": name}, follow=True)
    assert says in response.content.decode()
    assert set(Collection.objects.values_list("name", flat=True)) == {"Summer", "Winter"}


def test_renaming(client):
    client.post(reverse("collections"), {"name": "Summer"})
    client.post(reverse("collection", args=[collection("Summer").pk]), {"name": " Autumn "})
    assert collection("Autumn")


def test_deleting_can_be_undone_for_a_day(client, image):
    save(client, image)
    key = collection().pk
    client.post(reverse("collection-delete", args=[key]))
    assert client.get(reverse("collection", args=[key])).status_code == 404
    page = client.get(reverse("collections"))
    assert [one.label for one in page.context["deleted"]] == ["Saved"]
    save(client, image)  # another collection has its name and its place by now
    client.post(reverse("collection-restore", args=[key]))
    restored = Collection.objects.get(pk=key)
    assert (restored.name, restored.is_default, restored.deleted_at) == ("Saved 2", False, None)
    assert skus(restored) == ["DRESS"]
    client.post(reverse("collection-delete", args=[key]))
    assert Collection.objects.purge() == 0
    Collection.objects.filter(pk=key).update(deleted_at=timezone.now() - timedelta(hours=25))
    assert client.post(reverse("collection-restore", args=[key])).status_code == 404
    assert Collection.objects.purge() == 1
    assert not Collection.objects.filter(pk=key).exists()


def test_nobody_else_sees_or_changes_a_collection(client, stranger, image):
    save(client, image)
    key = collection().pk
    assert stranger.get(reverse("collection", args=[key])).status_code == 404
    assert stranger.post(reverse("collection", args=[key]), {"name": "Mine"}).status_code == 404
    assert stranger.post(reverse("collection-delete", args=[key])).status_code == 404
    assert save(stranger, image, collection=str(key)).status_code == 404
    assert save(stranger, image, collection="no key").status_code == 404
    assert stranger.get(reverse("collections")).context["collections"] == []
    client.post(reverse("collection-delete", args=[key]))
    assert stranger.post(reverse("collection-restore", args=[key])).status_code == 404
    assert list(stranger.get(reverse("collections")).context["deleted"]) == []


def test_strangers_are_sent_to_sign_in(image):
    visitor = Client()
    assert visitor.get(reverse("collections")).url == "/accounts/login/?next=/collections/"
    response = visitor.post(reverse("save", args=[image.pk]), {"next": "/products/DRESS/"})
    assert response.url == "/accounts/login/?next=/products/DRESS/"
    response = visitor.post(
        reverse("save", args=[image.pk]), headers=HTMX | {"HX-Current-URL": "http://testserver/products/DRESS/"}
    )
    assert response.headers["HX-Redirect"] == "/accounts/login/?next=/products/DRESS/"
    assert "/accounts/login/?next=/products/DRESS/" in visitor.get("/products/DRESS/").content.decode()
    assert not Collection.objects.exists()


def test_a_form_leads_back_to_our_own_pages_alone(client, image):
    key = reverse("collections")
    assert save(client, image, next=key).url == key
    for address in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
        assert save(client, image, next=address).url == "/products/DRESS/"


def test_what_is_hidden_by_now_is_not_shown(client, image, product):
    save(client, image)
    other = product.images.order_by("-position", "-pk")[0]
    Image.objects.filter(pk=image.pk).set_status(Image.Status.REJECTED)
    page = client.get(reverse("collection", args=[collection().pk]))
    assert [tile["image"] for tile in page.context["tiles"]] == [other], "another photo of it stands in"
    faces = client.get(reverse("collections")).context["collections"][0]["faces"]
    assert faces == [other]
    product.hide()
    page = client.get(reverse("collection", args=[collection().pk]))
    assert (page.context["tiles"], page.context["gone"]) == ([], 1)
    assert client.get(reverse("collections")).context["collections"][0]["faces"] == []
    assert save(client, other).status_code == 404


def test_bounds(client, image, monkeypatch):
    monkeypatch.setattr("gallery.models.collections.MOST_ITEMS", 1)
    save(client, image)
    second = add_product("SECOND").images.get()
    response = client.post(reverse("save", args=[second.pk]), follow=True)
    assert "which is the most" in response.content.decode()
    assert skus(collection()) == ["DRESS"]
    monkeypatch.setattr("gallery.models.collections.MOST_COLLECTIONS", 1)
    response = client.post(reverse("collections"), {"name": "Summer"}, follow=True)
    assert "which is the most" in response.content.decode()
    assert Collection.objects.count() == 1


def test_the_number_of_queries_does_not_grow(client):
    images = [add_product(f"P-{n}", photos=2).images.first() for n in range(6)]
    save(client, images[0])
    key = collection().pk
    counts = []
    for n in range(2):
        counts.append(
            [statements(client, reverse("collections")), statements(client, reverse("collection", args=[key]))]
        )
        for image in images[1:]:
            save(client, image)
            save(client, image, new=f"{image.product.sku} {n}")
    assert counts[0] == counts[1]
    assert 0 < max(counts[0]) <= 8
    newest = client.get(reverse("collections")).context["collections"][0]
    assert len(newest["faces"]) == 4 and newest["collection"].size == 6
