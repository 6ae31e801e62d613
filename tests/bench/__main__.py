"""``python -m tests.bench``: print the ratios, each with its denominator and n, and write them to ``bench.json``."""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import tests.environment  # noqa: F401  (sets what Django reads: a folder and a database of its own)

if TYPE_CHECKING:
    from tests.bench.timing import Comparison


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--size", type=int, default=100_000, help="vectors in the large catalogue")
    parser.add_argument("-n", type=int, default=200, help="turns of each search")
    parser.add_argument("--blocks", type=int, default=12, help="batches of each ingest")
    parser.add_argument("--only", choices=["ingest", "embedded", "elasticsearch"], action="append")
    parser.add_argument("--output", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    wanted = options.only or ["ingest", "embedded", "elasticsearch"]
    comparisons = [comparison.as_json() for comparison in _measure(wanted, options.size, options.n, options.blocks)]
    options.output.write_text(json.dumps(comparisons, indent=2), encoding="utf-8")
    print(f"Written to {options.output}")


def _measure(wanted: list[str], size: int, n: int, blocks: int) -> "Iterator[Comparison]":
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "imgsite.settings"
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from gallery.models import Product
    from search.engines import get_engine
    from search.models import Generation
    from tests.bench import catalogue, ingest, searching
    from tests.servers.elasticsearch import VERSIONS, ElasticsearchServer

    def shown(comparison):
        print(comparison, flush=True)
        return comparison

    call_command("migrate", verbosity=0)
    settings.SEARCH_FIT_AT = 10**9  # no generation may be built while something is timed
    if "ingest" in wanted:
        yield shown(ingest.ingest_against_encoding(blocks))
        Product.objects.all().delete()
        Generation.objects.all().delete()
    if not {"embedded", "elasticsearch"} & set(wanted):
        return
    large = catalogue.make(size)
    if "embedded" in wanted:
        generation = catalogue.place(large, "embedded")
        for comparison in searching.embedded_against_numpy(large, generation, n):
            yield shown(comparison)
    if "elasticsearch" in wanted:
        server = ElasticsearchServer(VERSIONS["8"], heap="1g")
        try:
            server.start()
            settings.SEARCH_URL = server.url
            get_engine.cache_clear()
            catalogue.place(large, "elasticsearch")
            yield shown(searching.api_against_elasticsearch(large, n))
        finally:
            server.close()


if __name__ == "__main__":
    main()
