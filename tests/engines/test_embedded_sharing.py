"""How processes and threads share one generation of the embedded engine through the database."""

import json
import os
import subprocess
import sys
import threading

import pytest
from django.db import OperationalError, connection

from gallery.visibility import moderation
from search.engines.base import Deletion, IndexSpec, Request
from search.models import EmbeddedDocument, Generation
from tests.engines.catalogue import DIMENSION, QUERY, document, key, new_embedded_index, rows_in_memory, words


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
    index = new_embedded_index()
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
    index, documents, rounds = new_embedded_index(), 20, 40
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
    index = new_embedded_index()
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
