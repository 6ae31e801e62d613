import pytest
from django.test import Client
from django.urls import reverse

from gallery.models import Image, Product, ProductRedirect
from tests.catalogue import add_product

pytestmark = pytest.mark.django_db


def page(sku: str = "DRESS", client: Client | None = None, **query):
    return (client or Client()).get(reverse("product", args=[sku]), query)


@pytest.fixture
def product() -> Product:
    return add_product(
        "DRESS", category="Clothing/Dresses", tags=["new", "cotton"], photos=2,
        attributes={"material": ["cotton", "linen"], "color": ["red"]}, link="https://shop.example/dress",
    )  # fmt: skip


def test_the_page_has_everything(product):
    response = page()
    assert response.status_code == 200
    context = response.context
    assert context["product"] == product
    assert [image.source_name for image in context["images"]] == ["DRESS-0.jpg", "DRESS-1.jpg"]
    assert [step["label"] for step in context["breadcrumbs"]] == ["Clothing", "Dresses"]
    assert context["breadcrumbs"][1]["url"] == f"/search/?category={product.category_id}"
    assert context["price_label"] == "10.00 EUR"
    assert context["attributes"] == [("color", ["red"]), ("material", ["cotton", "linen"])]
    assert {tag["label"]: tag["url"] for tag in context["tags"]} == {
        "new": "/search/?tags=new",
        "cotton": "/search/?tags=cotton",
    }
    assert context["similar_for"] == context["images"][0]
    assert context["is_staff"] is False
    assert context["image_states"] == []


def test_the_public_sees_published_products_with_an_approved_photo(product):
    first, second = product.images.all()
    Image.objects.filter(pk=first.pk).set_status(Image.Status.PENDING)
    assert page().context["images"] == [second]
    Image.objects.all().set_status(Image.Status.REJECTED)
    assert page().status_code == 404
    Image.objects.all().set_status(Image.Status.APPROVED)
    assert page().status_code == 200
    product.hide()
    assert page().status_code == 404


def test_a_product_without_photos(product, staff):
    product.images.all().delete()
    assert page().status_code == 404
    client = Client()
    client.force_login(staff)
    response = page(client=client)
    assert response.status_code == 200
    assert response.context["similar_for"] is None


def test_staff_and_moderators_see_everything_and_its_state(product, staff, moderator, shopper):
    first = product.images.first()
    Image.objects.filter(pk=first.pk).set_status(Image.Status.REJECTED)
    product.hide()
    client = Client()
    for user in (staff, moderator):
        client.force_login(user)
        context = page(client=client).context
        assert context["is_staff"]
        assert [state["status_label"] for state in context["image_states"]] == ["Rejected", "Approved"]
    client.force_login(shopper)
    assert page(client=client).status_code == 404


def test_an_old_sku_leads_to_the_new_one(product):
    ProductRedirect.objects.create(old_sku="OLD", product=product)
    response = page("OLD")
    assert (response.status_code, response.url) == (301, "/products/DRESS/")


def test_an_old_sku_tells_nobody_of_a_product_that_they_may_not_see(product, staff):
    ProductRedirect.objects.create(old_sku="OLD", product=product)
    product.hide()
    assert page("OLD").status_code == 404
    client = Client()
    client.force_login(staff)
    assert page("OLD", client).url == "/products/DRESS/"


def test_an_unknown_sku(db):
    assert page("NEVER").status_code == 404


@pytest.mark.parametrize(
    ("back", "url"),
    [
        ("/search/?q=red&page=2", "/search/?q=red&page=2"),
        ("/search/", "/search/"),
        ("", None),
        ("/admin/", None),
        ("//evil.example/search/", None),
        ("https://evil.example/search/", None),
        ("javascript:alert(1)", None),
        ("/\\evil.example/search/", None),
        ("http://[", None),
        ("/search/..//evil.example", "/search/"),
        ("/search/#fragment", "/search/"),
    ],
)
def test_back_leads_only_to_our_own_results(product, back, url):
    assert page(back=back).context["back_url"] == url


def test_the_number_of_queries_does_not_grow(product, django_assert_num_queries, django_assert_max_num_queries):
    add_product("MANY", category="Clothing/Dresses", tags=["a", "b", "c", "d"], photos=9)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as few:
        page("DRESS")
    with CaptureQueriesContext(connection) as many:
        page("MANY")
    assert len(many) == len(few) <= 8


def test_texts_follow_the_language(product):
    product.translations = {"zh-hans": {"title": "红色连衣裙"}}
    product.save()
    response = Client().get("/products/DRESS/", headers={"Accept-Language": "zh-hans"})
    assert "红色连衣裙" in response.content.decode()
