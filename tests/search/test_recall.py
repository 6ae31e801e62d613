"""``index recall`` on the engines, and what it says when it cannot measure."""

import json
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from search import generations
from search.engines import get_engine
from search.engines.index_settings import IndexSettings
from search.indexing.loop import IndexLoop
from search.models import Generation
from tests.catalogue import add_products

pytestmark = pytest.mark.django_db


def recall_of(generation: Generation, capsys, *arguments: str) -> dict:
    call_command("index", "recall", str(generation.pk), "--json", *arguments)
    return json.loads(capsys.readouterr().out)


def test_the_embedded_engine_is_exact(capsys):
    add_products(40)
    IndexLoop().run_until_idle()
    measured = recall_of(Generation.objects.live(), capsys, "--queries", "15")
    assert set(measured) == {"default weights", "deep alone", "color alone", "texture alone", "shape alone"}
    assert all(figures["recall"] == 1.0 for figures in measured.values())
    assert measured["default weights"]["images"] == 40
    call_command("index", "recall")
    assert "recall@10 1.000" in capsys.readouterr().out


@pytest.mark.parametrize("server", ["elasticsearch_8", "elasticsearch_9"])
def test_types_of_elasticsearch_are_measured_on_the_same_catalogue(server, request, settings, capsys):
    settings.SEARCH_URL = request.getfixturevalue(server).url
    settings.SEARCH_INDEX_PREFIX = f"test-{uuid4().hex[:12]}"
    get_engine.cache_clear()
    add_products(60)
    IndexLoop().run_until_idle()
    for kind in ("flat", "bbq_hnsw"):
        generations.build(index=IndexSettings.parse({"type": kind}))
    IndexLoop().run_until_idle()
    exact, quantised = Generation.objects.filter(state="ready").order_by("pk")
    get_engine("elasticsearch").refresh(exact.pk)
    get_engine("elasticsearch").refresh(quantised.pk)
    assert recall_of(exact, capsys, "--queries", "10")["default weights"]["recall"] == 1.0
    assert recall_of(quantised, capsys, "--queries", "10", "--candidates", "500")["default weights"]["recall"] >= 0.9
    for generation in Generation.objects.filter(engine="elasticsearch"):
        get_engine("elasticsearch").drop(generation.pk)
    get_engine.cache_clear()


def test_what_cannot_be_measured_is_said():
    with pytest.raises(CommandError, match="no index yet"):
        call_command("index", "recall")
    add_products(3)
    IndexLoop().run_until_idle()
    with pytest.raises(CommandError, match="needs 11 at least"):
        call_command("index", "recall")
    with pytest.raises(CommandError, match="1 or more"):
        call_command("index", "recall", "--queries", "0")
