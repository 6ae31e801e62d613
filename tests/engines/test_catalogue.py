"""What every engine lists without a picture: products, searched by words, sorted and paged."""

import pytest

from gallery.visibility import public
from search.engines.base import Filters, Word
from tests.engines.catalogue import document, numbers, words


def test_the_newest_products_come_first(index):
    index.put(document(1, created=300), document(2, created=100), document(3, created=200))
    assert index.catalogue() == [1, 3, 2]
    assert index.catalogue(sort="newest") == [1, 3, 2]


def test_prices_are_sorted_both_ways_and_products_without_one_come_last(index):
    index.put(document(1, price=20.0), document(2), document(3, price=5.0), document(4, price=100.0))
    assert index.catalogue(sort="price") == [3, 1, 4, 2]
    assert index.catalogue(sort="-price") == [4, 1, 3, 2]


@pytest.mark.parametrize("sort", ["newest", "price", "-price", "relevance"])
def test_ties_are_broken_by_the_key(index, sort):
    index.put(*(document(i, created=5, price=1.0, title="hat") for i in (3, 1, 2)))
    assert index.catalogue(sort=sort) == [1, 2, 3]
    assert index.catalogue(sort=sort, words=words("hat")) == [1, 2, 3]


def test_a_product_is_listed_once_whatever_its_images(index):
    index.put(
        document(1, product="a", created=10), document(2, product="a", created=10), document(3, product="b", created=20)
    )
    answer = index.search()
    assert numbers(answer) == [3, 1]
    assert [hit.product for hit in answer.hits] == ["b", "a"]
    assert answer.total == 2


def test_a_product_is_shown_by_an_image_that_matches(index):
    index.put(document(1, product="a", created=5, status="rejected"), document(2, product="a", created=5))
    assert index.catalogue() == [1]
    assert index.catalogue(public) == [2]


def test_pages_are_slices_in_products(index):
    index.put(*(document(i, product=f"p{i // 2}", created=1_000 - i // 2) for i in range(20)))
    pages = [index.search(offset=offset, limit=4) for offset in (0, 4, 8, 12)]
    assert [numbers(page) for page in pages] == [[0, 2, 4, 6], [8, 10, 12, 14], [16, 18], []]
    assert {page.total for page in pages} == {10}
    assert not any(page.full for page in pages)


def test_hits_carry_price_and_creation(index):
    index.put(document(1, price=9.99, created=1_700_000_000_123))
    (hit,) = index.search().hits
    assert hit.price == pytest.approx(9.99)
    assert hit.created == 1_700_000_000_123


@pytest.fixture
def shop(index):
    index.put(
        document(1, title="Red summer dress", tag_words="party, linen", description="A light dress for warm days"),
        document(2, title="Blue jeans", tag_words="denim", description="They go with a red shirt", brand="8"),
        document(3, title="红苹果 贴纸", description="一个红色的苹果", category=("3", "31")),
        document(4, title="Apple, red", tag_words="fruit", category=("3",), price=2.0),
        document(5, title="Café sticker", description='O\'Neill & Sons "best" coffee'),
    )
    return index


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dress", {1}),
        ("Dresses", {1}),
        ("RED", {1, 2, 4}),
        ("red dress", {1}),
        ("dress red", {1}),
        ("linen", {1}),
        ("jean", {2}),
        ("shirts", {2}),
        ("cafe", {5}),
        ("café", {5}),
        ("苹果", {3}),
        ("红苹果", {3}),
        ("苹果 贴纸", {3}),
        ("果苹", set()),
        ("红的", set()),
        ("o'neill", {5}),
        ('"best"', {5}),
        ("red trousers", set()),
        ("dres", set()),
    ],
)
def test_all_words_must_match_in_title_tags_or_description(shop, text, expected):
    answer = shop.search(words=words(text))
    assert set(numbers(answer)) == expected
    assert answer.total == len(expected)


def test_a_phrase_matches_only_in_its_order_and_within_one_text(shop):
    assert shop.catalogue(words=(Word("red summer"),)) == [1]
    assert shop.catalogue(words=(Word("summer red"),)) == []
    assert shop.catalogue(words=(Word("red dress"),)) == []
    assert shop.catalogue(words=(Word("dress party"),)) == []  # the title's end and the tags' beginning


def test_a_brand_matches_by_its_id(shop):
    assert shop.catalogue(words=(Word("levi", brands=("8",)),)) == [2]
    assert shop.catalogue(words=(Word("levi", brands=("8", "9")), Word("denim"))) == [2]
    assert shop.catalogue(words=(Word("levi", brands=("8",)), Word("dress"))) == []


def test_a_category_matches_by_its_id_and_with_all_below_it(shop):
    assert set(shop.catalogue(words=(Word("sticker", categories=("3",)),))) == {3, 4, 5}
    assert set(shop.catalogue(words=(Word("sticker", categories=("31",)),))) == {3, 5}
    assert shop.catalogue(words=(Word("sticker", categories=("31", "3")), Word("fruit"))) == [4]


def test_every_match_by_words_has_a_score(shop):
    hits = shop.search(words=(Word("sticker", categories=("3",)),)).hits
    assert all(hit.score > 0 for hit in hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_the_title_weighs_more_than_the_description(index):
    index.put(
        document(1, title="Green lamp", description="goes with a kettle", created=99_999),
        document(2, title="Steel kettle", description="keeps its heat"),
        document(3, title="Large table", tag_words="kettle", created=88_888),
        *(document(i, title="Plain cup", description="nothing else") for i in range(10, 20)),
    )
    assert index.catalogue(words=words("kettle")) == [2, 3, 1]


def test_a_product_is_shown_by_its_image_that_matches_best(index):
    index.put(
        document(1, product="a", title="Cup", description="with a kettle"),
        document(2, product="a", title="Kettle"),
        *(document(i, title="Plain cup") for i in range(10, 20)),
    )
    assert index.catalogue(words=words("kettle")) == [2]


def test_words_go_with_filters_sorts_and_pages(shop):
    assert shop.catalogue(words=words("red"), filters=Filters(price_max=5.0)) == [4]
    assert shop.catalogue(words=words("red"), sort="newest") == [4, 2, 1]
    assert shop.catalogue(words=words("red"), sort="price") == [4, 1, 2]
    assert shop.catalogue(words=words("red"), sort="newest", offset=1, limit=1) == [2]


def test_words_follow_an_edit_and_a_deletion(index):
    index.put(document(1, title="red hat"), document(2, title="red cap"))
    index.put(document(1, title="blue hat", version=2))
    assert index.catalogue(words=words("red")) == [2]
    assert index.catalogue(words=words("blue")) == [1]


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "'",
        "' OR 1=1 --",
        '" OR "',
        "NEAR(red, 2)",
        "title:red",
        "red*",
        "-red",
        "(",
        "AND",
        "a AND NOT",
        "\\",
        "red & !dress | (",
        "<->",
        "{title} : red",
        "^red",
        "%",
        "\x00",
        "😀",
        "",
        "x" * 10_000,
    ],
)
def test_no_text_breaks_the_query(shop, text):
    """Words come analysed; an engine stands what does not."""
    assert shop.search(words=(Word(text),)).total <= 5
    assert shop.search(words=(Word("red"), Word(text))).total <= 3
    assert shop.search(words=words(text) or (Word("red"),)).total <= 5


def test_a_very_long_token_is_indexed(index):
    index.put(document(1, title="x" * 5_000), document(2, description="word " * 20_000))
    assert index.catalogue(words=words("x" * 5_000)) == [1]
    assert index.catalogue(words=words("word")) == [2]
