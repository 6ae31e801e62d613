"""What the results page keeps of people who agreed, and how it orders for them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gallery.models import Image, User
from search.models import SearchRecord
from tests.catalogue import COLORS, SHAPES, add_product
from tests.search.test_pages import page_at, skus

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(index, monkeypatch) -> list[Image]:
    """40 products in one band."""
    monkeypatch.setattr("search.similarity._UNCALIBRATED", (-1.0, 2.0, 3.0))
    for n in range(40):
        add_product(f"P-{n:02d}", SHAPES[n % 4], COLORS[(n // 4) % 5], size=(200 + 4 * n, 180))
    index()
    return list(Image.objects.select_related("product").order_by("pk"))


def agreeing(keeps: bool | None) -> User:
    return User.objects.create_user("anna", "anna@example.com", "x", keeps_history=keeps)


def test_equally_similar_products_are_ordered_by_what_was_saved(client, client_of, many):
    anna = client_of(agreeing(True))
    query = f"image={many[0].pk}"
    usual = skus(page_at(client, query))
    assert page_at(anna, query).ordering_url == "", "nothing is saved yet"
    liked = next(image for image in many if image.product.sku == usual[-1])
    anna.post(reverse("save", args=[liked.pk]))
    page = page_at(anna, query)
    assert skus(page) != usual
    assert skus(page)[0] == usual[-1]
    assert page.ordering_url == f"/search/?{query}&ordered=0"
    off = page_at(anna, f"{query}&ordered=0")
    assert skus(off) == usual
    assert off.ordering_url == f"/search/?{query}"
    assert skus(page_at(client, query)) == usual, "nobody else's results change"
    assert page_at(anna, f"less={many[0].pk}").ordering_url == "", "what is only unlike something stands in no band"


def test_searches_are_kept_with_consent_alone(client, client_of, many):
    user = agreeing(None)
    anna = client_of(user)
    page_at(anna, "q=circle")
    page_at(client, "q=circle")
    assert not SearchRecord.objects.exists()
    assert b'id="consent"' in anna.get("/search/?q=circle").content
    User.objects.filter(pk=user.pk).update(keeps_history=True)
    page_at(anna, "q=circle&weaker=1")
    page_at(anna, "q=circle&page=2")
    assert list(SearchRecord.objects.values_list("user", "query")) == [(user.pk, "q=circle")]


def test_people_who_agreed_take_few_queries_too(client_of, many):
    anna = client_of(agreeing(True))
    anna.post(reverse("save", args=[many[5].pk]))
    query = f"image={many[0].pk}&color=red"
    page_at(anna, query)
    with CaptureQueriesContext(connection) as captured:
        page_at(anna, query)
    statements = [entry["sql"][:150] for entry in captured.captured_queries if "SAVEPOINT" not in entry["sql"]]
    # Three for the order, and two that keep the search.
    assert len(statements) <= 12 + 5, statements
