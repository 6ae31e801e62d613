"""What only Elasticsearch can do or get wrong: mapping, aliases, outages, passwords, the requests it is sent."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import numpy as np
import orjson
import pytest
from elasticsearch import BadRequestError, Elasticsearch
from hypothesis import given
from hypothesis import strategies as st

from gallery.visibility import public
from search.engines.base import (
    Deletion,
    Document,
    EngineError,
    EngineUnavailable,
    Filters,
    IndexMissing,
    IndexSpec,
    Request,
    Word,
)
from search.engines.counting import clause_names, price_range
from search.engines.elastic import bulk, window
from search.engines.elastic import engine as engine_module
from search.engines.elastic.client import Address, Cluster
from search.engines.elastic.counts import edges
from search.engines.elastic.engine import ElasticsearchEngine
from search.engines.elastic.mapping import index_body, mapping_of
from search.engines.index_settings import GRAPHS, SCANS, IndexSettings
from tests.engines.catalogue import DIMENSION, QUERY, Index, document, key, new_generation, numbers, towards, words
from tests.servers.elasticsearch import ElasticsearchServer


@pytest.fixture(params=["elasticsearch-8", "elasticsearch-9"])
def server(request) -> ElasticsearchServer:
    return request.getfixturevalue(request.param.replace("-", "_"))


@pytest.fixture
def engine(server, settings, db) -> ElasticsearchEngine:
    settings.SEARCH_URL = server.url
    settings.SEARCH_INDEX_PREFIX = f"specifics-{uuid4().hex[:12]}"
    return ElasticsearchEngine()


@pytest.fixture
def outside(server) -> Iterator[Elasticsearch]:
    """Somebody else's client."""
    with Elasticsearch(server.address) as client:
        yield client


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def names(index: Index) -> tuple[str, str]:
    """The physical index and its write alias."""
    return index.engine.names.index(index.generation), index.engine.names.write(index.generation)


# --- The index ----------------------------------------------------------------------------------------


def test_the_mapping_takes_nothing_unknown(index, outside):
    physical, _alias = names(index)
    with pytest.raises(BadRequestError, match="strict_dynamic_mapping_exception"):
        outside.index(index=physical, document={"surprise": 1})


def test_an_index_of_an_earlier_release_is_given_the_fields_it_lacks(index, outside, monkeypatch):
    physical, _alias = names(index)
    old = index_body(IndexSpec(index.generation, DIMENSION), index.engine.names)
    del old["mappings"]["properties"]["color"], old["mappings"]["properties"]["labels"]
    outside.indices.delete(index=physical)
    outside.indices.create(index=physical, **old)
    cat = Word("cat", labels=("any-cat",))
    assert index.catalogue(words=[cat]) == [], "a field that is not there yet holds nothing"
    index.put(document(1, color=("red",), labels=("any-cat",)), document(2))
    assert index.window(filters=Filters(color=("red",))) == [1]
    assert index.catalogue(words=[cat]) == [1]
    assert outside.indices.get_mapping(index=physical)[physical]["mappings"]["dynamic"] == "strict"
    monkeypatch.setattr(engine_module, "field_mappings", lambda: {"color": {"type": "keyword"}})
    monkeypatch.setattr(bulk, "source_of", lambda document: {"surprise": 1})
    with pytest.raises(EngineError, match="Build a new generation"):
        index.engine.write(index.generation, [document(3)], [])


def test_the_settings_of_an_index(index, outside):
    physical, _alias = names(index)
    found = outside.indices.get_settings(index=physical)[physical]["settings"]["index"]
    assert found["gc_deletes"] == "1h"
    assert found["auto_expand_replicas"] == "0-1"
    assert found["refresh_interval"] == "1s"
    assert found["number_of_shards"] == "1"


def test_vectors_and_words_are_indexed_but_not_stored_again(index, outside):
    index.put(document(1, title="red hat", brand="7"))
    (hit,) = outside.search(index=names(index)[0])["hits"]["hits"]
    assert hit["_id"] == key(1).hex
    assert hit["_source"]["brand"] == "7"
    assert not {"vector", "words"} & set(hit["_source"])


def test_creating_again_puts_back_a_lost_alias(index, outside):
    physical, alias = names(index)
    outside.indices.delete_alias(index=physical, name=alias)
    with pytest.raises(IndexMissing):
        index.engine.write(index.generation, [document(1)], [])
    index.engine.create(IndexSpec(index.generation, DIMENSION, IndexSettings()))
    index.put(document(1))
    assert index.window() == [1]


def test_creating_over_another_dimension_is_refused(index):
    with pytest.raises(EngineError, match="dims"):
        index.engine.create(IndexSpec(index.generation, DIMENSION + 1, IndexSettings()))


@pytest.mark.parametrize("kind", [*GRAPHS, *SCANS])
def test_every_kind_of_index_ranks_by_the_true_dot_product(engine, kind):
    generation = new_generation(engine).pk
    dimension = 64  # the fewest that one bit a number is allowed for
    engine.create(IndexSpec(generation, dimension, IndexSettings.parse({"type": kind})))
    index = Index(engine, generation)
    index.put(*(document(i, vector=np.pad(towards(i / 20), (0, dimension - DIMENSION))) for i in range(20)))
    query = np.eye(1, dimension, dtype=np.float32)[0]
    answer = index.search(vector=query, window=5, index=IndexSettings.parse({"type": kind}))
    engine.drop(generation)
    assert numbers(answer) == [19, 18, 17, 16, 15]
    assert [hit.score for hit in answer.hits] == pytest.approx([i / 20 for i in (19, 18, 17, 16, 15)], abs=1e-3)


@pytest.mark.parametrize("kind", [*GRAPHS, *SCANS])
def test_every_kind_of_index_keeps_filters_visibility_and_the_weak_line(engine, kind):
    settings = IndexSettings.parse({"type": kind})
    generation, dimension = new_generation(engine).pk, 64
    engine.create(IndexSpec(generation, dimension, settings))
    index = Index(engine, generation)

    def image(number: int, cosine: float, **fields) -> Document:
        return document(number, vector=np.pad(towards(cosine), (0, dimension - DIMENSION)), **fields)

    index.put(
        image(1, 0.9, brand="1", product="p"),
        image(2, 0.8, brand="1", product="p"),
        image(3, 0.7, brand="2"),
        image(4, 0.3, brand="1"),
        image(5, 0.95, brand="1", status="pending"),
        document(6, None, brand="1"),
    )
    query = np.eye(1, dimension, dtype=np.float32)[0]
    answer = index.search(public, filters=Filters(brand=("1",)), vector=query, floor=0.5, index=settings)
    assert (numbers(answer), [hit.key.int for hit in answer.weaker]) == ([1, 2], [4])
    assert (answer.total, answer.full) == (1, False)
    assert answer.facets.counts["brand"] == {"1": 1, "2": 1}
    index.write([image(1, 0.1, version=2, brand="1", product="p")], [Deletion(key(4), 2)])
    answer = index.search(public, filters=Filters(brand=("1",)), vector=query, floor=0.5, index=settings)
    assert (numbers(answer), [hit.key.int for hit in answer.weaker]) == ([2], [1])
    engine.drop(generation)


def test_a_cluster_without_scripts_is_told_when_the_index_is_made(engine, outside):
    """The servers of the tests are builds without painless."""
    generation = new_generation(engine).pk
    with pytest.raises(EngineError, match=r"painless.*build with the type flat"):
        engine.create(IndexSpec(generation, DIMENSION, IndexSettings("script_score")))
    assert not outside.indices.exists(index=engine.names.index(generation)), "nothing is left behind"


def test_the_script_reads_all_vectors_that_the_filters_leave():
    request = Request(1, public, Filters(brand=("7",)), vector=QUERY, index=IndexSettings("script_score"))
    (main, without_brand) = (body["query"] for body in window.bodies(request, clause_names(request.filters)))
    assert list(main) == ["script_score"]
    assert main["script_score"]["script"] == {
        "source": "cosineSimilarity(params.query_vector, 'vector') + 1.0",
        "params": {"query_vector": main["script_score"]["script"]["params"]["query_vector"]},
    }
    assert orjson.loads(orjson.dumps(main["script_score"]["script"]["params"]["query_vector"])) == QUERY.tolist()
    (inside,) = main["script_score"]["query"].values()
    assert {"exists": {"field": "vector"}} in inside["filter"]
    assert {"term": {"status": "approved"}} in inside["filter"]
    assert {"terms": {"brand": ["7"]}} in inside["filter"]
    assert "brand" not in str(without_brand)
    mapped = mapping_of(IndexSpec(1, DIMENSION, IndexSettings("script_score")))["properties"]["vector"]
    assert mapped == {"type": "dense_vector", "dims": DIMENSION, "index": False}


def test_settings_of_the_graph_reach_the_index_and_the_query():
    settings = IndexSettings.parse({"type": "hnsw", "m": 24, "ef_construction": 150, "candidates": 2_000})
    mapped = mapping_of(IndexSpec(1, DIMENSION, settings))["properties"]["vector"]
    assert mapped["index_options"] == {"type": "hnsw", "m": 24, "ef_construction": 150}
    (body,) = window.bodies(Request(1, public, vector=QUERY, index=settings), [])
    assert body["query"]["knn"]["num_candidates"] == 2_000
    assert "rescore_vector" not in body["query"]["knn"], "true vectors need no second scoring"
    (body,) = window.bodies(Request(1, public, vector=QUERY, index=IndexSettings.parse({"type": "bbq_hnsw"})), [])
    assert body["query"]["knn"]["rescore_vector"] == {"oversample": 3.0}


def test_outside_tools_follow_the_live_generation(new_index, outside):
    first, second = new_index(), new_index()
    live = first.engine.names.live
    for index in (first, second, second, first):
        index.engine.set_live(index.generation)
        assert list(outside.indices.get_alias(name=live)) == [names(index)[0]]


# --- Writing ------------------------------------------------------------------------------------------


def test_no_write_makes_an_index_that_was_deleted_by_hand(index, outside):
    physical, alias = names(index)
    outside.indices.delete(index=physical)
    for documents, deletions in [
        ([document(1)], []),
        ([], [Deletion(key(1), 2)]),
        ([document(1)], [Deletion(key(2), 2)]),
    ]:
        with pytest.raises(IndexMissing, match="new generation"):
            index.engine.write(index.generation, documents, deletions)
    assert not outside.indices.exists(index=f"{physical}*", allow_no_indices=False)
    assert not outside.indices.exists(index=alias)


def test_a_document_that_does_not_fit_is_refused_alone(index):
    failures = index.write([document(1), document(2, vector=np.ones(3, np.float32)), document(3)])
    assert [failure.key for failure in failures] == [key(2)]
    assert "dimensions" in failures[0].reason
    assert index.versions() == {1: 1, 3: 1}


def test_a_stale_write_says_what_to_do(index):
    index.put(document(1, version=5))
    (failure,) = index.write([document(1, version=4)])
    assert "reconcile" in failure.reason


def test_a_blocked_index_is_an_outage_and_no_documents_fault(index, outside):
    physical, _alias = names(index)
    index.put(document(1))
    outside.indices.put_settings(index=physical, settings={"index.blocks.read_only_allow_delete": True})
    with pytest.raises(EngineUnavailable, match="read_only_allow_delete"):
        index.engine.write(index.generation, [document(2), document(3)], [])
    assert index.window() == [1]
    outside.indices.put_settings(index=physical, settings={"index.blocks.read_only_allow_delete": None})
    index.put(document(2))


def test_keys_are_read_in_pages(index, monkeypatch):
    monkeypatch.setattr(engine_module, "_PAGE", 3)
    for count in (2, 3, 7):
        index.put(*(document(i, version=i + 1) for i in range(count)))
        assert index.versions() == {i: i + 1 for i in range(count)}


def test_reading_keys_leaves_nothing_open(index, outside, monkeypatch):
    monkeypatch.setattr(engine_module, "_PAGE", 2)
    index.put(*(document(i) for i in range(6)))
    reading = index.engine.keys_and_versions(index.generation)
    next(reading)
    reading.close()
    stats = outside.indices.stats(index=names(index)[0], metric="search")
    assert stats["_all"]["primaries"]["search"]["open_contexts"] == 0


# --- Searching ----------------------------------------------------------------------------------------


def test_filters_stand_inside_the_knn_clause_and_scores_are_rescored():
    request = Request(
        1, public, Filters(brand=("7",), price_max=5.0), vector=QUERY, words=words("red"), exclude=(key(9),)
    )
    clauses = clause_names(request.filters)
    bodies = window.bodies(request, clauses)
    assert len(bodies) == 1 + len(clauses)
    for body in bodies:
        assert list(body["query"]) == ["knn"]
        knn = body["query"]["knn"]
        assert knn["rescore_vector"] == {"oversample": 2.0}
        assert knn["num_candidates"] > knn["k"] == request.window
        assert {"term": {"status": "approved"}} in knn["filter"]
        assert {"term": {"published": True}} in knn["filter"]
        assert key(9).hex in str(knn["filter"])
        assert "words.title" in str(knn["filter"])
    everything, without_brand, without_price = (str(body["query"]["knn"]["filter"]) for body in bodies)
    assert "brand" in everything
    assert "range" in everything
    assert "brand" not in without_brand
    assert "range" not in without_price


def test_lopsided_weights_ask_for_more_candidates():
    plain, lopsided = (
        window.bodies(Request(1, public, vector=QUERY, lopsided=lopsided), [])[0]["query"]["knn"]["num_candidates"]
        for lopsided in (False, True)
    )
    assert lopsided > plain


def test_the_graph_finds_the_true_window(index):
    """20,000 vectors: a smaller set would be scanned, not walked."""
    random = np.random.default_rng(3)
    vectors = random.normal(size=(20_000, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for start in range(0, len(vectors), 2_000):
        chunk = enumerate(vectors[start : start + 2_000], start)
        assert index.engine.write(index.generation, [document(i, vector=vector) for i, vector in chunk], []) == []
    index.engine.refresh(index.generation)
    found = 0
    for query in vectors[:20]:
        exact = set(np.argsort(-(vectors @ query))[:100].tolist())
        found += len(exact & set(index_window(index, query)))
    assert found / 2_000 >= 0.97


def index_window(index: Index, query: np.ndarray) -> list[int]:
    return numbers(index.search(vector=query, window=100, facets=False))


def test_pages_beyond_what_elasticsearch_reaches_say_so(index):
    with pytest.raises(EngineError, match="Narrow the search down"):
        index.search(offset=9_990, limit=24)


def test_questions_that_are_asked_together_share_their_requests(index, monkeypatch):
    index.put(*(document(i, i / 20, title="hat", price=float(i)) for i in range(8)))
    searches: list[int] = []
    ask = Cluster.ask

    def counted(self, name, bodies):
        searches.append(len(bodies))
        return ask(self, name, bodies)

    monkeypatch.setattr(Cluster, "ask", counted)
    by_text = Request(index.generation, public, words=words("hat"))
    alike = Request(index.generation, public, vector=QUERY, words=words("hat"), facets=False)
    others = Request(index.generation, public, vector=QUERY, without_words=words("shoe"))
    index.engine.search_all([by_text, alike, others])
    assert searches == [4, 1], "the page, the counts and both windows; then steps between prices that are known by then"
    searches.clear()
    index.engine.search_all([replace(one, facets=False) for one in (by_text, alike, others)])
    assert searches == [4]
    with pytest.raises(ValueError, match="one generation"):
        index.engine.search_all([by_text, replace(by_text, generation=index.generation + 1)])


def test_threads_share_the_engine(index):
    index.put(*(document(i, i / 20) for i in range(20)))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: index.window(window=3), range(40)))
    assert answers == [[19, 18, 17]] * 40


@given(st.floats(0, 1_000), st.lists(st.integers(1, 100_000), min_size=1, max_size=20))
def test_steps_of_price_begin_where_counting_begins_them(lowest, cents):
    prices = [lowest, *(lowest + cent / 100 for cent in cents)]
    starts = edges(min(prices), max(prices))
    counted = price_range([*prices, *starts])
    expected = [0] * len(counted.counts)
    for price in [*prices, *starts]:
        expected[sum(price >= start for start in starts) - 1] += 1
    assert counted.counts == tuple(expected)


# --- Outages and passwords ----------------------------------------------------------------------------


def test_a_stopped_server_is_unavailable_and_works_again_when_it_returns(index, server):
    index.put(document(1, version=4))
    server.stop()
    try:
        for ask in (
            lambda: index.search(vector=QUERY),
            lambda: index.search(),
            lambda: index.engine.write(index.generation, [document(2)], []),
            lambda: list(index.engine.keys_and_versions(index.generation)),
            lambda: index.engine.create(IndexSpec(index.generation, DIMENSION, IndexSettings())),
            lambda: index.engine.drop(index.generation),
        ):
            with within(2), pytest.raises(EngineUnavailable, match="No connection"):
                ask()
        health = index.engine.health(index.generation)
        assert not health.ok
        assert health.detail
    finally:
        server.start()
    assert index.versions() == {1: 4}
    assert index.window() == [1]
    index.put(document(2))


def test_a_server_that_hangs_is_unavailable_when_the_time_is_up(server, settings, index):
    index.put(document(1))
    settings.SEARCH_TIMEOUT = 0.5
    engine = ElasticsearchEngine()
    with server.frozen(), within(3), pytest.raises(EngineUnavailable, match="SEARCH_TIMEOUT"):
        engine.search(Request(index.generation, public, vector=QUERY))
    settings.SEARCH_TIMEOUT = 10
    assert numbers(ElasticsearchEngine().search(Request(index.generation, public, vector=QUERY))) == [1]


def test_a_secured_cluster(secured_elasticsearch, settings, db):
    settings.SEARCH_URL = secured_elasticsearch.url
    settings.SEARCH_CA_CERTS = str(secured_elasticsearch.certificate)
    engine = ElasticsearchEngine()
    index = Index(engine, new_generation(engine).pk)
    engine.create(IndexSpec(index.generation, DIMENSION, IndexSettings()))
    index.put(document(1))
    assert index.window() == [1]
    assert engine.health(index.generation).ok

    settings.SEARCH_URL = secured_elasticsearch.url_for("elastic", "wrong")
    refused = ElasticsearchEngine()
    with pytest.raises(EngineError, match="password"):
        refused.search(Request(index.generation, public, vector=QUERY))
    assert "password" in refused.health().detail

    settings.SEARCH_URL, settings.SEARCH_CA_CERTS = secured_elasticsearch.url, ""
    with pytest.raises(EngineError, match="SEARCH_CA_CERTS"):
        ElasticsearchEngine().search(Request(index.generation, public, vector=QUERY))


def test_an_engine_whose_address_is_no_longer_set_says_so(settings):
    settings.SEARCH_URL = "embedded:"
    with pytest.raises(EngineUnavailable, match="SEARCH_URL"):
        ElasticsearchEngine().search(Request(1, public))


@pytest.mark.parametrize(
    ("url", "hosts", "user"),
    [
        ("elasticsearch://one", ["http://one:9200"], None),
        ("elasticsearch://one:9201,two", ["http://one:9201", "http://two:9200"], None),
        ("elasticsearch+http://one", ["http://one:9200"], None),
        ("elasticsearch+https://me:p%40ss:w@one:443/es", ["https://one:443/es"], ("me", "p@ss:w")),
        ("elasticsearch://[::1]:9200", ["http://[::1]:9200"], None),
    ],
)
def test_addresses(url, hosts, user):
    assert Address.parse(url) == Address(tuple(hosts), user)


@pytest.mark.parametrize("url", ["", "embedded:", "elasticsearch://", "elasticsearch:", "elasticsearch+ftp://one"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(EngineUnavailable, match="SEARCH_URL"):
        Address.parse(url)
