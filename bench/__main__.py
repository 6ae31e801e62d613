"""``python -m bench``: print ratios, each with its denominator and n, and write them to ``bench.json``."""

import argparse
import json
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.installation import Installation, Options, limit_threads
from bench.servers import elasticsearch

if TYPE_CHECKING:
    from bench.timing import Comparison

_ENGINES = ("embedded", "elasticsearch")
_MEASUREMENTS = ("ingest", "search")
_NEVER = str(10**9)  # images: no generation may be fitted and built while something is timed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("measurements", nargs="*", metavar="measurement", help=f"of {', '.join(_MEASUREMENTS)}")
    parser.add_argument("--engine", choices=_ENGINES, action="append", dest="engines", help="only this (repeatable)")
    parser.add_argument("--size", type=int, default=100_000, help="vectors to search (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=300, help="of each search (default: %(default)s)")
    parser.add_argument("--batches", type=int, default=20, help="of photos to ingest (default: %(default)s)")
    parser.add_argument("--photos", type=Path, default=os.environ.get("PHOTOS"), help="folder of JPEGs to ingest")
    parser.add_argument("--threads", type=int, default=2, help="of torch (default: %(default)s)")
    parser.add_argument("--elasticsearch", default="8.19.9", metavar="VERSION", help="(default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path("bench.json"))
    given = parser.parse_args()
    chosen = given.measurements or _MEASUREMENTS
    if unknown := set(chosen) - set(_MEASUREMENTS):
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}; there are {', '.join(_MEASUREMENTS)}")
    limit_threads(given.threads)
    engines = tuple(given.engines or _ENGINES)
    with elasticsearch(given.elasticsearch if "elasticsearch" in engines else None) as search_url:
        options = Options(given.size, given.runs, given.batches, engines, search_url, given.photos)
        comparisons = []
        for comparison in _comparisons(chosen, options):
            print(comparison, end="\n\n", flush=True)
            comparisons.append(comparison.as_json())
    report = _machine(given) | {"comparisons": comparisons}
    given.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"Written to {given.output}")


def _comparisons(chosen: Sequence[str], options: Options) -> "Iterator[Comparison]":
    # Ingest has an installation for each engine: the loop fills every generation that it finds.
    for engine in options.engines if "ingest" in chosen else ():
        with _installation(replace(options, engines=(engine,))) as installation:
            yield from installation.run("bench.ingest:measure")
    if "search" in chosen:
        with _installation(options) as installation:
            installation.run("bench.catalogue:build")
            for engine in options.engines:
                yield from installation.run(f"bench.search_{engine}:measure")


def _installation(options: Options) -> Installation:
    url = options.search_url if "elasticsearch" in options.engines else ""
    return Installation(replace(options, search_url=url), SEARCH_FIT_AT=_NEVER)


def _machine(given: argparse.Namespace) -> dict[str, Any]:
    packages = ("Django", "numpy", "torch", "pillow", "elasticsearch")
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "torch_threads": given.threads,
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
        "elasticsearch": given.elasticsearch,
    }


if __name__ == "__main__":
    main()
