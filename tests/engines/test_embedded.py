"""What only the embedded engine promises: how processes and threads share one generation through the database."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from django.db import OperationalError, connection

from gallery.visibility import moderation, public
from search.engines.base import Deletion, EngineError, Filters, IndexSpec, Request, Word
from search.engines.embedded.engine import EmbeddedEngine
from search.models import EmbeddedDocument, Generation
from tests.engines.catalogue import DIMENSION, QUERY, Index, document, key, new_generation, numbers, words


def make_index() -> Index:
    engine = EmbeddedEngine()
    generation = new_generation(engine).pk
    engine.create(IndexSpec(generation, DIMENSION))
    return Index(engine, generation)


@pytest.fixture
def here(db) -> Index:
    return make_index()


@pytest.fixture
def there(here) -> Index:
    """The same generation as another process has it."""
    return Index(EmbeddedEngine(), here.generation)


def rows_in_memory(index: Index) -> int:
    return len(index.engine._store(index.generation).snapshot())


def test_another_process_sees_writes_edits_and_deletions(here, there):
    assert there.window() == []
    here.put(document(1), document(2, 0.8))
    assert there.window() == [1, 2]
    here.put(document(2, 0.95, version=2))
    assert there.window() == [2, 1]
    here.write(deletions=[Deletion(key(2), 3)])
    assert there.window() == [1]
    there.put(document(3, 0.99))
    assert here.window() == [3, 1]


def test_a_process_of_its_own_sees_the_writes_and_is_seen(transactional_db):
    index = make_index()
    index.put(document(1), document(2, 0.8))
    script = """
import json, os, django
from django.conf import settings
settings.DATABASES["default"].update(json.loads(os.environ["TEST_DATABASE"]))
django.setup()
from tests.engines.catalogue import Index, document
from search.engines.embedded.engine import EmbeddedEngine
index = Index(EmbeddedEngine(), int(os.environ["TEST_GENERATION"]))
before = index.window()
index.put(document(2, 0.95, version=2), document(3, 0.5))
print(json.dumps([before, index.window()]))
"""
    database = {name: connection.settings_dict[name] for name in ("ENGINE", "NAME", "USER", "HOST", "PORT")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "imgsite.settings",
            "TEST_DATABASE": json.dumps(database, default=str),
            "TEST_GENERATION": str(index.generation),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[1, 2], [2, 1, 3]]
    assert index.window() == [2, 1, 3]


def test_only_rows_that_are_newer_are_loaded(here, there):
    here.put(*(document(i) for i in range(50)))
    there.window()
    assert rows_in_memory(there) == 50
    here.put(document(3, version=2), document(60))
    there.window()
    assert rows_in_memory(there) == 52  # two appended; the old row of one is dead
    assert there.search(vector=QUERY).total == 51


def test_what_a_reader_holds_does_not_change_under_it(here):
    here.put(*(document(i, brand="1") for i in range(10)))
    snapshot = here.engine._store(here.generation).snapshot()
    matrix, alive = snapshot.matrix.copy(), snapshot.alive.copy()
    here.put(*(document(i, 0.1, version=2, brand="2") for i in range(3_000)))
    assert here.search(vector=QUERY).total == 240
    assert len(snapshot) == 10
    assert np.array_equal(snapshot.matrix, matrix)
    assert np.array_equal(snapshot.alive, alive)


def test_a_search_takes_a_constant_number_of_queries(here, django_assert_num_queries):
    here.put(*(document(i, title="red hat", brand=str(i % 5), price=float(i)) for i in range(300)))
    filters = Filters(brand=("1", "2"), tags=("a",), price_min=3.0)
    here.window()
    with django_assert_num_queries(1):
        here.window(filters=filters)
    with django_assert_num_queries(1):
        here.catalogue(public, filters=filters)
    with django_assert_num_queries(2):
        here.catalogue(words=(Word("red"), Word("hat", brands=("1",)), Word("cap", categories=("1",))))
    here.put(*(document(i, version=2) for i in range(100)))
    with django_assert_num_queries(3):
        here.window()
    with django_assert_num_queries(1):
        here.window()


def test_dead_rows_are_cleared_away_and_nothing_else_changes(here, there):
    documents = [
        document(
            i,
            round(0.9 - i / 2_000, 4),
            version=2,
            title=f"thing {i % 3}",
            product=f"p{i // 2}",
            created=i // 2,
            brand=str(i % 7),
            tags=(f"t{i % 11}", f"t{i % 13}"),
            price=float(i // 2) if i % 10 < 8 else None,
            uploader=str(i % 3) if i % 3 else None,
            status="approved" if i % 5 else "pending",
            attributes=(f"size={i % 4}",),
        )
        for i in range(1_500)
    ]
    here.put(
        *(replace(each, version=1, fields=replace(each.fields, brand=f"old-{i}")) for i, each in enumerate(documents))
    )
    assert here.search().total == 750
    here.put(*documents)
    here.write(deletions=[Deletion(each.key, 3) for each in documents[:300]])
    assert rows_in_memory(here) == rows_in_memory(there) == 1_200
    snapshot = here.engine._store(here.generation).snapshot()
    assert len(snapshot.keys) == 1_200
    assert not any(value.startswith("old-") for facet, value in snapshot.facet_values.values)
    for asked in (
        {"vector": QUERY},
        {"vector": QUERY, "filters": Filters(brand=("1", "3"), tags=("t2",), attributes=("size=1",))},
        {"filters": Filters(tags=("t1",), price_min=100.0)},
        {"sort": "-price", "limit": 50},
        {"words": words("thing 2"), "limit": 50},
        {"vector": QUERY, "words": words("thing 1"), "exclude": (key(301),)},
    ):
        assert here.search(public, **asked) == there.search(public, **asked)
        assert here.search(**asked).total > 0
    here.put(document(5_000, 0.99))
    assert numbers(here.search(vector=QUERY))[0] == numbers(there.search(vector=QUERY))[0] == 5_000


def test_documents_without_vectors_may_come_first(here, there):
    here.put(document(1, None), document(2, None))
    assert there.window() == []
    here.put(document(3, 0.5), document(4, None))
    assert there.window() == [3]
    assert sorted(there.catalogue()) == [1, 2, 3, 4]


def test_a_window_is_exact_whatever_the_order_of_the_rows(here):
    """Rows sorted by score are the worst case for a sample of every so many."""
    scores = np.round(np.linspace(0.99, -0.99, 4_000), 5)
    for order in (np.arange(4_000), np.arange(4_000)[::-1], np.random.default_rng(1).permutation(4_000)):
        index = make_index()
        index.put(*(document(int(i), float(scores[i]), brand=str(i % 3)) for i in order))
        assert index.window() == list(range(240))
        assert index.window(filters=Filters(brand=("1",)), window=50) == list(range(1, 150, 3))
        few = Filters(price_min=0.0)
        assert index.window(filters=few) == []


def test_a_window_with_ties_at_its_end_is_filled_by_key(here):
    here.put(*(document(i, 0.5) for i in np.random.default_rng(3).permutation(2_000).tolist()))
    assert here.window() == list(range(240))


def test_a_query_of_another_length_is_refused_in_words(here):
    here.put(document(1))
    with pytest.raises(EngineError, match=r"17 numbers.* 16"):
        here.search(vector=np.ones(17, np.float32) / np.sqrt(17))


def test_one_key_twice_in_a_request_ends_as_the_last(here):
    assert here.write([document(1, 0.3), document(1, 0.9, version=2)]) == []
    assert here.versions() == {1: 2}
    assert [failure.key for failure in here.write([document(2, version=5), document(2, version=4)])] == [key(2)]
    assert here.write([document(3)], [Deletion(key(3), 2)]) == []
    assert here.versions() == {1: 2, 2: 5}


def test_a_database_set_back_is_read_anew(here):
    here.put(document(1))
    revision = Generation.objects.get(pk=here.generation).embedded_revision
    here.put(document(2), document(3))
    here.put(document(4))
    assert sorted(here.window()) == [1, 2, 3, 4]
    EmbeddedDocument.objects.filter(generation_id=here.generation, revision__gt=revision).delete()
    Generation.objects.filter(pk=here.generation).update(embedded_revision=revision)
    assert here.window() == [1]


def test_an_index_made_again_starts_empty(here, there):
    here.put(document(1, title="red"))
    assert there.window() == [1]
    here.engine.drop(here.generation)
    assert not EmbeddedDocument.objects.exists()
    here.engine.create(IndexSpec(here.generation, DIMENSION))
    assert here.window() == there.window() == []
    here.put(document(2, title="red"))
    assert here.catalogue(words=words("red")) == [2]


def test_many_generations_share_little_memory(here):
    engine = here.engine
    indices = [here, *(Index(engine, make_index().generation) for _ in range(5))]
    for number, index in enumerate(indices):
        index.put(document(number))
    assert [index.window() for index in indices] == [[0], [1], [2], [3], [4], [5]]
    assert len(engine._stores) == 3


def test_a_dead_database_is_not_hidden(here):
    here.put(document(1))

    def dead(execute, sql, params, many, context):
        raise OperationalError("the server closed the connection")

    with connection.execute_wrapper(dead):
        with pytest.raises(OperationalError):
            here.search(vector=QUERY)
        health = here.engine.health(here.generation)
    assert not health.ok
    assert "closed the connection" in health.detail
    assert here.window() == [1]


def test_a_write_that_fails_leaves_nothing_behind(here, there):
    here.put(document(1, title="red"))

    def no_words(execute, sql, params, many, context):
        if "search_documentwords" in sql:
            raise OperationalError("disk full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(no_words), pytest.raises(OperationalError):
        here.engine.write(here.generation, [document(1, 0.2, version=2), document(2)], [])
    assert here.versions() == there.versions() == {1: 1}
    assert here.window() == there.window() == [1]


def test_threads_see_whole_writes_only(transactional_db):
    """Each write gives all documents another brand: an answer with two brands would have seen half of one."""
    index, documents, rounds = make_index(), 20, 40
    index.put(*(document(i, version=1, brand="1") for i in range(documents)))
    done, wrong, asked = threading.Event(), [], []

    def read() -> None:
        try:
            while not done.is_set():
                answer = index.engine.search(Request(index.generation, moderation, vector=QUERY))
                brands = answer.facets.counts["brand"]
                asked.append(brands)
                if len(answer.hits) != documents or list(brands.values()) != [documents]:
                    wrong.append((len(answer.hits), brands))
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for version in range(2, rounds + 2):
        index.put(*(document(i, version=version, brand=str(version)) for i in range(documents)))
    done.set()
    for thread in threads:
        thread.join(timeout=30)
    assert wrong == []
    assert asked
    assert index.search(vector=QUERY).facets.counts["brand"] == {str(rounds + 1): documents}


def test_writers_wait_for_each_other_and_the_newest_version_stays(transactional_db):
    index = make_index()
    failures, errors = [], []

    def write(start: int) -> None:
        try:
            for version in range(start, 40, 4):
                failures.extend(index.engine.write(index.generation, [document(1, version=version)], []))
                index.engine.write(index.generation, [document(100 + version)], [])
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(start,)) for start in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert errors == []
    assert index.versions() == {1: 39} | {100 + version: 1 for version in range(1, 40)}
    # Every write has a revision of its own, so nobody who reads by revision can miss one.
    written = 39 - len(failures) + 39
    assert Generation.objects.get(pk=index.generation).embedded_revision == 1 + written
    assert len(index.search(vector=QUERY).hits) == 40
