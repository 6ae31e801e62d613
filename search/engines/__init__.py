"""Which engine holds a generation: the one place that reads ``SEARCH_URL``."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from search.engines.base import Engine

ENGINES = {
    "embedded": "search.engines.embedded.engine.EmbeddedEngine",
    "elasticsearch": "search.engines.elastic.engine.ElasticsearchEngine",
}


def configured_name() -> str:
    """``embedded`` or ``elasticsearch``: where new generations are built."""
    return "embedded" if settings.SEARCH_URL.startswith("embedded") else "elasticsearch"


def reachable_names() -> set[str]:
    """Engines that the settings say how to reach. The embedded one lies in the database and is always there."""
    return {"embedded", configured_name()}


@cache
def get_engine(name: str) -> Engine:
    """The process's engine of this name; clients connect when first asked."""
    return import_string(ENGINES[name])()
