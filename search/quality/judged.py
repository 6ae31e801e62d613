"""Judged queries: those of whose results staff have said that they are good or bad, asked again.

What nobody has judged counts as wrong, as is usual for such collections, so figures rise as more is judged; how much of
the first ten was judged is told beside them. Products that somebody opened after the same search are worth a little in
nDCG, and have figures of their own: clicks say what was looked at, not what was right.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from django.db.models import Max
from django.http import QueryDict

from gallery import visibility
from search import pictures
from search.chunks import chunks
from search.models import Judgement
from search.pictures import Picture
from search.quality import metrics
from search.quality.clicks import opened_after_searches
from search.quality.deadline import Deadline
from search.quality.judging import NotJudged, judged_query
from search.quality.ranking import Asking
from search.quality.results import FIRST_ROW, Asked, NotMeasured, Result, worst_of
from search.query import Query
from search.sampling import shuffled
from search.slices import Hit

DEPTH = 10
DEEPEST = 100  # products that are asked for
CLICKED = 0.3  # what a product that was opened is worth beside a good one (1)
MOST_QUERIES = 500


@dataclass
class _Evidence:
    """Product → share of people who called it good; and products that were opened."""

    verdicts: dict[UUID, float] = field(default_factory=dict)
    clicked: set[UUID] = field(default_factory=set)

    def gain(self, product: UUID) -> float:
        said = self.verdicts.get(product)
        return said if said is not None else CLICKED if product in self.clicked else 0.0

    def is_good(self, product: UUID) -> bool:
        return self.verdicts.get(product, 0.0) > 0.5


@dataclass
class _Figures:
    """One number a query of each figure."""

    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, products: Sequence[UUID], evidence: _Evidence) -> None:
        first = products[:DEPTH]
        if evidence.verdicts:
            judged = [product for product in first if product in evidence.verdicts]
            good = [evidence.is_good(product) for product in products]
            gains = np.array([[evidence.gain(product) for product in first] + [0.0] * (DEPTH - len(first))])
            row = np.zeros((1, DEEPEST), dtype=bool)
            row[0, : len(good)] = good
            known = np.array([sum(map(evidence.is_good, evidence.verdicts))])
            everything = evidence.verdicts.keys() | evidence.clicked
            ideal = np.array([[evidence.gain(product) for product in everything]])
            self._append(
                judged_precision=sum(map(evidence.is_good, judged)) / len(judged) if judged else math.nan,
                ndcg_at_10=metrics.ndcg_at(gains, ideal, DEPTH)[0],
                precision_at_10=metrics.precision_at(row, DEPTH)[0],
                recall_at_10=metrics.recall_at(row, known, DEPTH)[0],
                mean_average_precision=metrics.average_precision(row, known)[0],
                mean_reciprocal_rank=_rank(good) if known[0] else math.nan,
                judged_share=len(judged) / max(1, len(first)),
            )
        if evidence.clicked:
            clicked = [product in evidence.clicked for product in products]
            self._append(
                clicked_recall_at_10=sum(clicked[:DEPTH]) / len(evidence.clicked),
                clicked_reciprocal_rank=_rank(clicked),
            )

    def _append(self, **values: float) -> None:
        for name, value in values.items():
            self.values[name].append(float(value))


def _rank(right: Sequence[bool]) -> float:
    return float(metrics.reciprocal_rank(np.array([right or [False]]))[0])


def measure(asking: Asking) -> Result:
    """nDCG@10, precision of what was judged, P@10, recall@10, mAP, MRR of the first good one; of clicks recall@10, MRR.

    :raises NotMeasured: where nothing was judged or opened, or nothing of it can be asked any more
    :raises EngineError: when the engine does not answer
    :raises EncoderBusy: when a part of a photo has to be encoded and others keep the encoder
    """
    evidence = _evidence(asking)
    if not evidence:
        raise NotMeasured("nothing-judged")
    figures, asked, goodness, deadline = _Figures(), [], [], Deadline(asking.seconds)
    for done, (canonical, known) in enumerate(shuffled(list(evidence.items()), asking.seed)):
        if deadline.has_passed:
            break
        asking.tell(done, len(evidence))
        answer = _hits(asking, canonical)
        if answer is None:
            continue
        query, hits = answer
        facts = asking.facts(hit.key for hit in hits)
        shown = [(hit.key, facts[hit.key].product) for hit in hits if hit.key in facts]
        figures.add([product for _key, product in shown], known)
        if known.verdicts:
            asked.append(_as_kept(query, shown, known))
            goodness.append((figures.values["ndcg_at_10"][-1],))
    if not figures.values:
        raise NotMeasured("nothing-judged")
    values = {name: np.array(numbers) for name, numbers in figures.values.items()}
    flawed = [place for place, (ndcg,) in enumerate(goodness) if not ndcg >= 1]
    return Result(
        queries=max(len(numbers) for numbers in values.values()),
        figures=metrics.intervals(values, asking.seed),
        facts={
            "judged": len(asked),
            "clicked": len(values.get("clicked_reciprocal_rank", ())),
            "verdicts": sum(len(known.verdicts) for known in evidence.values()),
        },
        worst=worst_of(
            [asked[place] for place in flawed], [tuple(np.nan_to_num(goodness[place]).tolist()) for place in flawed]
        ),
    )


def _as_kept(query: Query, shown: Sequence[tuple[UUID, UUID]], known: _Evidence) -> Asked:
    hits = [(key, known.is_good(product) if product in known.verdicts else None) for key, product in shown[:FIRST_ROW]]
    return Asked(hits, kind=query.canonical)


def _evidence(asking: Asking) -> Mapping[str, _Evidence]:
    """Canonical query string → what is known of its results; the queries that were judged last come first."""
    found: dict[str, _Evidence] = {}
    newest = Judgement.objects.values("digest").annotate(last=Max("at")).order_by("-last", "digest")
    said: dict[str, dict[UUID, list[bool]]] = {}
    for chunk in chunks([row["digest"] for row in newest[:MOST_QUERIES]]):
        rows = Judgement.objects.filter(digest__in=chunk).order_by("pk").values_list("query", "image", "good")
        for query, image, good in rows:
            said.setdefault(query, {}).setdefault(image, []).append(good)
    for query, images in said.items():
        facts = asking.facts(images)
        by_product: dict[UUID, list[bool]] = defaultdict(list)
        for image, verdicts in images.items():
            if image in facts:
                by_product[facts[image].product] += verdicts
        if by_product:
            found[query] = _Evidence({product: float(np.mean(goods)) for product, goods in by_product.items()})
    for query, opened in opened_after_searches().items():
        facts = asking.facts(opened)
        products = {facts[image].product for image in opened if image in facts}
        canonical = _judgeable(query)
        if products and canonical and (canonical in found or len(found) < MOST_QUERIES):
            found.setdefault(canonical, _Evidence()).clicked |= products
    return found


def _judgeable(canonical: str) -> str:
    query, _notes = Query.from_querydict(QueryDict(canonical))
    try:
        return judged_query(query)
    except NotJudged:
        return ""


def _hits(asking: Asking, canonical: str) -> tuple[Query, Sequence[Hit]] | None:
    """The query and its first products; None where one of its pictures is not there any more."""
    query, _notes = Query.from_querydict(QueryDict(canonical))
    query = pictures.standing(query)
    found: dict = pictures.of_images(query.examples, visibility.public, asking.generation) if query.examples else {}
    if any(example not in found or not found[example].is_known for example in query.examples):
        return None
    known: list[Picture] = [found[example] for example in query.examples]
    return query, asking.products(query.with_(weaker=True), known, DEEPEST)
