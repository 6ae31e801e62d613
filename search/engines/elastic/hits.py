"""Reading hits. Values come from doc values: stored fields would have to be unpacked for every hit of a window."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from search.engines.base import FACETS, EngineHit
from search.engines.counting import Row
from search.engines.elastic.mapping import KEY, PRODUCT

Hit = Mapping[str, Any]
_OF_A_HIT = (KEY, PRODUCT, "price", "created")


def wanted(*, facets: bool = False) -> dict[str, Any]:
    """The part of a search body that asks for what the functions below read."""
    return {
        "track_total_hits": False,
        "stored_fields": "_none_",
        "docvalue_fields": [*_OF_A_HIT, *(FACETS if facets else ())],
    }


def engine_hit(hit: Hit, score: float) -> EngineHit:
    fields = hit["fields"]
    return EngineHit(
        key=UUID(int=int(fields[KEY][0], 16)),  # half the time of UUID(hex=…)
        product=fields[PRODUCT][0],
        score=score,
        price=fields["price"][0] if "price" in fields else None,
        created=fields["created"][0],
    )


def row(hit: Hit) -> Row:
    """What is counted of a hit."""
    fields = hit["fields"]
    return Row(
        fields[PRODUCT][0],
        [(facet, value) for facet in FACETS if facet in fields for value in fields[facet]],
        fields["price"][0] if "price" in fields else None,
    )
