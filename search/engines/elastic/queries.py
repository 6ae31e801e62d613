"""From a request to query clauses: who may see, which filters, which words."""

from collections.abc import Sequence

from elasticsearch.dsl.query import Bool, CombinedFields, ConstantScore, Ids, MatchPhrase, Query, Range, Term, Terms

from gallery.visibility import Visibility
from search.engines.base import ID_SCORE, LABEL_SCORE, Filters, Request, Word
from search.engines.counting import PRICE
from search.engines.elastic.mapping import WORDS

_WEIGHTED = ("words.title^4", "words.tags^2", "words.description")


def conditions(request: Request, *, without: str | None = None) -> list[Query]:
    """Everything that a document must meet and that gives no score; ``without`` leaves out one filter by its name."""
    found = visible_to(request.visibility) + filtered_by(request.filters, without)
    found += [_has_word(word) for word in request.words]
    if request.without_words:
        found.append(Bool(must_not=[Bool(filter=[_has_word(word) for word in request.without_words])]))
    if request.exclude:
        found.append(Bool(must_not=[Ids(values=[key.hex for key in request.exclude])]))
    return found


def visible_to(visibility: Visibility) -> list[Query]:
    is_public: list[Query] = [Term(status="approved"), Term(published=True)]
    if visibility.kind == "moderation":
        return []
    if visibility.kind == "public":
        return is_public
    own = Term(uploader=str(visibility.user_id))
    return [Bool(should=[Bool(filter=is_public), own], minimum_should_match=1)]


def filtered_by(filters: Filters, without: str | None = None) -> list[Query]:
    clauses: list[Query] = [
        Terms(name.split(".", 1)[0], list(values)) for name, values in filters.terms() if name != without
    ]
    if filters.has_price and without != PRICE:
        bounds = {"gte": filters.price_min, "lte": filters.price_max}
        clauses.append(Range("price", {name: bound for name, bound in bounds.items() if bound is not None}))
    return clauses


def _has_word(word: Word) -> Query:
    texts: list[Query] = [MatchPhrase(**{f"words.{name}": word.text}) for name in WORDS]
    return Bool(should=texts + _named(word) + _recognised(word), minimum_should_match=1)


def _recognised(word: Word) -> list[Query]:
    return [Terms("labels", list(word.labels))] if word.labels else []


def _named(word: Word) -> list[Query]:
    return [Terms(field, list(ids)) for field, ids in (("brand", word.brands), ("category", word.categories)) if ids]


def scored(words: Sequence[Word]) -> list[Query]:
    """The same words for BM25; to be put beside ``conditions``, which know phrases.

    The texts are scored as one, weighted (BM25F). Scored apart, a word would be worth little in tags where few
    documents have any: it is rare in the catalogue and yet common among tags.
    """
    ranked: list[Query] = []
    for word in words:
        alternatives: list[Query] = [CombinedFields(query=word.text, operator="and", fields=list(_WEIGHTED))]
        if named := _named(word):
            is_named = Bool(should=named, minimum_should_match=1)
            alternatives.append(ConstantScore(filter=is_named, boost=ID_SCORE))
        alternatives += [ConstantScore(filter=labelled, boost=LABEL_SCORE) for labelled in _recognised(word)]
        ranked.append(Bool(should=alternatives, minimum_should_match=1))
    return ranked
