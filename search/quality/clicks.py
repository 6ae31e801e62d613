"""Weak evidence: the product that somebody opened after a search. Of people who agreed to a history alone."""

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from search.models import ProductView

MOST_VIEWS = 2_000  # the newest


def opened_after_searches() -> Mapping[str, set[UUID]]:
    """Canonical query string → images whose products somebody opened soon after, before any other search.

    Without searches and views that a history has dropped, or that its owner has deleted.
    """
    views = ProductView.objects.filter(search__isnull=False).order_by("-created_at", "-pk")
    opened: dict[str, set[UUID]] = defaultdict(set)
    for query, image in views.values_list("search__query", "image")[:MOST_VIEWS]:
        opened[query].add(image)
    return opened
