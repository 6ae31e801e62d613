"""The admin is for repairs; every page of it opens, and none of them links an original."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from gallery.models import Image, Product, User
from tests.catalogue import add_product

pytestmark = pytest.mark.django_db
MODELS = [model for model in admin.site._registry if model._meta.app_label == "gallery"]


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.com", "a long password"))
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_lists_and_searches_open(client, model):
    add_product("DRESS", category="Clothing/Dresses", tags=["new"])
    address = reverse(f"admin:gallery_{model._meta.model_name}_changelist")
    assert client.get(address).status_code == 200
    if admin.site.get_model_admin(model).search_fields:
        assert client.get(address, {"q": "dress"}).status_code == 200


@pytest.mark.parametrize("model", [Product, Image])
def test_a_record_opens_and_shows_no_original(client, model):
    image = add_product("DRESS").images.get()
    record = image if model is Image else image.product
    response = client.get(reverse(f"admin:gallery_{model._meta.model_name}_change", args=[record.pk]))
    assert response.status_code == 200
    assert image.original.name not in response.content.decode()
    page = record.get_absolute_url() if model is Product else reverse("moderation-one", args=[image.pk])
    back = client.get(response.context["absolute_url"], follow=True)
    assert (back.status_code, back.request["PATH_INFO"]) == (200, page)


def test_a_repair_reaches_the_index(client, announced):
    product = add_product("DRESS", tags=["old"])
    announced.take()
    page = client.get(reverse("admin:gallery_product_change", args=[product.pk]))
    form = {name: value for name, value in page.context["adminform"].form.initial.items() if value is not None}
    form |= {"title": "Mended", "tags": "new", "translations": "{}", "attributes": "{}"}
    response = client.post(reverse("admin:gallery_product_change", args=[product.pk]), form)
    assert response.status_code == 302, response.context["adminform"].form.errors
    product.refresh_from_db()
    assert (product.title, list(product.tags.names())) == ("Mended", ["new"])
    assert announced.take() == set(product.images.values_list("pk", flat=True))


def test_a_repaired_image_reaches_the_index_and_its_state_is_not_edited(client, announced):
    image = add_product("DRESS").images.get()
    announced.take()
    form = {
        "product": image.product_id,
        "position": 0,
        "alt_text": "A red dress",
        "status": "rejected",
        "status_reason": "Blurred.",
    }
    response = client.post(reverse("admin:gallery_image_change", args=[image.pk]), form)
    assert response.status_code == 302, response.context["adminform"].form.errors
    assert announced.take() == {image.pk}
    image.refresh_from_db()
    assert (image.alt_text, image.status, image.status_reason) == ("A red dress", "approved", "")


@pytest.mark.parametrize("model", [Product, Image])
def test_who_changed_a_record_is_shown(client, staff, model):
    image = add_product("DRESS").images.get()
    image.reject(by=staff, reason="Blurred beyond use.")
    product = image.product
    product._change_reason, product._history_user = "Priced by hand", staff
    product.save()
    record = image if model is Image else product
    page = client.get(reverse(f"admin:gallery_{model._meta.model_name}_history", args=[record.pk])).content.decode()
    assert "staff" in page
    assert ("Blurred beyond use." if model is Image else "Priced by hand") in page


def test_no_old_state_of_a_photo_is_brought_back_past_moderation(client, staff):
    image = add_product("DRESS").images.get()
    image.take_down(by=staff, reason="Somebody objected.")
    first = image.history.earliest()
    address = reverse("admin:gallery_image_simple_history", args=[image.pk, first.history_id])
    page = client.get(address)
    assert (page.status_code, page.context["revert_disabled"]) == (200, True)
    form = {"product": image.product_id, "position": 0, "alt_text": ""}
    assert client.post(address, form).status_code == 403
    image.refresh_from_db()
    assert (image.status, image.taken_down_at is not None) == ("rejected", True)
    assert Client().get(image.url(320)).status_code == 404


def test_only_the_administration_may_evaluate_scripts(client):
    add_product("DRESS")
    product = Product.objects.get()
    policies = {address: client.get(address)["Content-Security-Policy"] for address in ("/admin/", "/products/")}
    assert "'unsafe-eval'" in policies["/admin/"]
    assert "unsafe" not in policies["/products/"]
    repair = reverse("admin:gallery_product_change", args=[product.pk])
    assert all(
        repair in client.get(address).content.decode() for address in ("/products/DRESS/", "/products/DRESS/edit/")
    )


def test_only_administrators_enter(staff, shopper):
    client = Client()
    for user in (staff, shopper):
        client.force_login(user)
        assert client.get("/admin/gallery/product/").status_code == 302
