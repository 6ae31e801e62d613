"""Whether another photo of the same product is found: one photo of each product asks, its others are right.

The very file a second time is no other photo: it is left out of question and answer.
"""

from collections.abc import Mapping
from uuid import UUID

import numpy as np
from django.db.models import Count

from search.chunks import chunks
from search.quality import metrics
from search.quality.deadline import Deadline
from search.quality.ranking import Asking, Photo, public_photos
from search.quality.results import FIRST_ROW, Asked, NotMeasured, Result, worst_of
from search.sampling import drawn

DEPTH = 10
DEEPEST = 100  # places that count for mAP
LEAST_PRODUCTS = 5
MOST_QUERIES = 1_000  # products


def measure(asking: Asking) -> Result:
    """
    :raises NotMeasured: when fewer than five products have two photos
    :raises EngineError: when the engine does not answer
    """
    several = public_photos().values_list("product").annotate(n=Count("sha256", distinct=True)).filter(n__gt=1)
    sample = drawn((product for product, _n in several.iterator()), MOST_QUERIES, asking.seed)
    if len(sample) < LEAST_PRODUCTS:
        raise NotMeasured("few-photos", products=len(sample), needed=LEAST_PRODUCTS)
    others_of = _others(sample, asking.seed)
    rows, relevant, asked = [], [], []
    for key, photo, picture in asking.embedded(list(others_of), Deadline(asking.seconds)):
        hits = _hits(asking, photo, picture)
        row = np.zeros(DEEPEST, dtype=bool)
        row[: len(hits)] = [right for _key, right in hits]
        rows.append(row)
        relevant.append(others_of[key])
        asked.append(Asked(hits[:FIRST_ROW], image=key, place=int(row.argmax()) + 1 if row.any() else None))
    if not rows:
        raise NotMeasured("nothing-embedded")
    right, counts = np.stack(rows), np.array(relevant)
    values = _values(right, counts)
    badness = [(value,) for value in values["mean_reciprocal_rank"].tolist()]
    return Result(
        queries=len(rows),
        figures=metrics.intervals(values, asking.seed),
        facts={"products": len(rows)},
        worst=[one for one in worst_of(asked, badness) if one.place != 1],
    )


def _others(products: list[UUID], seed: int) -> dict[UUID, int]:
    """The photo that asks for each of the products → how many other photos the product has, in the same order."""
    photos: dict[UUID, dict[UUID, str]] = {product: {} for product in products}
    for chunk in chunks(products):
        rows = public_photos().filter(product__in=chunk).values_list("product", "pk", "sha256")
        for product, key, sha256 in rows:
            photos[product][key] = sha256
    asks: dict[UUID, int] = {}
    for files in photos.values():
        first = drawn(files, 1, seed)
        others = sum(sha256 != files[first[0]] for sha256 in files.values()) if first else 0
        if others:
            asks[first[0]] = others
    return asks


def _hits(asking: Asking, photo: Photo, picture) -> list[tuple[UUID, bool]]:
    keys = asking.photos(picture)
    facts = asking.facts(keys)
    others = [key for key in keys if key in facts and facts[key].sha256 != photo.sha256]
    return [(key, facts[key].product == photo.product) for key in others][:DEEPEST]


def _values(right: np.ndarray, relevant: np.ndarray) -> Mapping[str, np.ndarray]:
    return {
        "first_right": metrics.precision_at(right, 1),
        "precision_at_10": metrics.precision_at(right, DEPTH),
        "recall_at_10": metrics.recall_at(right, relevant, DEPTH),
        "mean_average_precision": metrics.average_precision(right, relevant),
        "ndcg_at_10": metrics.ndcg_at(right, metrics.of_equals(relevant, DEPTH), DEPTH),
        "mean_reciprocal_rank": metrics.reciprocal_rank(right),
    }
