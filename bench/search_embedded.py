"""The embedded engine with visibility and one filter, against the bare product of the same matrix and vector."""

from collections.abc import Callable

import numpy as np
from django.conf import settings

from bench.installation import Options
from bench.questions import questions
from bench.timing import Comparison, side_by_side
from gallery import visibility
from gallery.models import Brand
from search.engines import get_engine
from search.engines.base import Answer, Filters, Request
from search.models import Generation

_WARM_UP = 10


def measure(options: Options) -> list[Comparison]:
    generation = Generation.objects.get(engine="embedded")
    engine = get_engine("embedded")
    engine.warm(generation.spec)
    matrix = _matrix(generation)
    asked = questions(generation)
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
        return matrix @ asked[turn % len(asked)].direction.vector

    shape = "{:,} x {}".format(*matrix.shape)
    plain, faceted, bare = side_by_side(
        {
            "engine.search: public, one brand, no facets": search(False),
            "engine.search: public, one brand, with facets": search(True),
            f"matrix @ vector, {shape} float32": product,
        },
        options.runs,
        _WARM_UP,
    )
    products = [
        engine.search(Request(generation.pk, visibility.public, filters, limit=1, facets=False)).total
        for filters in (Filters(brand=(brand,)), Filters())
    ]
    facts = {
        "filter keeps": f"{products[0] / products[1]:.0%} of {products[1]:,} public products",
        "median of matches": int(np.median([len(search(False)(turn).hits) for turn in range(len(asked))])),
    }
    return [
        Comparison(f"Embedded search over {shape}", plain, bare, bound=1.5, goal=1.2, facts=facts),
        Comparison("The same with facets", faceted, bare, facts=facts),
    ]


def _matrix(generation: Generation) -> np.ndarray:
    """What the engine holds, ``(n, dimension)`` float32, read from its table."""
    stored = generation.documents.exclude(vector=None).order_by("pk").values_list("vector", flat=True)
    return np.frombuffer(b"".join(vector or b"" for vector in stored.iterator()), np.float32).reshape(
        -1, generation.projection.dimension
    )
