"""The embedded engine with visibility and one filter, against the bare product of the same matrix and vector."""

from collections.abc import Callable

import numpy as np
from django.conf import settings

from bench.catalogue import Catalogue
from bench.questions import questions
from bench.timing import Comparison, side_by_side
from gallery import visibility
from gallery.models import Brand
from search.engines import get_engine
from search.engines.base import Answer, Filters, Request

_WARM_UP = 10


def compare(catalogue: Catalogue, runs: int) -> list[Comparison]:
    generation = catalogue.generations["embedded"]
    engine = get_engine("embedded")
    asked = questions(catalogue, generation)
    brand = str(Brand.objects.get(name="Brand 00").pk)

    def search(facets: bool) -> Callable[[int], Answer]:
        def one(turn: int) -> Answer:
            question = asked[turn % len(asked)]
            return engine.search(
                Request(
                    generation.pk,
                    visibility.public,
                    Filters(brand=(brand,)),
                    vector=question.direction.vector,
                    floor=question.direction.floor,
                    exclude=(question.key,),
                    window=settings.SEARCH_WINDOW,
                    lopsided=question.direction.lopsided,
                    facets=facets,
                )
            )

        return one

    def product(turn: int) -> np.ndarray:
        return catalogue.vectors @ asked[turn % len(asked)].direction.vector

    kept = _share_of(engine.search(Request(generation.pk, visibility.public, Filters(brand=(brand,)))), catalogue)
    shape = "{:,} x {}".format(*catalogue.vectors.shape)
    plain, faceted, bare = side_by_side(
        {
            "engine.search: public, one brand, no facets": search(False),
            "engine.search: public, one brand, with facets": search(True),
            f"matrix @ vector, {shape} float32": product,
        },
        runs,
        _WARM_UP,
    )
    facts = {"filter keeps": kept, "median matches": _median_matches(search(False), len(asked))}
    return [
        Comparison(f"Embedded search over {shape}", plain, bare, bound=1.5, goal=1.2, facts=facts),
        Comparison("The same with facets", faceted, bare, facts=facts),
    ]


def _share_of(answer: Answer, catalogue: Catalogue) -> str:
    """How much the filter leaves, in products of the public catalogue."""
    request = Request(catalogue.generations["embedded"].pk, visibility.public, limit=1, facets=False)
    everything = get_engine("embedded").search(request).total
    return f"{answer.total / everything:.0%} of {everything:,} public products"


def _median_matches(search: Callable[[int], Answer], count: int) -> int:
    return int(np.median([len(search(turn).hits) for turn in range(count)]))
