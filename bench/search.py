"""Searching a large catalogue on each engine. One catalogue serves all, as building it takes minutes."""

from bench import search_elasticsearch, search_embedded
from bench.catalogue import build
from bench.installation import Options
from bench.timing import Comparison


def measure(options: Options) -> list[Comparison]:
    # The last engine's generation is the live one, which the API asks.
    catalogue = build(options.size, sorted(options.engines, key=("embedded", "elasticsearch").index))
    comparisons = []
    if "embedded" in options.engines:
        comparisons += search_embedded.compare(catalogue, options.runs)
    if "elasticsearch" in options.engines:
        comparisons.append(search_elasticsearch.compare(catalogue, options.runs, options.search_url))
    return comparisons
