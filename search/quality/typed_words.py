"""Words to pictures: the name of each category is typed as words, and products of that category are right.

The same path that shoppers' words take, in each language in which the category has a name. Where products carry the
category's name, words find them by it: this measures what people see, not what a network recognises.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from django.db.models import Count

from gallery.models import Category
from gallery.models.categories import CategoryTree
from search.quality import metrics
from search.quality.deadline import Deadline
from search.quality.ranking import Asking, public_photos
from search.quality.results import FIRST_ROW, Asked, NotMeasured, Result, worst_of
from search.query import MAX_TEXT, Query
from search.sampling import shuffled

DEPTH = 20
DEEPEST = 100  # places that count for recall and mAP
LEAST_PRODUCTS = 3
MOST_CATEGORIES = 200
NAMED = "name"  # the group of names as the shop writes them; others are codes of languages
CHINESE = "zh-hans"


class _Typed(NamedTuple):
    language: str
    words: str
    category: int  # id of the one that it names, the first of several
    right: frozenset[int]  # ids of categories
    products: int


def measure(asking: Asking) -> Result:
    """Share of the named category among the first twenty products, or among as many as it has; recall, mAP, nDCG, MRR.

    Resampled by category, whose names are alike in several languages. Categories of the same name are one; what lies
    below a category belongs to it.

    :raises NotMeasured: where no category has three products
    :raises EngineError: when the engine does not answer
    """
    typed = shuffled(list(_names()), asking.seed)
    if not typed:
        raise NotMeasured("few-named", needed=LEAST_PRODUCTS)
    deadline, rows, asked = Deadline(asking.seconds), [], []
    for done, one in enumerate(typed):
        if deadline.has_passed:
            break
        asking.tell(done, len(typed))
        hits = asking.products(Query(text=one.words[:MAX_TEXT]), [], DEEPEST)
        facts = asking.facts(hit.key for hit in hits)
        found = [(hit.key, facts[hit.key].category in one.right) for hit in hits if hit.key in facts]
        row = np.zeros(DEEPEST, dtype=bool)
        row[: len(found)] = [right for _key, right in found]
        rows.append(row)
        asked.append(Asked(found[:FIRST_ROW], words=one.words, kind=one.language))
    right, products = np.stack(rows), np.array([one.products for one in typed[: len(rows)]])
    values = {
        "precision_at_20": metrics.precision_at(right, DEPTH, products),
        "recall_at_100": metrics.recall_at(right, products, DEEPEST),
        "mean_average_precision": metrics.average_precision(right, products),
        "ndcg_at_10": metrics.ndcg_at(right, metrics.of_equals(products, 10), 10),
        "mean_reciprocal_rank": metrics.reciprocal_rank(right),
    }
    languages = np.array([one.language for one in typed[: len(rows)]])
    categories = metrics.numbered(one.category for one in typed[: len(rows)])
    return Result(
        queries=len(rows),
        figures=metrics.intervals(values, asking.seed, categories),
        facts={"categories": int((languages == NAMED).sum())},
        groups={
            language: Result(
                int((languages == language).sum()),
                metrics.intervals({name: all_[languages == language] for name, all_ in values.items()}, asking.seed),
            )
            for language in dict.fromkeys(languages.tolist())
        },
        worst=_imperfect(asked, values["precision_at_20"]),
    )


def _imperfect(asked: list[Asked], shares: np.ndarray) -> list[Asked]:
    below = [place for place, share in enumerate(shares.tolist()) if share < 1]
    return worst_of([asked[place] for place in below], [(float(shares[place]),) for place in below])


def _names() -> Iterator[_Typed]:
    """Every name, language by language, of categories with enough products; the largest first."""
    tree = Category.objects.tree()
    counted = public_photos().filter(product__category__isnull=False)
    of_own = dict(counted.values_list("product__category").annotate(n=Count("product", distinct=True)))
    totals: Counter[int] = Counter()
    for category, products in of_own.items():
        for above in tree.ancestors(category):
            totals[above.pk] += products
    for language in (NAMED, CHINESE):
        yield from _of_language(tree, totals, language)


def _of_language(tree: CategoryTree, totals: Counter[int], language: str) -> Iterator[_Typed]:
    by_name: dict[str, set[int]] = {}
    for pk, _products in totals.most_common():
        category = tree.by_id[pk]
        name = category.name if language == NAMED else category.names.get(language, "")
        if name:
            by_name.setdefault(name, set()).add(pk)
    for name, pks in list(by_name.items())[:MOST_CATEGORIES]:
        # A category of this name below another one is counted with it.
        tops = {pk for pk in pks if not any(above.pk in pks for above in tree.ancestors(pk)[:-1])}
        products = sum(totals[pk] for pk in tops)
        if products >= LEAST_PRODUCTS:
            right = frozenset(below for pk in tops for below in tree.descendants(pk))
            yield _Typed(language, name, min(tops), right, products)
