"""What is hidden shows nowhere: in pages, strips, the API and files from the commit on, in counts after one cycle."""

import json

import pytest
from django.conf import settings as project
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from gallery.models import Image, Product, Role, User
from search.models import ProductView
from tests.catalogue import add_product

pytestmark = pytest.mark.django_db
Status = Image.Status


def take_down(image: Image) -> None:
    Image.objects.filter(pk=image.pk).set_status(Status.REJECTED)
    Image.objects.filter(pk=image.pk).update(taken_down_at=timezone.now())


HIDE = {
    "PENDING": lambda image: Image.objects.filter(pk=image.pk).set_status(Status.PENDING),
    "CHANGES": lambda image: image.ask_for_changes(None, "Brighter, please."),
    "REJECTED": lambda image: image.reject(None, "No."),
    "WITHDRAWN": lambda image: image.withdraw(None),
    "TAKEN-DOWN": take_down,
    "UNPUBLISHED": lambda image: image.product.hide(),
    "DELETED": lambda image: image.delete(),
}


@pytest.fixture
def hidden(shop, index, settings) -> dict[str, Image]:
    """Photos much like the shop's red circles, by a contributor: all were public and indexed, then each was hidden."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    mina = _person("mina")
    for n, name in enumerate(HIDE):
        add_product(
            name, "circle", "#f00808", size=(236 + 2 * n, 180), brand="Secret", category="Hidden/Place",
            tags=["whisper"], attributes={"cut": ["Z"]}, price="999.00",
        )  # fmt: skip
    # One more, of a product that stays: its first photo is public, the second is hidden.
    images = {image.product.sku: image for image in Image.objects.filter(product__brand__name="Secret")}
    images["SECOND"] = Image.objects.filter(product__sku="RED-CIRCLE-2").order_by("position")[1]
    Image.objects.filter(pk__in=[image.pk for image in images.values()]).update(uploader=mina)
    index()
    for name, image in images.items():
        HIDE.get(name, HIDE["PENDING"])(Image.objects.get(pk=image.pk))
    return images


def _person(name: str) -> User:
    user = User.objects.create_user(name, f"{name}@example.com", "x", keeps_history=True)
    user.groups.add(Group.objects.get(name=Role.SHOPPER))
    return user


@pytest.fixture
def askers(hidden) -> list[Client]:
    """A visitor, and a shopper with a history and a collection; neither has contributed anything."""
    visitor, shopper = Client(), Client()
    user = _person("other")
    shopper.force_login(user)
    for image in Image.objects.filter(product__sku__in=["RED-CIRCLE", "ORANGE-CIRCLE"]):
        ProductView.objects.create(user=user, image=image)
        assert shopper.post(f"/save/{image.pk}/").status_code < 400
    return [visitor, shopper]


def addresses(image: Image, hidden: dict[str, Image]) -> list[str]:
    """Every place that shows products, with a public picture to ask for."""
    product = image.product_id
    places = [
        "/", "/search/", "/search/?q=circle", "/search/?q=secret", "/search/?tags=whisper&weaker=1", "/recommended/",
        f"/search/?image={image.pk}&weaker=1", f"/search/?image={image.pk}&group=photos&weaker=1",
        f"/similar/{image.pk}/", f"/similar/{image.pk}/?w=color:1",
        f"/search/photos-of/?image={image.pk}&product={product}",
        f"/search/neighbours/?product={product}&back=%2Fsearch%2F%3Fimage%3D{image.pk}",
        f"/search/without/?image={image.pk}&price_max=1", "/products/RED-CIRCLE/", "/products/RED-CIRCLE-2/",
        "/collections/", "/history/", "/api/v1/search?q=circle&limit=100", "/api/v1/search?limit=100",
        f"/api/v1/search?image_id={image.pk}&limit=100&weaker=1",
    ]  # fmt: skip
    for one in hidden.values():
        places += [f"/search/?image={one.pk}", f"/similar/{one.pk}/"]
    return places


def shown(client: Client, address: str, keys: set[str]) -> set[str]:
    """The hidden keys in what the page says, but for the address itself, which it may repeat."""
    body = client.get(address).content.decode()
    return {key for key in keys if f"/files/{key}" in body or (key not in address and key in body)}


def test_from_the_commit_on_nothing_hidden_is_shown_fetched_or_used(askers, image_of, hidden):
    """The index has not heard of it yet: the database says no."""
    keys = {str(image.pk) for image in hidden.values()}
    image = image_of("RED-CIRCLE")
    for client in askers:
        assert str(image.pk) in client.get("/search/?q=circle").content.decode(), "the pages do show what is public"
        assert client.get(f"/api/v1/search?image_id={image.pk}&limit=100&weaker=1").json()["hits"]
        leaks = {address: found for address in addresses(image, hidden) if (found := shown(client, address, keys))}
        assert leaks == {}
        for name, one in hidden.items():
            _nothing_can_be_done(client, name, one)
    assert not ProductView.objects.filter(image__in=[image.pk for image in hidden.values()]).exists()


def _nothing_can_be_done(client: Client, name: str, image: Image) -> None:
    for width in project.RENDITION_WIDTHS:
        for format in ("webp", "jpeg"):
            assert client.get(f"/files/{image.pk}/{width}.{format}").status_code == 404, name
    for address in ("/regions/{}/", "/products/photos/{}/report/", "/api/v1/search?image_id={}"):
        assert client.get(address.format(image.pk)).status_code == 404, (name, address)
    for address in (f"/products/photos/{image.pk}/report/", f"/viewed/{image.pk}/"):
        assert client.post(address, {"reason": "wrong"}).status_code == 404, (name, address)
    if name != "SECOND":  # whose product is public
        assert client.get(f"/products/{name}/").status_code == 404, name
        assert client.get(f"/products/{name}/add-photo/").status_code in (302, 404), name


def test_after_one_cycle_counts_and_facets_know_nothing_of_it(askers, image_of, hidden, index):
    index()
    red = image_of("RED-CIRCLE").pk
    public = Product.objects.filter(published=True, images__status=Status.APPROVED).distinct().count()
    for client in askers:
        for asked in ("", "&q=circle", f"&image_id={red}&weaker=1"):
            answer = client.get(f"/api/v1/search?limit=100{asked}").json()
            assert 0 < answer["total"] <= public == 6
            facets = json.dumps(answer["facets"])
            for secret in ("Secret", "Hidden", "Place", "whisper", "cut=Z", "999"):
                assert secret not in facets, (asked, secret)
        assert client.get("/api/v1/search?limit=100").json()["total"] == 6
        photos = client.get(f"/api/v1/search?image_id={red}&group=photos&limit=100&weaker=1").json()
        assert {hit["image"]["id"] for hit in photos["hits"]}.isdisjoint(str(one.pk) for one in hidden.values())
        page = client.get("/search/").content.decode()
        for secret in ("Secret", "Hidden", "whisper"):
            assert secret not in page, secret
    # Its contributor alone finds it.
    mina = Client()
    mina.force_login(User.objects.get(username="mina"))
    assert str(hidden["PENDING"].pk) in mina.get("/products/PENDING/").content.decode()
    answer = mina.get(hidden["PENDING"].url(320))
    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")
    # But for what was taken down.
    own = mina.get("/api/v1/search?limit=100").json()
    skus = {hit["product"]["sku"] for hit in own["hits"]}
    assert own["total"] == len(skus) and skus > {"PENDING", "REJECTED"} and "TAKEN-DOWN" not in skus
    assert mina.get(hidden["TAKEN-DOWN"].url(320)).status_code == 404
