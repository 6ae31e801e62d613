"""What every engine does with what is recognised in images: words find it, behind all that people wrote."""

import pytest

from search.engines.base import Word
from tests.engines.catalogue import QUERY, document, words

CAT = Word("cat", labels=("any-cat", "tiger-cat"))


@pytest.fixture
def shop(index):
    index.put(
        document(1, labels=("any-animal", "any-cat", "tabby"), created=900),
        document(2, title="Cat", created=100),
        document(3, description="for a cat, a bowl", created=200),
        document(4, tag_words="cat", labels=("any-cat",), created=300),
        document(5, labels=("any-dog",), created=800),
        document(6, title="Red cushion", labels=("tiger-cat",), brand="7", created=400),
        document(7, title="Dog basket", created=700),
    )
    return index


def test_a_word_finds_what_is_recognised_behind_what_is_written(shop):
    found = shop.catalogue(words=[CAT])
    assert set(found) == {1, 2, 3, 4, 6}
    assert found[:1] == [2]
    assert set(found[-2:]) == {1, 6}
    assert found.index(4) < found.index(3)
    assert shop.search(words=[CAT]).total == 5


def test_a_word_without_a_code_finds_text_alone(shop):
    assert set(shop.catalogue(words=words("cat"))) == {2, 3, 4}


def test_a_brands_name_counts_for_more_than_a_label(shop):
    named = Word("felix", brands=("7",), labels=("any-cat",))
    found = shop.catalogue(words=[named])
    assert found[0] == 6
    assert set(found) == {6, 1, 4}


def test_every_word_must_match_by_its_text_or_by_its_label(shop):
    assert shop.catalogue(words=[*words("red"), CAT]) == [6]
    assert shop.catalogue(words=[CAT, Word("dog", labels=("any-dog",))]) == []


def test_words_sort_and_narrow_a_window_by_labels_too(shop):
    assert set(shop.window(words=[CAT])) == {1, 2, 3, 4, 6}
    assert shop.catalogue(words=[CAT], sort="newest") == [1, 6, 4, 3, 2]


def test_a_word_of_signs_can_still_be_a_label(shop):
    assert set(shop.catalogue(words=[Word("", labels=("any-dog",))])) == {5}


@pytest.mark.parametrize("asked", [{"vector": QUERY}, {}], ids=["window", "catalogue"])
def test_labels_are_no_facet(shop, asked):
    counts = shop.search(**asked).facets.counts
    assert "labels" not in counts
    assert counts["brand"] == {"7": 1}


def test_new_labels_replace_the_old_ones(shop):
    shop.put(document(1, version=2, labels=("any-dog",)))
    assert set(shop.catalogue(words=[CAT])) == {2, 3, 4, 6}
    assert 1 in shop.catalogue(words=[Word("dog", labels=("any-dog",))])
