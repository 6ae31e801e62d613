"""Elasticsearch goes away while people upload and delete; after its return everything agrees with no one's help."""

from uuid import uuid4

import pytest
from django.urls import reverse

from gallery.models import Image, Product
from search.engines import get_engine
from search.indexing import loop as indexing
from search.indexing.loop import IndexLoop
from search.indexing.reconcile import reconcile
from search.models import Generation, Placement
from tests.catalogue import add_products

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["elasticsearch_8", "elasticsearch_9"])
def server(request, settings):
    server = request.getfixturevalue(request.param)
    settings.SEARCH_URL = server.url
    settings.SEARCH_INDEX_PREFIX = f"test-{uuid4().hex[:12]}"
    settings.SEARCH_TIMEOUT = 5.0
    get_engine.cache_clear()
    yield server
    server.start()
    engine = get_engine("elasticsearch")
    for generation in Generation.objects.filter(engine="elasticsearch"):
        engine.drop(generation.pk)
    get_engine.cache_clear()


def test_uploads_and_deletes_during_an_outage_arrive_afterwards(server, settings, monkeypatch, client):
    monkeypatch.setattr(indexing, "ENGINE_DOWN_SECONDS", (0,))  # the outage is over when the server is back
    settings.SEARCH_FIT_AT = 10_000
    before = add_products(30)
    IndexLoop().run_until_idle()
    server.stop()

    for product in before[:20]:
        product.delete()
    add_products(100, prefix="LATE")
    loop = IndexLoop()
    for _attempt in range(3):
        loop.step()
    assert Placement.objects.filter(behind=True).count() == 120
    assert set(Placement.objects.filter(behind=True).values_list("attempts", flat=True)) == {0}

    answer = client.get(reverse("search"), {"q": "red circle"})
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert "red circle" in answer.content.decode()

    server.start()
    while loop.step():
        pass
    live = Generation.objects.live()
    assert not Placement.objects.filter(behind=True).exists()
    assert reconcile(live, repair=False).total == 0
    assert {key for key, _version in get_engine("elasticsearch").keys_and_versions(live.pk)} == set(
        Image.objects.values_list("pk", flat=True)
    )
    assert Image.objects.count() == Product.objects.count() == 110


def test_an_index_deleted_by_hand_is_replaced_from_stored_embeddings(server, settings, monkeypatch):
    settings.SEARCH_FIT_AT = 10_000
    add_products(12)
    IndexLoop().run_until_idle()
    lost = Generation.objects.live()
    get_engine("elasticsearch").drop(lost.pk)

    def never(self, squares):
        raise AssertionError("the model ran again")

    monkeypatch.setattr("search.encoders.networks.efficientnet_lite.EfficientNetLite.forward", never)
    IndexLoop().run_until_idle()
    live = Generation.objects.live()
    assert live.pk != lost.pk
    assert len(dict(get_engine("elasticsearch").keys_and_versions(live.pk))) == 12


def test_another_engine_is_filled_beside_the_live_one_and_takes_over(server, settings):
    settings.SEARCH_URL = "embedded:"
    add_products(12)
    IndexLoop().run_until_idle()
    embedded = Generation.objects.live()
    assert embedded.engine == "embedded"

    settings.SEARCH_URL = server.url
    get_engine.cache_clear()
    IndexLoop().run_until_idle()
    live = Generation.objects.live()
    assert live.engine == "elasticsearch"
    assert dict(get_engine("elasticsearch").keys_and_versions(live.pk)) == dict(
        get_engine("embedded").keys_and_versions(embedded.pk)
    )
