"""What only the embedded engine promises: constant queries, exact windows, dead rows cleared away."""

from dataclasses import replace

import numpy as np
import pytest
from django.db import OperationalError, connection

from gallery.visibility import public
from search.engines.base import Deletion, EngineError, Filters, Word
from tests.engines.catalogue import QUERY, Index, document, key, new_embedded_index, numbers, rows_in_memory, words


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


@pytest.mark.parametrize("order", ["best first", "best last", "mixed"])
def test_a_window_is_exact_whatever_the_order_of_the_rows(here, order):
    """Rows sorted by score are the worst case for a sample of every so many."""
    scores = np.round(np.linspace(0.99, -0.99, 2_000), 5).tolist()
    rows = np.random.default_rng(1).permutation(2_000).tolist() if order == "mixed" else range(2_000)
    documents = [document(i, scores[i], brand=str(i % 3), tags=(str(i % 20),)) for i in rows]
    here.put(*(reversed(documents) if order == "best last" else documents))
    assert here.window() == list(range(240))
    assert here.window(filters=Filters(brand=("1",)), window=50) == list(range(1, 150, 3))
    assert here.window(filters=Filters(tags=("7",)), window=50) == list(range(7, 1_000, 20))
    assert here.window(filters=Filters(tags=("7",))) == list(range(7, 2_000, 20))
    assert here.window(filters=Filters(price_min=0.0)) == []


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


def test_many_generations_share_little_memory(here):
    engine = here.engine
    indices = [here, *(Index(engine, new_embedded_index().generation) for _ in range(5))]
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
