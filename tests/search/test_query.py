"""The query as a value: what a URL can hold, and what cannot be read."""

import math
from dataclasses import replace
from decimal import Decimal
from urllib.parse import parse_qsl, quote
from uuid import UUID

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from search.crops import LEAST, WHOLE, Crop
from search.examples import MAX_EXAMPLES, Example
from search.query import MAX_ADDRESS, MAX_TEXT, MAX_VALUES, BadParameter, Query
from search.reading import cleaned

KEY = "018f4e6e-0000-7000-8000-000000000001"
ORDER = [
    *("q", "photo", "image", "less", "category", "brand", "availability", "color", "tags", "attr"),
    *("price_min", "price_max", "sort", "group", "weaker", "page", "by", "w", "share", "ordered"),
]

words = st.text(max_size=MAX_TEXT).map(cleaned)
values = st.lists(st.text(min_size=1, max_size=30).map(cleaned).filter(bool), max_size=6).map(tuple)


@st.composite
def crops(draw) -> Crop:
    left, top = draw(st.integers(0, WHOLE - LEAST)), draw(st.integers(0, WHOLE - LEAST))
    return Crop(left, top, draw(st.integers(LEAST, WHOLE - left)), draw(st.integers(LEAST, WHOLE - top)))


examples = st.one_of(
    st.builds(Example, st.uuids(), st.just("photo"), st.none() | crops()),
    st.builds(Example, st.uuids(), st.just("image"), st.none() | crops(), st.booleans()),
)
prices = st.none() | st.decimals(0, 10**9, places=2)


@st.composite
def queries(draw) -> Query:
    low, high = draw(prices), draw(prices)
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    named = st.tuples(st.sampled_from(["size", "colour", "stoff"]), st.text(min_size=1, max_size=9).map(cleaned))
    weights = st.dictionaries(st.sampled_from(["deep", "color", "shape"]), st.floats(0.001, 100), max_size=3)
    return Query(
        text=draw(words),
        examples=tuple(draw(st.lists(examples, max_size=MAX_EXAMPLES))),
        category=draw(values),
        brand=draw(values),
        availability=draw(values),
        color=draw(values),
        tags=draw(values),
        attributes=tuple(f"{name}={value}" for name, value in draw(st.lists(named, max_size=5)) if value),
        price_min=low,
        price_max=high,
        sort=draw(st.sampled_from(["relevance", "newest", "price", "-price"])),
        group=draw(st.sampled_from(["products", "photos"])),
        weaker=draw(st.booleans()),
        page=draw(st.integers(1, 400)),
        by=draw(st.sampled_from(["", "color", "shape", "pattern"])),
        share=draw(st.sampled_from(["", "0123456789abcdef", "a-_" * 12])),
        ordered=draw(st.booleans()),
        weights=tuple((name, round(weight, 3)) for name, weight in draw(weights).items()),
    )


@given(queries().filter(lambda query: len(query.canonical) <= MAX_ADDRESS))
def test_canonical_string_reads_back_as_the_same_query(query):
    again, notes = Query.from_querydict(QueryDict(query.canonical), strict=True)
    assert (again, notes) == (query, [])
    assert again.canonical == query.canonical


@given(queries().filter(lambda query: len(query.canonical) <= MAX_ADDRESS))
def test_canonical_string_keeps_the_one_order(query):
    places = [ORDER.index(name) for name, _value in parse_qsl(query.canonical)]
    assert places == sorted(places)


@given(st.dictionaries(st.sampled_from(ORDER), st.lists(st.text(max_size=250), max_size=4)))
def test_no_input_breaks_the_tolerant_reader(data):
    given = QueryDict(mutable=True)
    for name, texts in data.items():
        given.setlist(name, texts)
    query, _notes = Query.from_querydict(given)
    assert Query.from_querydict(QueryDict(query.canonical)) == (query, [])


def read(text: str) -> tuple[Query, list[str]]:
    return Query.from_querydict(QueryDict(text))


def test_defaults_are_left_out():
    assert read("q=&sort=relevance&page=1&weaker=0&category=")[0].canonical == ""
    assert Query().url() == "/search/"


def test_equal_queries_have_equal_addresses():
    assert read("brand=3&brand=12&brand=3&q=red+ shoe ")[0] == read("q=red  shoe&brand=12&brand=3")[0]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("q=" + "x" * 201, "q"),
        ("photo=me", "photo"),
        ("image=1", "image"),
        (f"image={KEY}@0,0,5,5", "image"),
        (f"photo={KEY}@1200,0,100,100", "photo"),
        (f"less={KEY}@left", "less"),
        ("&".join(f"image={KEY[:-2]}{n}" for n in range(10, 60)), "image"),
        ("by=smell", "by"),
        ("group=brand", "group"),
        ("share=../../etc", "share"),
        ("&".join(f"brand={n}" for n in range(MAX_VALUES + 1)), "brand"),
        ("tags=" + "x" * 201, "tags"),
        ("attr=size", "attr"),
        ("attr==M", "attr"),
        ("price_min=cheap", "price_min"),
        ("price_max=-1", "price_max"),
        ("price_max=NaN", "price_max"),
        ("price_max=Infinity", "price_max"),
        ("price_min=9&price_max=3", "price_min"),
        ("sort=best", "sort"),
        ("weaker=perhaps", "weaker"),
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=9999999", "page"),
        ("page=²", "page"),
        ("w=deep", "w"),
        ("w=deep:nan", "w"),
        ("w=deep:-1", "w"),
        ("w=deep:0", "w"),
    ],
)
def test_what_cannot_be_read_is_noted_on_pages_and_named_in_the_api(text, field):
    query, notes = read(text)
    assert len(notes) == 1
    assert read(query.canonical) == (query, [])
    with pytest.raises(BadParameter) as refused:
        Query.from_querydict(QueryDict(text), strict=True)
    assert refused.value.field == field
    assert refused.value.message == notes[0]


def test_an_address_is_never_longer_than_servers_take():
    values = "&".join(f"attr={quote('颜色')}={quote('很' * 190)}{n}" for n in range(40))
    query, notes = Query.from_querydict(QueryDict(f"q={quote('裙' * 200)}&color=red&{values}"))
    assert len(query.canonical) <= MAX_ADDRESS
    assert (query.text, query.color, len(query.attributes)) == ("裙" * 200, ("red",), 1)
    assert notes == ["The search was too long for an address: some filters were left out."]
    assert Query.from_querydict(QueryDict(query.canonical)) == (query, [])
    with pytest.raises(BadParameter):
        Query.from_querydict(QueryDict(f"q={quote('裙' * 200)}&{values}"), strict=True)


def test_prices_in_the_wrong_order_are_exchanged():
    query, _notes = read("price_min=9&price_max=3.50")
    assert (query.price_min, query.price_max) == (Decimal("3.5"), Decimal(9))
    assert query.canonical == "price_min=3.5&price_max=9"


def test_a_change_starts_at_the_first_page():
    query, _notes = read("q=shoe&brand=1&brand=2&page=3")
    assert query.without("brand", "1").canonical == "q=shoe&brand=2"
    assert query.adding("tags", "red").canonical == "q=shoe&brand=1&brand=2&tags=red"
    assert query.url(page=4) == "/search/?q=shoe&brand=1&brand=2&page=4"


def test_filters_and_picture_are_removed_apart():
    query, _notes = read(f"q=shoe&image={KEY}&brand=1&attr=size%3DM&price_max=9&w=deep:1&weaker=1")
    assert query.without("filters").canonical == f"q=shoe&image={KEY}&weaker=1&w=deep%3A1"
    assert query.without("pictures").canonical == "q=shoe&brand=1&attr=size%3DM&price_max=9"
    assert query.without("price").price_max is None


def test_weights_are_ordered_by_size():
    assert read("w=color:0.25,deep:0.75")[0].canonical == "w=deep%3A0.75%2Ccolor%3A0.25"
    assert math.isclose(sum(read("w=color:0.25,deep:0.75")[0].requested_weights.values()), 1)


def test_an_example_added_and_removed_leaves_the_query_as_it_was():
    query, _notes = read(f"q=shoe&image={KEY}&brand=1&by=color")
    other = Example(UUID(KEY[:-1] + "2"), crop=Crop(0, 0, 500, 500))
    assert query.with_example(other).without_example(other) == query
    assert query.with_example(replace(other, less=True)).with_example(other) == query.with_example(other)


def test_without_its_last_picture_a_query_says_nothing_of_pictures():
    query, _notes = read(f"q=shoe&photo={KEY}@0,0,500,500&by=color&group=photos&share=0123456789abcdef&weaker=1")
    assert query.without_example(query.examples[0]).canonical == "q=shoe"
    assert query.without_photo(UUID(KEY)).canonical == "q=shoe"


def test_sliders_of_a_form_are_weights():
    assert read("w.deep=75&w.color=25&w.shape=0")[0] == read("w=deep:0.75,color:0.25")[0]
    assert read("w.deep=lots")[0] == Query()
