"""The product list for staff: what it finds, its tabs, rows that are edited in place, and a product's page."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gallery.models import Category, Image, Product, SavedView, User
from tests.catalogue import add_photo, add_product

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def shop() -> None:
    add_product("A-1", title="Red dress", category="Clothing/Dresses", brand="Velluto", price="20.00", tags=["new"])
    add_product("B-2", title="Blue cup", category="Kitchen", brand="Öst", price="5.00", photos=2)
    add_product("C-3", title="Old coat", category="Clothing", brand="", price=None, photos=0, published=False)
    add_product("D-4", title="Tea pot", category="", price="50.00", availability="preorder", tags=["new", "gift"])
    Image.objects.filter(product__sku="D-4").set_status(Image.Status.REJECTED)


def skus(response) -> list[str]:
    return [row["product"].sku for row in response.context["rows"]]


def found(client: Client, **parameters) -> list[str]:
    response = client.get("/products/", {"sort": "sku"} | parameters)
    assert response.status_code == 200
    return skus(response)


# --- The list -----------------------------------------------------------------------------------------


def test_only_staff_see_it(client, shopper, moderator, shop):
    for address in ("/products/", "/products/A-1/edit/", "/products/A-1/row/", "/bulk-edits/"):
        assert Client().get(address).status_code == 302
        for user in (shopper, moderator):
            other = Client()
            other.force_login(user)
            assert other.get(address).status_code == 403
    assert client.get("/products/").status_code == 200


def test_a_row_says_what_a_product_is(client, shop):
    page = client.get("/products/?q=B-2").content.decode()
    for words in ("Blue cup", "B-2", "Kitchen", "Öst", "5.00 EUR", "In stock", "Published", "/products/B-2/edit/"):
        assert words in page
    face = Product.objects.get(sku="B-2").images.order_by("position", "pk")[0]
    assert face.url(320, "jpeg").replace("&", "&amp;") in page


def test_the_newest_come_first(client, shop):
    assert skus(client.get("/products/")) == ["D-4", "C-3", "B-2", "A-1"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"q": "dress red"}, ["A-1"]),
        ({"q": "b-"}, ["B-2"]),
        ({"category": "none"}, ["D-4"]),
        ({"brand": "none"}, ["C-3"]),
        ({"availability": "preorder"}, ["D-4"]),
        ({"published": "no"}, ["C-3"]),
        ({"published": "yes"}, ["A-1", "B-2", "D-4"]),
        ({"photos": "none"}, ["C-3"]),
        ({"photos": "some"}, ["A-1", "B-2", "D-4"]),
        ({"state": "rejected"}, ["D-4"]),
        ({"price_min": "5", "price_max": "20"}, ["A-1", "B-2"]),
        ({"tag": "new"}, ["A-1", "D-4"]),
        ({"tag": "gift", "published": "yes"}, ["D-4"]),
        ({"sort": "price"}, ["B-2", "A-1", "D-4"]),
        ({"sort": "-photos"}, ["B-2"]),
    ],
)
def test_filters_and_orders(client, shop, parameters, expected):
    # Where a column may be empty, databases differ in where they put it: what is in order is compared.
    got = found(client, **parameters)
    if "sort" in parameters:
        got = [sku for sku in got if sku != "C-3"][: len(expected)]
    assert got == expected


def test_a_category_means_all_below_it(client, shop):
    clothing = Category.objects.get(name="Clothing")
    assert found(client, category=clothing.pk) == ["A-1", "C-3"]
    assert found(client, category=Category.objects.get(name="Dresses").pk) == ["A-1"]


def test_a_translated_title_is_found(client, shop):
    Product.objects.filter(sku="A-1").update(translations={"zh-hans": {"title": "红色连衣裙"}})
    assert found(client, q="连衣裙") == ["A-1"]


@pytest.mark.parametrize("wrong", [{"price_min": "cheap"}, {"category": "9999"}, {"brand": "x"}, {"sort": "colour"}])
def test_what_makes_no_sense_matches_nothing_and_is_said(client, shop, wrong):
    response = client.get("/products/", wrong)
    assert response.status_code == 200
    assert skus(response) == []
    assert "form-error" in response.content.decode() or "is-danger" in response.content.decode()


def test_pages_keep_the_filters_and_miss_nothing(client, monkeypatch):
    monkeypatch.setattr("gallery.views.product_list.PAGE_SIZE", 3)
    for n in range(7):
        add_product(f"P-{n}", photos=0, price="9.00", title="Same")
    seen = [sku for page in (1, 2, 3) for sku in skus(client.get(f"/products/?q=same&sort=price&page={page}"))]
    assert sorted(seen) == [f"P-{n}" for n in range(7)]
    assert 'href="?q=same&amp;sort=price&amp;page=2"' in client.get("/products/?sort=price&q=same").content.decode()


def test_many_rows_cost_no_more_queries_than_one(client, shop):
    def queries(address: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    one = queries("/products/?q=A-1")
    for n in range(10):
        add_product(f"M-{n}", tags=["new", f"t{n}"], brand=f"Brand {n}", category=f"Clothing/C{n}", photos=2)
    assert queries("/products/") == one <= 13


# --- Tabs ---------------------------------------------------------------------------------------------


def test_filters_are_kept_as_a_tab(client, staff, shop):
    response = client.post("/product-views/", {"name": "Drafts", "query": "published=no&page=3&x=1", "shared": "on"})
    assert response.url == "/products/?published=no"
    page = client.get(response.url)
    assert page.context["view"].name == "Drafts"
    assert skus(page) == ["C-3"]
    view = SavedView.objects.get()
    assert (view.owner, view.query, view.shared) == (staff, "published=no", True)


def test_others_see_shared_tabs_alone_and_cannot_change_them(client, staff, shop):
    for name, shared in (("Mine", False), ("Ours", True)):
        SavedView.objects.create(owner=staff, name=name, query="published=no", shared=shared)
    other = User.objects.create_user("other", "other@example.com", "a long password")
    other.groups.set(staff.groups.all())
    theirs = Client()
    theirs.force_login(other)
    assert [view.name for view in theirs.get("/products/").context["views"]] == ["Ours"]
    ours = SavedView.objects.get(name="Ours")
    assert theirs.post(f"/product-views/{ours.pk}/", {"name": "Theirs"}).status_code == 404
    assert theirs.post(f"/product-views/{ours.pk}/delete/").status_code == 404
    assert client.post(f"/product-views/{ours.pk}/", {"name": "Drafts"}).status_code == 302
    ours.refresh_from_db()
    assert (ours.name, ours.shared) == ("Drafts", False)
    client.post(f"/product-views/{ours.pk}/delete/")
    assert not SavedView.objects.filter(pk=ours.pk).exists()


@pytest.mark.parametrize("name", ["", "x" * 61, "Taken"])
def test_a_name_that_cannot_be_is_said(client, staff, name):
    SavedView.objects.create(owner=staff, name="Taken")
    page = client.post("/product-views/", {"name": name, "query": "q=a"}, follow=True).content.decode()
    assert "is-danger" in page
    assert SavedView.objects.count() == 1


# --- Rows that are edited -----------------------------------------------------------------------------


def row_form(client: Client, sku: str) -> dict:
    form = client.get(f"/products/{sku}/row/?edit", headers=HTMX).context["form"]
    values = {field.name: field.value() for field in form}
    return {name: value for name, value in values.items() if value not in (None, False)}


def test_a_row_becomes_a_form_and_is_saved(client, staff, shop, announced):
    announced.take()
    product = Product.objects.get(sku="A-1")
    data = row_form(client, "A-1") | {"title": "Crimson dress", "price": "25", "tags": "sale, new"}
    response = client.post("/products/A-1/row/", data, headers=HTMX)
    assert response.status_code == 200
    assert "Crimson dress" in response.content.decode() and "<form" not in response.content.decode()
    revision = product.revision
    product.refresh_from_db()
    assert (product.title, str(product.price), sorted(product.tags.names())) == (
        "Crimson dress",
        "25.00",
        ["new", "sale"],
    )
    assert product.revision == revision + 1
    assert product.history.first().history_user == staff
    assert announced.take() == set(product.images.values_list("pk", flat=True))


def test_a_cancelled_row_is_as_it_was(client, shop):
    response = client.get("/products/A-1/row/", headers=HTMX)
    assert "Red dress" in response.content.decode() and "<form" not in response.content.decode()
    assert client.get("/products/A-1/row/").url == "/products/A-1/edit/", "without scripts"
    assert client.get("/products/NOTHING/row/", headers=HTMX).status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("title", "", "required"),
        ("price", "cheap", "number"),
        ("price", "-1", "greater than or equal to 0"),
        ("availability", "perhaps", "not one of the available choices"),
        ("category", "9999", "not one of the available choices"),
        ("tags", "x" * 101, "at most 100 characters"),
    ],
)
def test_a_wrong_field_is_said_in_the_row(client, shop, field, value, words):
    response = client.post("/products/A-1/row/", row_form(client, "A-1") | {field: value}, headers=HTMX)
    assert response.status_code == 422
    assert words in str(response.context["form"].errors[field])
    assert 'aria-invalid="true"' in response.content.decode()
    assert Product.objects.get(sku="A-1").title == "Red dress"


def test_a_price_gets_and_loses_its_currency(client, shop):
    client.post("/products/C-3/row/", row_form(client, "C-3") | {"price": "7.50"}, headers=HTMX)
    assert Product.objects.get(sku="C-3").currency == "EUR"
    client.post("/products/C-3/row/", row_form(client, "C-3") | {"price": ""}, headers=HTMX)
    assert (Product.objects.get(sku="C-3").price, Product.objects.get(sku="C-3").currency) == (None, "")


def test_nobody_s_edit_is_lost(client, staff, shop):
    anna = User.objects.create_user("anna", "anna@example.com", "a long password")
    anna.groups.set(staff.groups.all())
    hers = Client()
    hers.force_login(anna)
    mine, her = row_form(client, "A-1"), row_form(hers, "A-1")
    assert hers.post("/products/A-1/row/", her | {"price": "30"}, headers=HTMX).status_code == 200
    response = client.post("/products/A-1/row/", mine | {"title": "Mine", "price": "19"}, headers=HTMX)
    assert response.status_code == 409
    conflict = response.context["conflict"]
    assert "anna changed this product" in conflict.sentence
    assert timezone.now() - conflict.when < timedelta(minutes=1)
    assert dict(conflict.now) == {"Title": "Red dress", "Price": "30.00"}
    product = Product.objects.get(sku="A-1")
    assert (product.title, str(product.price)) == ("Red dress", "30.00"), "nothing of mine is saved"
    again = {field.name: field.value() for field in response.context["form"]}
    assert again["title"] == "Mine", "nothing of mine is lost either"
    assert client.post("/products/A-1/row/", again, headers=HTMX).status_code == 200
    assert str(Product.objects.get(sku="A-1").price) == "19.00"


# --- A product's own page -----------------------------------------------------------------------------


def edit_form(client: Client, sku: str) -> dict:
    form = client.get(f"/products/{sku}/edit/").context["form"]
    values = {field.name: field.value() for field in form}
    return {name: value for name, value in values.items() if value not in (None, False)}


def test_all_fields_are_saved(client, staff, shop):
    data = edit_form(client, "B-2") | {
        "sku": "B-22", "title": "Cup", "description": "Blue.", "link": "https://shop.example/b", "currency": "CHF",
        "attributes": "size: S, M\nmaterial：clay", "translations": '{"zh-hans": {"title": "杯子"}}', "tags": "x，y",
    }  # fmt: skip
    response = client.post("/products/B-2/edit/", data)
    assert response.status_code == 302 and response.url == "/products/B-22/edit/", response.context["form"].errors
    product = Product.objects.get(sku="B-22")
    assert product.attributes == {"size": ["S", "M"], "material": ["clay"]}
    assert product.translations == {"zh-hans": {"title": "杯子"}}
    assert (product.currency, sorted(product.tags.names())) == ("CHF", ["x", "y"])
    assert client.get("/products/B-22/").status_code == 200
    assert client.get("/products/B-2/").url == "/products/B-22/", "links to the old SKU go on working"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sku", "A-1"), ("sku", "not a sku"), ("attributes", "no colon"), ("translations", "{"),
        ("translations", '{"tlh": {"title": "x"}}'), ("translations", "[1]"), ("link", "javascript:alert(1)"),
        ("currency", "euro"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_said_on_the_page(client, shop, field, value):
    response = client.post("/products/B-2/edit/", edit_form(client, "B-2") | {field: value})
    assert response.status_code == 422
    assert response.context["form"].errors[field]
    assert Product.objects.filter(sku="B-2").exists()


def test_the_page_guards_against_lost_edits(client, shop):
    data = edit_form(client, "B-2")
    Product.objects.get(sku="B-2").hide()
    response = client.post("/products/B-2/edit/", data | {"title": "Mine"})
    assert response.status_code == 409
    assert dict(response.context["conflict"].now)["Published"] == "no"
    assert Product.objects.get(sku="B-2").title == "Blue cup"


def test_photos_that_are_put_in_order_are_locked_in_the_order_of_keys(client):
    face = add_product("A-1", photos=2).images.order_by("position")[1]
    with CaptureQueriesContext(connection) as captured:
        client.post("/products/A-1/photos/", {"face": face.pk})
    assert face.product.images.order_by("position").first() == face
    read = [query["sql"] for query in captured if 'ORDER BY "gallery_image"."id" ASC' in query["sql"]]
    assert read
    if connection.vendor == "postgresql":
        assert any("FOR UPDATE" in sql for sql in read)


def test_a_currency_without_cents(client, shop):
    data = edit_form(client, "B-2") | {"currency": "JPY", "price": "5.50"}
    assert "whole number" in str(client.post("/products/B-2/edit/", data).context["form"].errors["price"])


def test_photos_are_put_into_another_order(client, staff, announced):
    product = add_product("A-1", photos=3)
    first, second, third = product.images.order_by("position")
    announced.take()

    def order() -> list:
        return list(product.images.order_by("position").values_list("pk", flat=True))

    response = client.post("/products/A-1/photos/", {"face": third.pk}, headers=HTMX)
    assert [photo.pk for photo in response.context["photos"]] == order() == [third.pk, first.pk, second.pk]
    assert announced.take() == {first.pk, second.pk, third.pk}
    assert first.history.first().history_user == staff
    client.post("/products/A-1/photos/", {"later": third.pk})
    assert order() == [first.pk, third.pk, second.pk]
    assert announced.take() == {first.pk, third.pk}
    client.post("/products/A-1/photos/", {"earlier": second.pk})
    assert order() == [first.pk, second.pk, third.pk]
    client.post("/products/A-1/photos/", {"order": [third.pk, second.pk]})
    assert order() == [third.pk, second.pk, first.pk], "who is not named follows"
    for wrong in ({}, {"face": "x"}, {"face": product.pk}, {"order": ["x"]}):
        assert client.post("/products/A-1/photos/", wrong).status_code == 400


def test_the_sharpest_photo_is_named(client):
    product = add_product("A-1", photos=0)
    add_photo(product, "circle", "red", name="soft.jpg")
    sharp = add_photo(product, "stripes", "black", name="sharp.jpg")
    hidden = add_photo(product, "stripes", "black", name="hidden.jpg", size=(300, 100))
    Image.objects.filter(pk=hidden.pk).update(sharpness=1e6, status=Image.Status.PENDING)
    assert client.get("/products/A-1/edit/").context["sharpest"] == sharp
