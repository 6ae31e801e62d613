"""``python -m bench.defaults PHOTOS``: how good each default is on photographs with a ``catalogue.csv``, and what it
costs; see docs/defaults.md.

A right hit is of the photograph's own category. Photographs ask in five folds; centre and axes are fitted on the other
folds. The index holds all photographs but the one that asks; beside it, "others" are the other folds alone.
"""

import argparse
import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.installation import Installation, Options, limit_threads
from bench.servers import elasticsearch

if TYPE_CHECKING:
    from bench.defaults.features import Photos
    from bench.defaults.ways import Outcome, Way

_ENGINES = ("embedded", "elasticsearch")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.defaults", description=__doc__)
    parser.add_argument("photos", type=Path, help="folder with photographs and a catalogue.csv")
    parser.add_argument("--cache", type=Path, help="folder in which features are kept for the next run")
    parser.add_argument("--only", action="append", help="only this section of the table (repeatable)")
    parser.add_argument("--runs", type=int, default=12, help="of each timed way to encode; 0 for none")
    parser.add_argument("--searches", type=int, default=100, help="that are timed on each engine; 0 for none")
    parser.add_argument("--size", type=int, default=20_000, help="vectors that are searched (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of torch (default: %(default)s)")
    parser.add_argument("--elasticsearch", default="8.19.9", metavar="VERSION", help="(default: %(default)s)")
    given = parser.parse_args()
    limit_threads(given.threads)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imgsite.settings")
    os.environ.setdefault("DEBUG", "true")  # no site is served, so no secret is needed
    import django

    django.setup()
    for line in _table(_photos(given.photos.resolve(), given.cache), given.only, given.runs):
        print(line, flush=True)
    if given.searches:
        for comparison in _searches(given.size, given.searches, given.elasticsearch):
            print(comparison, flush=True)


def _photos(folder: Path, cache: Path | None) -> "Photos":
    from bench.defaults.features import Photos

    with (folder / "catalogue.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    _names, categories = np.unique([row["category"] for row in rows], return_inverse=True)
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
    return Photos([folder / row["file"] for row in rows], categories, cache)


def _table(photos: "Photos", only: Sequence[str] | None, runs: int) -> Iterator[str]:
    from bench.defaults.costs import encoding
    from bench.defaults.ways import DEFAULT, WAYS, outcome

    sections = {name: ways for name, ways in WAYS.items() if not only or name in only}
    distinct = dict.fromkeys([DEFAULT.passes, *(way.passes for ways in sections.values() for way in ways)])
    speeds = encoding(list(distinct), photos.paths, runs) if runs else {}
    default = outcome(DEFAULT, photos)
    yield (
        "| | P@10 | 95 % | over the default, 95 % | P@10, others | mAP@100 | numbers | photographs a second, "
        "default = 1 |\n|---|---|---|---|---|---|---|---|"
    )
    for name, ways in sections.items():
        yield f"| *{name}* | | | | | | | |"
        for way in ways:
            yield _row(way, outcome(way, photos), default, speeds, photos.categories)


def _row(way: "Way", found: "Outcome", default: "Outcome", speeds: dict, categories: np.ndarray) -> str:
    from bench.defaults.ways import DEPTH
    from search.quality.metrics import average_precision, interval, precision_at

    values, usual = precision_at(found.every, DEPTH), precision_at(default.every, DEPTH)
    relevant = np.bincount(categories)[categories] - 1
    mean, gain = interval(values), interval(values - usual)
    if mean is None or gain is None:
        raise RuntimeError("There are no photographs.")
    difference = "" if way.name == default.way.name else f"{gain.mean:+.3f}, {gain.low:+.3f} to {gain.high:+.3f}"
    speed = f"{speeds[way.passes]:.2f}" if way.passes in speeds else ""
    return (
        f"| {way.name} | {mean.mean:.3f} | {mean.low:.3f} to {mean.high:.3f} | {difference} | "
        f"{precision_at(found.others, DEPTH).mean():.3f} | {average_precision(found.every, relevant).mean():.3f} | "
        f"{found.dimension} | {speed} |"
    )


def _searches(size: int, runs: int, version: str) -> Iterator[object]:
    """Ranking anew against the request, in an installation of its own."""
    with elasticsearch(version) as url:
        options = Options(size, runs, 0, _ENGINES, url)
        with Installation(options, SEARCH_FIT_AT=str(10**9)) as installation:
            installation.run("bench.catalogue:build")
            yield from installation.run("bench.defaults.costs:reranking")


if __name__ == "__main__":
    main()
