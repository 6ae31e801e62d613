"""Is everything in the index? What is not is told with its reason, and comes in after the repair; on real servers."""

import time
from uuid import uuid4

import pytest
from django.core.management import call_command
from elasticsearch import ConflictError, Elasticsearch

from gallery.models import Image
from search.encoders.networks.efficientnet_lite import EfficientNetLite
from search.engines import get_engine
from search.engines.elastic.mapping import Names
from search.indexing.coverage import coverage
from search.indexing.loop import IndexLoop
from search.indexing.reconcile import reconcile
from search.models import Generation, Placement
from search.views.index.failed import by_reason
from tests.catalogue import add_product, add_products

pytestmark = pytest.mark.django_db
NEON = (1, 254, 3)
TOO_LONG = "x" * 40_000  # bytes; Elasticsearch takes no keyword of more than 32,766


@pytest.fixture(params=["elasticsearch_8", "elasticsearch_9"])
def server(request, settings):
    server = request.getfixturevalue(request.param)
    settings.SEARCH_URL = server.url
    settings.SEARCH_INDEX_PREFIX = f"test-{uuid4().hex[:12]}"
    get_engine.cache_clear()
    yield server
    for generation in Generation.objects.filter(engine="elasticsearch"):
        get_engine("elasticsearch").drop(generation.pk)
    get_engine.cache_clear()


def run_loop() -> None:
    IndexLoop().run_until_idle()


def test_five_failures_are_told_with_their_reasons_and_retried_after_the_repair(server, monkeypatch):
    well = add_products(4)
    corrupt = [add_product(f"CORRUPT-{n}", "triangle", "red", size=(150 + n, 150)).images.get() for n in range(2)]
    contents = {}
    for image in corrupt:
        with image.original.open("rb") as file:
            contents[image.original.name] = file.read()
        with image.original.storage.open(image.original.name, "wb") as file:
            file.write(contents[image.original.name][:60])
    neon = [add_product(f"NEON-{n}", "circle", "#01fe03", size=(150 + n, 150)).images.get() for n in range(2)]
    refused = add_product("REFUSED", "square", attributes={"note": [TOO_LONG]})
    forward = EfficientNetLite.forward

    def out_of_memory_on_neon(self, squares):
        if (abs(squares.astype(int) - NEON).max(axis=3) < 12).any():
            raise RuntimeError("not enough memory for this picture")
        return forward(self, squares)

    monkeypatch.setattr(EfficientNetLite, "forward", out_of_memory_on_neon)
    run_loop()
    live = Generation.objects.live()
    account = coverage(live)
    assert (account.images, account.indexed, account.waiting) == (9, 4, 5)
    told = {failed.image.pk: group.reason for group in by_reason(live) for failed in group.images}
    assert set(told) == {image.pk for image in (*corrupt, *neon, refused.images.get())}
    assert all("cannot be decoded" in told[image.pk] for image in corrupt)
    assert all("not enough memory for this picture" in told[image.pk] for image in neon)
    assert "note" in told[refused.images.get().pk] or "immense term" in told[refused.images.get().pk]
    assert sum(account.reasons.values()) == 5

    for name, content in contents.items():
        with corrupt[0].original.storage.open(name, "wb") as file:
            file.write(content)
    monkeypatch.setattr(EfficientNetLite, "forward", forward)
    refused.attributes = {"note": ["short"]}
    refused.save()
    call_command("index", "retry", *[str(image.pk) for image in corrupt])
    call_command("index", "retry")
    run_loop()
    account = coverage(live)
    assert (account.indexed, account.waiting, account.failed, account.reasons) == (9, 0, 0, {})
    assert by_reason(live) == []
    assert len(well) == 4


def put_older_version(outside: Elasticsearch, index: str, key: str, body: dict) -> None:
    """Version 1, once Elasticsearch has forgotten the deletion; it does so at a refresh, by its own slow clock."""
    deadline = time.monotonic() + 20
    while True:
        outside.indices.refresh(index=index)
        try:
            outside.index(index=index, id=key, document=body, version=1, version_type="external", refresh=True)
            return
        except ConflictError:
            assert time.monotonic() < deadline, "the deletion is still remembered"


def test_what_was_changed_behind_the_applications_back_is_found_and_repaired(server, settings):
    products = add_products(5)
    run_loop()
    products[1].title = "Edited"
    products[1].save()
    run_loop()
    live = Generation.objects.live()
    keys = [product.images.get().pk for product in products]
    index = Names(settings.SEARCH_INDEX_PREFIX).index(live.pk)
    with Elasticsearch(server.address) as outside:
        outside.delete(index=index, id=keys[0].hex)
        # An older version can only come in where the newer one has been forgotten.
        outside.indices.put_settings(index=index, settings={"index.gc_deletes": "0s"})
        outside.delete(index=index, id=keys[1].hex)
        put_older_version(outside, index, keys[1].hex, {"key": keys[1].hex, "product": str(products[1].pk)})
        outside.indices.put_settings(index=index, settings={"index.gc_deletes": "1h"})
    found = reconcile(live, repair=False)
    assert (found.missing, found.stale) == ([keys[0]], [keys[1]])
    assert found.total == 2
    call_command("index", "reconcile")
    run_loop()
    assert reconcile(live, repair=False).total == 0
    held = dict(get_engine("elasticsearch").keys_and_versions(live.pk))
    assert set(held) == set(Image.objects.values_list("pk", flat=True))
    assert held[keys[1]] == Placement.objects.get(generation=live, key=keys[1]).version
