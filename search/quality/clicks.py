"""Weak evidence: the product that somebody opened after a search. Of people who agreed to a history alone."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from search.chunks import chunks
from search.models import ProductView, SearchRecord

MOST_VIEWS = 2_000  # the newest
_SOON = timedelta(minutes=30)  # a product that is opened later was found otherwise


def opened_after_searches() -> Mapping[str, set[UUID]]:
    """Canonical query string → images whose products somebody opened next, within half an hour.

    A history keeps searches and products, not which led to which: the person's last search before is taken for it.
    """
    views = list(
        ProductView.objects.order_by("-created_at", "-pk").values_list("user", "image", "created_at")[:MOST_VIEWS]
    )
    searches = _searches({user for user, _image, _at in views})
    opened: dict[str, set[UUID]] = defaultdict(set)
    for user, image, at in views:
        moments, queries = searches.get(user, ([], []))
        place = bisect_right(moments, at) - 1
        if place >= 0 and at - moments[place] <= _SOON:
            opened[queries[place]].add(image)
    return opened


def _searches(users: set[int]) -> dict[int, tuple[list[datetime], list[str]]]:
    """Person → when and what for, the oldest first."""
    found: dict[int, tuple[list[datetime], list[str]]] = {}
    for chunk in chunks(sorted(users)):
        rows = SearchRecord.objects.filter(user__in=chunk).order_by("created_at", "pk")
        for user, query, at in rows.values_list("user", "query", "created_at"):
            moments, queries = found.setdefault(user, ([], []))
            moments.append(at)
            queries.append(query)
    return found
