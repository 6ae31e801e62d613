"""Answers to a picture: one fixed window by kNN, and one more for each active filter, in one request.

The filters stand inside the kNN clause, so that the window is filled with what may be shown. Totals and facets are
counted from the windows' hits, as on every engine.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from elasticsearch.dsl.query import Bool, Exists, Knn
from elasticsearch.dsl.query import Query as Clause

from search.engines.base import Answer, Facets, Request, distinct_products
from search.engines.counting import clause_names, count, disjunctive
from search.engines.elastic import hits
from search.engines.elastic.mapping import COSINE, KEY, VECTOR
from search.engines.elastic.queries import conditions
from search.engines.elastic.together import Question
from search.engines.index_settings import MOST_CANDIDATES, SCRIPT, IndexSettings

# Measured on 100,000 vectors of 321 numbers, int8_hnsw: with 2 candidates for each image of a window of 240 its recall
# is 0.985, with 4 it is 0.996. The first hits are right in either case.
_CANDIDATES, _LOPSIDED_CANDIDATES = 2, 4
_DIGITS = 6  # float32 holds no more; equal pictures would come in any order


def question(request: Request) -> Question:
    clauses = clause_names(request.filters) if request.facets else []
    main, *others = yield bodies(request, clauses)
    ranked = _ranked(main, request.index)
    above = sum(score >= request.floor for score, _hit in ranked)
    found = [hits.engine_hit(hit, score) for score, hit in ranked]
    facets = Facets()
    if request.facets:
        counted = count(hits.row(hit) for _score, hit in ranked[:above])
        without = {
            clause: count(hits.row(hit) for score, hit in _ranked(other, request.index) if score >= request.floor)
            for clause, other in zip(clauses, others, strict=True)
        }
        facets = disjunctive(counted, without)
    return Answer(
        hits=found[:above],
        total=len(distinct_products(found[:above])),
        weaker=found[above:],
        full=above == request.window,
        facets=facets,
    )


def bodies(request: Request, clauses: Sequence[str]) -> list[dict[str, Any]]:
    """The searches for the window, and for the window without each clause."""
    # Written out once: the same numbers go into every search.
    vector = orjson.Fragment(
        orjson.dumps(np.ascontiguousarray(request.vector, np.float32), option=orjson.OPT_SERIALIZE_NUMPY)
    )
    return [_body(request, vector, without) for without in (None, *clauses)]


def _body(request: Request, vector: orjson.Fragment, without: str | None) -> dict[str, Any]:
    admitted = conditions(request, without=without)
    if request.index.is_exact:  # a script fails without a vector, and a flat scan of 9.3 gives such documents a score
        admitted.append(Exists(field=VECTOR))
    query = _scripted(admitted, vector) if request.index.type == SCRIPT else _nearest(request, admitted, vector)
    return {"size": request.window, "query": query, **hits.wanted(facets=request.facets)}


def _nearest(request: Request, admitted: Sequence[Clause], vector: orjson.Fragment) -> dict[str, Any]:
    """The window by kNN. Quantised scores only choose: more than are wanted are scored again by the true vectors."""
    index = request.index
    candidates = request.window * (_LOPSIDED_CANDIDATES if request.lopsided else _CANDIDATES)
    candidates = max(candidates, index.candidates or 0)
    query = Knn(
        field=VECTOR,
        k=request.window,
        num_candidates=max(request.window, min(candidates, MOST_CANDIDATES)),
        filter=admitted,
    ).to_dict()
    if index.is_quantised:
        query["knn"]["rescore_vector"] = {"oversample": index.oversample}
    query["knn"]["query_vector"] = vector
    return query


def _scripted(admitted: Sequence[Clause], vector: orjson.Fragment) -> dict[str, Any]:
    """The window by the classic script, which reads every vector that the filters leave."""
    script = {"source": COSINE, "params": {"query_vector": vector}}
    return {"script_score": {"query": Bool(filter=admitted).to_dict(), "script": script}}


def _ranked(answer: Mapping[str, Any], index: IndexSettings) -> list[tuple[float, hits.Hit]]:
    """Hits with their dot products, best first, equal ones by key.

    Elasticsearch's scores are never negative: ``(1 + dot) / 2`` of its own, ``1 + dot`` of the script.
    """
    scale = 1 if index.type == SCRIPT else 2
    scored = [(round(scale * hit["_score"] - 1, _DIGITS), hit) for hit in answer["hits"]["hits"]]
    scored.sort(key=lambda pair: (-pair[0], pair[1]["fields"][KEY][0]))
    return scored
