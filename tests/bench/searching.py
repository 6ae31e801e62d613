"""Searching a large catalogue: the JSON API against Elasticsearch, and the embedded engine against NumPy."""

from collections.abc import Callable

import numpy as np
from django.test import Client
from elasticsearch import Elasticsearch

from gallery import visibility
from search.engines import get_engine
from search.engines.base import Filters, Request
from search.models import Generation
from tests.bench.catalogue import Catalogue
from tests.bench.timing import Comparison, compare


def api_against_elasticsearch(catalogue: Catalogue, n: int) -> Comparison:
    """``GET /api/v1/search?image_id=…&limit=24`` through the whole application, against the requests that it sends."""
    random = np.random.default_rng(1)
    asked = [catalogue.keys[i] for i in random.integers(0, len(catalogue.keys), 64)]
    browser = Client()

    def ours(turn: int) -> None:
        answer = browser.get("/api/v1/search", {"image_id": str(asked[turn % len(asked)]), "limit": 24})
        if answer.status_code != 200 or len(answer.json()["hits"]) != 24:
            raise RuntimeError(f"The search did not answer 24 hits: {answer.status_code} {answer.content[:300]!r}")

    sent = _recorded(lambda: [ours(turn) for turn in range(len(asked))])
    client = get_engine("elasticsearch")._cluster.client

    def bare(turn: int) -> None:
        client.msearch(**sent[turn % len(sent)]).body["responses"]

    return compare(
        "search by image_id, limit 24, over the JSON API",
        ours,
        "the same Elasticsearch requests (window and facets) by the bare client",
        bare,
        n=n,
        target="at most 2.0, goal 1.2",
    )


def _recorded(run: Callable[[], object]) -> list[dict]:
    """The arguments of every multi-search that runs send, to be sent again."""
    sent: list[dict] = []
    original = Elasticsearch.msearch

    def recording(self, **arguments):
        sent.append(arguments)
        return original(self, **arguments)

    Elasticsearch.msearch = recording
    try:
        run()
    finally:
        Elasticsearch.msearch = original
    return sent


def embedded_against_numpy(catalogue: Catalogue, generation: Generation, n: int) -> list[Comparison]:
    """The embedded engine with visibility and one filter, against the product of the same matrix and query."""
    engine = get_engine("embedded")
    projection = generation.projection
    matrix = np.stack(
        [
            projection.document_vector({"deep": deep, "color": color})
            for deep, color in zip(catalogue.deep, catalogue.color, strict=True)
        ]
    )
    random = np.random.default_rng(2)
    queries = [
        projection.query_vector({"deep": catalogue.deep[i], "color": catalogue.color[i]}, {"deep": 0.9, "color": 0.1})
        for i in random.integers(0, len(matrix), 64)
    ]
    half = tuple(str(n) for n in range(1, 11))  # ten of twenty brands

    def ask(facets: bool) -> Callable[[int], object]:
        return lambda turn: engine.search(
            Request(
                generation.pk,
                visibility.public,
                Filters(brand=half),
                vector=queries[turn % len(queries)],
                floor=0.2,
                facets=facets,
            )
        )

    def product(turn: int) -> np.ndarray:
        return matrix @ queries[turn % len(queries)]

    bare = f"the bare NumPy product, {len(matrix):,} x {matrix.shape[1]}"
    return [
        compare(
            "embedded search with visibility and one filter",
            ask(False),
            bare,
            product,
            n=n,
            target="at most 1.5, goal 1.2",
        ),
        compare("the same with facets", ask(True), bare, product, n=n, target="timed apart"),
    ]
