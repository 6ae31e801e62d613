"""Random small catalogues and questions: every engine answers like a few lines of plain Python."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gallery.visibility import Visibility, moderation, public
from search.engines.base import Fields, Filters
from search.engines.counting import PRICE, Row, count, facet_values
from tests.engines.catalogue import QUERY, document, numbers

VISIBILITIES = st.sampled_from([public, moderation, Visibility("own", 1), Visibility("own", 2)])


def some(values: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), unique=True, max_size=2).map(tuple)


PRODUCTS = st.fixed_dictionaries(
    {
        "published": st.booleans(),
        "category": st.sampled_from([(), ("1",), ("1", "11"), ("1", "12"), ("2",)]),
        "brand": st.sampled_from([None, "1", "2"]),
        "price": st.sampled_from([None, 0.0, 1.5, 10.0, 99.0]),
        "availability": st.sampled_from(["in_stock", "preorder"]),
        "tags": some(["a", "b", "c"]),
        "attributes": some(["size=S", "size=M", "ink=red", "ink=blue"]),
        "created": st.integers(0, 3),
    }
)
IMAGES = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["approved", "pending", "rejected"]),
        "uploader": st.sampled_from([None, "1", "2"]),
        "color": some(["red", "blue"]),
    }
)
FILTERS = st.builds(
    Filters,
    category=some(["1", "11", "2", "9"]),
    brand=some(["1", "2", "9"]),
    availability=some(["in_stock", "preorder"]),
    color=some(["red", "blue", "9"]),
    tags=some(["a", "b", "9"]),
    attributes=some(["size=S", "size=M", "ink=red", "ink=9"]),
    price_min=st.sampled_from([None, 0.0, 1.5, 50.0]),
    price_max=st.sampled_from([None, 1.5, 50.0]),
)


@st.composite
def catalogues(draw) -> list[Fields]:
    """Up to 12 images of up to 5 products; what is said of a product is the same on all of its images."""
    products = draw(st.lists(PRODUCTS, min_size=1, max_size=5))
    images = draw(st.lists(st.tuples(st.integers(0, len(products) - 1), IMAGES), max_size=12))
    return [Fields(product=f"p{owner}", **products[owner], **image) for owner, image in images]


def is_visible(fields: Fields, who: Visibility) -> bool:
    is_public = fields.status == "approved" and fields.published
    return who.kind == "moderation" or is_public or (who.kind == "own" and fields.uploader == str(who.user_id))


def passes(fields: Fields, filters: Filters, without: str | None = None) -> bool:
    values = facet_values(fields)
    for clause, wanted in filters.terms():
        facet = clause.split(".")[0]
        if clause != without and not any((facet, value) in values for value in wanted):
            return False
    if without == PRICE or not filters.has_price:
        return True
    low, high = filters.price_min or 0, float("inf") if filters.price_max is None else filters.price_max
    return fields.price is not None and low <= fields.price <= high


def test_filters_visibility_and_counts_are_those_of_plain_python(new_index):
    examples = 60 if new_index().engine.name == "embedded" else 5

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(catalogues(), st.lists(st.tuples(FILTERS, VISIBILITIES), min_size=1, max_size=4))
    def check(images, questions):
        index = new_index()
        index.put(*(document(i, 0.9 - i / 50, **vars(fields)) for i, fields in enumerate(images)))
        for filters, who in questions:
            visible = [(i, fields) for i, fields in enumerate(images) if is_visible(fields, who)]
            matching = [(i, fields) for i, fields in visible if passes(fields, filters)]
            window = index.search(who, vector=QUERY, filters=filters)
            catalogue = index.search(who, filters=filters)
            assert numbers(window) == [i for i, _fields in matching]
            assert window.total == catalogue.total == len({fields.product for _i, fields in matching})
            newest = sorted(matching, key=lambda image: (-image[1].created, image[0]))
            firsts = {fields.product: i for i, fields in reversed(newest)}
            assert numbers(catalogue) == [i for i, fields in newest if firsts[fields.product] == i]
            assert window.facets == catalogue.facets
            for clause in ["brand", "category", "color", PRICE]:
                rows = [fields for _i, fields in visible if passes(fields, filters, without=clause)]
                counted = count(Row(fields.product, facet_values(fields), fields.price) for fields in rows)
                if clause == PRICE:
                    assert window.facets.price == counted.price
                else:
                    assert window.facets.counts[clause] == counted.counts[clause]

    check()
