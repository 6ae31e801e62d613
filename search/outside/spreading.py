"""The weaker matches of a photo from another world, in an order in which no product is near all such photos."""

from dataclasses import replace

import numpy as np

from gallery.models import Image
from search.direction import Direction
from search.engines.base import Answer
from search.models import Generation, OutsideCrowd
from search.outside.crowd import Spread
from search.pictures import unpacked, with_embedding


def spread(answer: Answer, direction: Direction, generation: Generation) -> Answer:
    """The answer with its weaker matches ranked anew, by likenesses that are comparable from product to product.

    What is not weak stays as it is. Nothing changes before enough such photos have come. Two statements.

    :param direction: of a photo that is ``outside``
    """
    if not answer.weaker or direction.outside is None:
        return answer
    crowd = OutsideCrowd.spread_for(generation)
    query = crowd.centred(direction.outside) if crowd is not None else {}
    if crowd is None or not crowd.projection.usable_weights(direction.weights, query):
        return answer
    rows = _rows([hit.key for hit in answer.weaker], generation, crowd)
    likenesses = crowd.likenesses(query, direction.weights, rows)
    # Still below the line, whatever they are called now.
    scores = np.minimum(likenesses, direction.weak_line - 1e-6) / direction.factor
    order = np.argsort(-likenesses, kind="stable").tolist()
    return replace(answer, weaker=[answer.weaker[place]._replace(score=float(scores[place])) for place in order])


def _rows(keys: list, generation: Generation, crowd: Spread) -> np.ndarray:
    """``(n, d)`` float32: the projected parts of each photo side by side; 0 where nothing is stored any more."""
    stored = with_embedding(Image.objects.filter(pk__in=keys).order_by(), generation.encoder)
    found = {
        pk: unpacked(parts, numbers)
        for pk, parts, numbers in stored.values_list("pk", "embedding_parts", "embedding_numbers")
    }
    rows = np.zeros((len(keys), crowd.projection.dimension - 1), dtype=np.float32)
    for place, key in enumerate(keys):
        for name, part in crowd.projection.project(found.get(key) or {}).items():
            rows[place, crowd.projection.slices[name]] = part
    return rows
