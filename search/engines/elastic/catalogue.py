"""Answers without a picture: a page of products, by words or sorted, and counts of the whole visible catalogue.

Hits and counts are separate searches of one request: Elasticsearch keeps the answer of a search that only counts
until the index changes, and so turning a page counts nothing again.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from elasticsearch.dsl.query import Bool

from search.engines.base import FACETS, Answer, EngineError, Facets, Request
from search.engines.counting import PRICE, clause_names, disjunctive, gather
from search.engines.elastic import counts, hits
from search.engines.elastic.mapping import KEY, PRODUCT
from search.engines.elastic.queries import conditions, scored
from search.engines.elastic.together import Question

DEEPEST = 10_000  # products; Elasticsearch's own limit (index.max_result_window)
_SORTS: Mapping[str, dict[str, Any]] = {
    "newest": {"created": "desc"},
    "relevance": {"created": "desc"},
    "price": {"price": {"order": "asc", "missing": "_last"}},
    "-price": {"price": {"order": "desc", "missing": "_last"}},
}


def question(request: Request) -> Question:
    """
    :raises EngineError: when the page lies too deep to be reached
    """
    if request.offset + request.limit > DEEPEST:
        raise EngineError(
            _("Only the first 10,000 products can be paged through. Narrow the search down with filters.")
        )
    clauses = clause_names(request.filters) if request.facets else []
    page, main, *others = yield [
        _page(request),
        counts.body(request, [*FACETS, PRICE] if request.facets else []),
        *(counts.body(request, [clause.split(".", 1)[0]], without=clause) for clause in clauses),
    ]
    facets = Facets()
    if request.facets:
        without = dict(zip(clauses, others, strict=True))
        price = yield from counts.price_range(request, without.get(PRICE, main))
        facets = disjunctive(
            gather(counts.values(main), price),
            {clause: gather(counts.values(answer), price) for clause, answer in without.items()},
        )
    return Answer(
        hits=[hits.engine_hit(hit, hit["_score"] or 0.0) for hit in page["hits"]["hits"]],
        total=counts.total(main),
        facets=facets,
    )


def _page(request: Request) -> dict[str, Any]:
    ranks = bool(request.words) and request.sort == "relevance"
    query = Bool(must=scored(request.words) if ranks else [], filter=conditions(request))
    return {
        "query": query.to_dict(),
        "collapse": {"field": PRODUCT},
        "sort": [{"_score": "desc"} if ranks else _SORTS[request.sort], {KEY: "asc"}],
        "from": request.offset,
        "size": request.limit,
        **hits.wanted(),
    }
