"""The contract suite's engines: the embedded one, and every supported version of Elasticsearch."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from search.engines.base import Engine, IndexSpec
from search.engines.embedded.engine import EmbeddedEngine
from tests.engines.catalogue import DIMENSION, Index, new_embedded_index, new_generation


@pytest.fixture(params=["embedded", "elasticsearch-8", "elasticsearch-9"])
def engine(request, settings, db) -> Engine:
    """An engine of its own for each test. The servers live as long as the run, so indices get names of their own."""
    if request.param == "embedded":
        return EmbeddedEngine()
    from search.engines.elastic.engine import ElasticsearchEngine

    settings.SEARCH_URL = request.getfixturevalue(request.param.replace("-", "_")).url
    settings.SEARCH_INDEX_PREFIX = f"test-{uuid4().hex[:12]}"
    return ElasticsearchEngine()


@pytest.fixture
def new_index(engine) -> Iterator[Callable[[], Index]]:
    """Makes empty indices, and drops them after the test."""
    made: list[int] = []

    def make() -> Index:
        generation = new_generation(engine).pk
        made.append(generation)
        engine.create(IndexSpec(generation, DIMENSION))
        return Index(engine, generation)

    yield make
    for generation in made:
        engine.drop(generation)


@pytest.fixture
def index(new_index) -> Index:
    return new_index()


@pytest.fixture
def here(db) -> Index:
    """An index of the embedded engine."""
    return new_embedded_index()


@pytest.fixture
def there(here) -> Index:
    """The same generation as another process has it."""
    return Index(EmbeddedEngine(), here.generation)
