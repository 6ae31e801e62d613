"""How good the ranking is on a shop's own categories: each photo asks, and those of its category are right.

Leave-one-out: the photo itself, and the others of its product, are no answers. It is a proxy, but one that needs no
judgements and moves with what people see.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from uuid import UUID

import numpy as np
from django.db.models import Count

from search.chunks import chunks
from search.models import Generation
from search.quality import metrics
from search.quality.deadline import Deadline
from search.quality.ranking import Asking, Photo, public_photos
from search.quality.results import FIRST_ROW, Asked, NotMeasured, Result, worst_of
from search.sampling import drawn

DEPTH = 10
DEEPEST = 100  # places that count for recall and mAP
MOST_QUERIES = 2_000


@dataclass(frozen=True)
class CategoryQuality:
    """Figures over ``queries`` images, each asked against all the others of the catalogue."""

    weights: dict[str, float]
    queries: int
    images: int
    categories: int
    precision_at_10: float
    first_row_right: float  # mean share of right categories among the first four
    first_row_none: float  # share of queries with none right among the first four

    def as_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def of(cls, result: Result, weights: Mapping[str, float]) -> "CategoryQuality":
        return cls(
            weights=dict(weights),
            queries=result.queries,
            images=int(result.facts["images"]),
            categories=int(result.facts["categories"]),
            precision_at_10=result.figures["precision_at_10"].mean,
            first_row_right=result.figures["first_row_right"].mean,
            first_row_none=result.figures["first_row_none"].mean,
        )


def category_quality(generation: Generation, weights: Mapping[str, float], seed: int = 0) -> CategoryQuality:
    """Leave-one-out figures of a generation at these part weights, on a random sample of large catalogues.

    :raises NotMeasured: (a ``ValueError``) when there are too few labelled images to leave one out and rank ten
    :raises EngineError: when the engine does not answer
    """
    return CategoryQuality.of(measure(Asking(generation, seed, weights=weights)), weights)


@dataclass
class _Answers:
    """What the queries found, row by row."""

    categories: list[int] = field(default_factory=list)
    products: list[UUID] = field(default_factory=list)
    rows: list[np.ndarray] = field(default_factory=list)  # (DEEPEST,) bool each
    relevant: list[int] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)


def measure(asking: Asking) -> Result:
    """P@10, recall, mAP, nDCG, MRR and the first row, over all queries and for each category. Resampled by product.

    :raises NotMeasured: when there are too few labelled images to leave one out and rank ten, or one category alone
    :raises EngineError: when the engine does not answer
    """
    labelled = public_photos().filter(product__category__isnull=False)
    sizes = Counter(dict(labelled.values_list("product__category").annotate(n=Count("pk"))))
    images = sum(sizes.values())
    if images <= DEPTH:
        raise NotMeasured("few-labels", images=images, needed=DEPTH + 1)
    if len(sizes) < 2:
        raise NotMeasured("one-category")
    sample = drawn(labelled.values_list("pk", flat=True).iterator(), MOST_QUERIES, asking.seed)
    siblings = _siblings(asking, sample)
    deadline, found = Deadline(asking.seconds), _Answers()
    for key, photo, picture in asking.embedded(sample, deadline):
        if photo.category is None:  # taken out of it just now
            continue
        relevant = sizes[photo.category] - siblings.get(photo.product, 1)
        if relevant <= 0:  # the only product of its category cannot find another one
            continue
        hits = _labelled_hits(asking, photo, picture)
        row = np.zeros(DEEPEST, dtype=bool)  # a hit that is missing is a hit that is wrong
        row[: len(hits)] = [right for _key, right in hits]
        found.categories.append(photo.category)
        found.products.append(photo.product)
        found.rows.append(row)
        found.relevant.append(relevant)
        found.asked.append(Asked(hits[:FIRST_ROW], image=key))
    if not found.rows:
        raise NotMeasured("nothing-embedded")
    return _result(asking, found, images, len(sizes))


def _siblings(asking: Asking, sample: list[UUID]) -> dict[UUID, int]:
    """Product → its photos, for products of the sample."""
    siblings: dict[UUID, int] = {}
    for chunk in chunks(sample):
        facts = asking.facts(chunk)
        products = {facts[key].product for key in chunk if key in facts}
        counted = public_photos().filter(product__in=products).values_list("product").annotate(n=Count("pk"))
        siblings |= dict(counted)
    return siblings


def _labelled_hits(asking: Asking, photo: Photo, picture) -> list[tuple[UUID, bool]]:
    """The hits that have a category, each right or wrong. Other photos of the same product are none."""
    keys = asking.photos(picture)
    facts = asking.facts(keys)
    others = [(key, facts[key]) for key in keys if key in facts and facts[key].product != photo.product]
    return [(key, other.category == photo.category) for key, other in others if other.category is not None][:DEEPEST]


def _result(asking: Asking, found: _Answers, images: int, categories: int) -> Result:
    right, relevant = np.stack(found.rows), np.array(found.relevant)
    values = _values(right, relevant)
    category_of, products = np.array(found.categories), metrics.numbered(found.products)
    groups = {}
    for category in np.unique(category_of).tolist():
        members = category_of == category
        own = {name: values[name][members] for name in ("precision_at_10", "first_row_right", "mean_average_precision")}
        groups[str(category)] = Result(int(members.sum()), metrics.intervals(own, asking.seed, products[members]))
    badness = list(zip(values["ndcg_at_10"].tolist(), values["mean_average_precision"].tolist(), strict=True))
    return Result(
        queries=len(right),
        figures=metrics.intervals(values, asking.seed, products),
        facts={
            "images": images,
            "categories": categories,
            # What a ranking at random would come to.
            "chance": round(float(np.mean(relevant / (images - 1))), 6),
        },
        groups=groups,
        worst=worst_of(found.asked, badness),
    )


def _values(right: np.ndarray, relevant: np.ndarray) -> dict[str, np.ndarray]:
    first = right[:, :FIRST_ROW]
    return {
        "precision_at_10": metrics.precision_at(right, DEPTH),
        "recall_at_100": metrics.recall_at(right, relevant, DEEPEST),
        "mean_average_precision": metrics.average_precision(right, relevant),
        "ndcg_at_10": metrics.ndcg_at(right, metrics.of_equals(relevant, DEPTH), DEPTH),
        "mean_reciprocal_rank": metrics.reciprocal_rank(right),
        "first_row_right": first.mean(axis=1),
        "first_row_none": (~first.any(axis=1)).astype(np.float64),
    }
