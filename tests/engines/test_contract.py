"""What every engine does when it is written to: one suite, every engine and version."""

import pytest

from gallery.visibility import moderation
from search.engines.base import Deletion, IndexMissing, IndexSpec, Request
from tests.engines.catalogue import DIMENSION, QUERY, document, key, new_generation


def test_what_is_put_is_found(index):
    index.put(document(1, version=3), document(2, version=7))
    assert index.versions() == {1: 3, 2: 7}
    assert sorted(index.window()) == [1, 2]


def test_a_newer_version_replaces_vector_fields_and_words(index):
    index.put(document(1, 0.9, brand="1", title="red apple"))
    index.put(document(1, 0.2, version=2, brand="2", title="green pear"))
    answer = index.search(vector=QUERY)
    assert [round(hit.score, 2) for hit in answer.hits] == [0.2]
    assert answer.facets.counts["brand"] == {"2": 1}
    assert index.versions() == {1: 2}


def test_an_older_version_is_refused_and_changes_nothing(index):
    index.put(document(1, 0.9, version=5))
    failures = index.write([document(1, 0.2, version=4)])
    assert [failure.key for failure in failures] == [key(1)]
    assert failures[0].reason
    assert index.search(vector=QUERY).hits[0].score == pytest.approx(0.9, abs=1e-3)
    assert index.versions() == {1: 5}


def test_the_same_version_again_is_success(index):
    index.put(document(1, version=5))
    index.put(document(1, version=5))
    assert index.versions() == {1: 5}


def test_a_refused_document_holds_up_no_other(index):
    index.put(document(1, version=5))
    failures = index.write([document(1, version=4), document(2), document(3)])
    assert [failure.key for failure in failures] == [key(1)]
    assert index.versions() == {1: 5, 2: 1, 3: 1}


def test_what_is_deleted_is_not_found(index):
    index.put(document(1), document(2))
    assert index.write(deletions=[Deletion(key(1), 2)]) == []
    assert index.versions() == {2: 1}
    assert index.window() == [2]
    assert index.catalogue() == [2]


def test_deleting_what_is_missing_is_success(index):
    assert index.write(deletions=[Deletion(key(1), 2)]) == []
    assert index.versions() == {}


def test_an_older_put_does_not_bring_back_what_was_deleted(index):
    index.put(document(1))
    index.write(deletions=[Deletion(key(1), 3)])
    assert [failure.key for failure in index.write([document(1, version=2)])] == [key(1)]
    assert index.versions() == {}


def test_an_older_put_does_not_create_what_was_deleted_before_it_came(index):
    index.write(deletions=[Deletion(key(1), 3)])
    assert [failure.key for failure in index.write([document(1, version=2)])] == [key(1)]
    assert index.versions() == {}


def test_a_newer_put_brings_back_what_was_deleted(index):
    index.put(document(1))
    index.write(deletions=[Deletion(key(1), 3)])
    index.put(document(1, version=4))
    assert index.versions() == {1: 4}
    assert index.window() == [1]


def test_an_older_deletion_is_refused(index):
    index.put(document(1, version=5))
    assert [failure.key for failure in index.write(deletions=[Deletion(key(1), 4)])] == [key(1)]
    assert index.versions() == {1: 5}


def test_puts_and_deletions_go_in_one_request(index):
    index.put(document(1), document(2))
    assert index.write([document(2, version=2), document(3)], [Deletion(key(1), 2)]) == []
    assert index.versions() == {2: 2, 3: 1}


def test_writing_nothing_is_success(index):
    assert index.write() == []


def test_an_image_without_a_vector_is_in_the_catalogue_and_in_no_window(index):
    index.put(document(1, None), document(2))
    assert index.versions() == {1: 1, 2: 1}
    assert index.window() == [2]
    assert sorted(index.catalogue()) == [1, 2]


def test_an_image_can_lose_its_vector(index):
    index.put(document(1), document(2))
    index.put(document(1, None, version=2))
    assert index.window() == [2]


def test_generations_are_apart(new_index):
    first, second = new_index(), new_index()
    first.put(document(1))
    second.put(document(2))
    assert (first.window(), second.window()) == ([1], [2])
    assert (first.versions(), second.versions()) == ({1: 1}, {2: 1})


def test_creating_again_keeps_the_documents(index):
    index.put(document(1))
    index.engine.create(IndexSpec(index.generation, DIMENSION))
    assert index.versions() == {1: 1}


def test_an_empty_index_answers(index):
    answer = index.search(vector=QUERY)
    assert (list(answer.hits), answer.total, answer.full) == ([], 0, False)
    assert answer.facets.price is None
    assert index.catalogue() == []
    assert index.versions() == {}


def test_a_dropped_index_is_missing(index):
    index.put(document(1))
    index.engine.drop(index.generation)
    index.engine.drop(index.generation)
    with pytest.raises(IndexMissing):
        index.search(vector=QUERY)
    with pytest.raises(IndexMissing):
        index.search()
    with pytest.raises(IndexMissing):
        index.engine.write(index.generation, [document(2)], [])
    with pytest.raises(IndexMissing):
        list(index.engine.keys_and_versions(index.generation))


def test_an_index_that_was_never_made_is_missing(engine):
    generation = new_generation(engine).pk
    with pytest.raises(IndexMissing):
        engine.write(generation, [document(1)], [])
    with pytest.raises(IndexMissing):
        engine.search(Request(generation, moderation, vector=QUERY))
    with pytest.raises(IndexMissing):
        list(engine.keys_and_versions(generation))
    with pytest.raises(IndexMissing):
        engine.write(generation + 1, [document(1)], [])


def test_health_counts_the_live_documents(index):
    index.put(document(1), document(2), document(3))
    index.write(deletions=[Deletion(key(1), 2)])
    health = index.engine.health(index.generation)
    assert health.ok
    assert health.documents == 2
    assert health.bytes > 0
    assert health.detail


def test_the_health_of_a_missing_index_is_bad(index):
    index.engine.drop(index.generation)
    health = index.engine.health(index.generation)
    assert not health.ok
    assert health.detail


def test_the_engine_as_a_whole_is_healthy(index):
    assert index.engine.health().ok


def test_a_warm_index_answers_alike(index):
    index.put(document(1))
    index.engine.warm(IndexSpec(index.generation, DIMENSION))
    index.engine.set_live(index.generation)
    assert index.window() == [1]
