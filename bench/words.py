"""``python -m bench.words --photos PATH``: what typed words find among photographs that nobody has described, and what
reading them costs; see docs/words.md.

Of the catalogue's photographs nine in ten lose category, title, tags and brand. Then the categories' names are searched
for, in English and in Chinese, and those of the first hits are judged that were left undescribed.
"""

import argparse
import csv
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.timing import Times, side_by_side

CHINESE = {
    "dress": "连衣裙",
    "hat": "帽子",
    "longsleeve": "长袖",
    "outwear": "外套",
    "pants": "裤子",
    "shirt": "衬衫",
    "shoes": "鞋",
    "shorts": "短裤",
    "skirt": "裙子",
    "t-shirt": "T恤",
}
COLORS = {"black": "黑色", "white": "白色", "blue": "蓝色", "red": "红色", "grey": "灰色", "green": "绿色"}
TOP = 20
DESCRIBED = 0.1
# Not names of classes, so that the model has to run.
TIMED = ("summer dress", "warm winter jacket", "running shoes for kids", "office shirt", "夏天的连衣裙", "保暖外套")


@dataclass
class Tally:
    """Figures over draws of what is described."""

    precision: dict[str, list[float]] = field(default_factory=dict)  # word → P@20 of each draw
    colors: dict[str, list[tuple[float, float]]] = field(default_factory=dict)  # colour → share before, after

    def __str__(self) -> str:
        lines = ["| category | English | P@20 | Chinese | P@20 |", "|---|---|---|---|---|"]
        lines += [
            f"| {name} | {name} | {np.mean(self.precision[name]):.2f} | {chinese} | "
            f"{np.mean(self.precision[chinese]):.2f} |"
            for name, chinese in CHINESE.items()
        ]
        means = [np.mean([self.precision[word] for word in words]) for words in (list(CHINESE), list(CHINESE.values()))]
        lines.append(f"| mean | | {means[0]:.3f} | | {means[1]:.3f} |")
        lines += ["", "| colour | n | share before | share after |", "|---|---|---|---|"]
        for color, pairs in self.colors.items():
            before, after = np.mean(pairs, axis=0)
            lines.append(f"| {color} | {len(pairs)} | {before:.2f} | {after:.2f} |")
        before, after = np.mean([pair for pairs in self.colors.values() for pair in pairs], axis=0)
        lines.append(f"| mean | | {before:.2f} | {after:.2f} |")
        return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.words", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="folder with photographs and a catalogue.csv")
    parser.add_argument("--draws", type=int, default=5, help="of what is described (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=30, help="of each timed text (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="folder of the installation, to use it again")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="imgsite-bench-"))
    try:
        _set_up(folder)
        measure(given.photos.resolve(), given.draws, given.runs)
    finally:
        if given.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _set_up(folder: Path) -> None:
    for name in ("SEARCH_URL", "SEARCH_ENCODER", "TEXT_ENCODER", "S3_BUCKET", "CACHE_URL"):
        os.environ.pop(name, None)
    os.environ |= {
        "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "imgsite.settings",
        "DEBUG": "true",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def measure(photos: Path, draws: int, runs: int) -> None:
    from gallery.models import Product
    from search.models import Generation

    with (photos / "catalogue.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["sku"]: row for row in csv.DictReader(file)}
    if not Product.objects.exists():
        _ingest(photos)
    tally = Tally()
    for seed in range(draws):
        described = _describe(rows, seed)
        live = Generation.objects.live()
        if live is None:
            raise RuntimeError("Nothing was indexed.")
        _learn(live)
        live.refresh_from_db()
        hidden = {sku: row["category"] for sku, row in rows.items() if sku not in described}
        _judge(live, hidden, tally)
    print(tally, end="\n\n")
    for line in _timed(live, runs):
        print(line)


def _ingest(photos: Path) -> None:
    """All photographs, as the catalogue describes them."""
    from django.core.management import call_command

    from search.indexing.loop import IndexLoop

    call_command("import_catalogue", str(photos), "--no-progress")
    IndexLoop().run_until_idle()


def _describe(rows: Mapping[str, Mapping[str, str]], seed: int) -> set[str]:
    """Give a tenth of the products, drawn at random, what the catalogue says of them; take it from all others."""
    from gallery.models import Brand, Category, Product
    from search.indexing.loop import IndexLoop

    skus = sorted(rows)
    drawn = np.random.default_rng(seed).permutation(len(skus))[: round(DESCRIBED * len(skus))]
    described = {skus[place] for place in drawn.tolist()}
    for product in Product.objects.filter(sku__in=skus):
        row = rows[product.sku] if product.sku in described else None
        if row is None and product.category_id is None:
            continue
        product.title = row["title"] if row else product.sku
        product.category = Category.objects.at_path(row["category"]) if row else None
        product.brand = Brand.objects.named(row["brand"]) if row else None
        product.save()
        product.tags.set(row["tags"].split(";") if row else [])
    IndexLoop().run_until_idle()
    return described


def _learn(live: Any) -> None:
    from search.text_to_picture.making import make

    if not make(live):
        raise RuntimeError("The text encoder is not installed: pip install -r requirements.txt")


def _judge(live: Any, hidden: Mapping[str, str], tally: Tally) -> None:
    for name, chinese in CHINESE.items():
        for word in (name, chinese):
            found = [sku for sku in _skus(live, word) if sku in hidden][:TOP]
            right = sum(hidden[sku] == name for sku in found) / TOP  # a hit that is missing is one that is wrong
            tally.precision.setdefault(word, []).append(right)
    for color in COLORS:
        for name in ("dress", "pants", "shoes", "t-shirt"):
            before, after = (_share_of(color, live, word) for word in (name, f"{color} {name}"))
            tally.colors.setdefault(color, []).append((before, after))


def _skus(live: Any, text: str) -> list[str]:
    from gallery.models import Product

    hits = _hits(live, text)
    by_key = dict(Product.objects.filter(pk__in=[hit.product for hit in hits]).values_list("pk", "sku"))
    return [by_key[key] for hit in hits if (key := _uuid(hit.product)) in by_key]


def _uuid(text: str) -> Any:
    from uuid import UUID

    return UUID(text)


def _hits(live: Any, text: str) -> Sequence[Any]:
    from gallery import visibility
    from search.ask import ask
    from search.query import Query

    return ask(Query(text=text), visibility.public, live, size=240, facets=False).hits


def _share_of(color: str, live: Any, text: str) -> float:
    """Of the first hits, those whose most frequent colour is this one."""
    from gallery.models import Image

    keys = [hit.key for hit in _hits(live, text)][:TOP]
    colors = dict(Image.objects.filter(pk__in=keys).values_list("pk", "colors"))
    first = [colors[key][0] if colors.get(key) else "" for key in keys]
    return sum(one == color for one in first) / max(1, len(first))


def _timed(live: Any, runs: int) -> Iterator[str]:
    """Reading words against the bare text model, and the whole search against the same words as text alone."""
    from gallery import visibility
    from search.ask import ask
    from search.names import Names
    from search.query import Query
    from search.text_to_picture.encoder import get_text_encoder
    from search.text_to_picture.reading import forget_texts, read

    texts = get_text_encoder()
    if texts is None:
        return

    def asked(turn: int) -> str:
        return TIMED[turn % len(TIMED)]

    def whole(text: str) -> object:
        forget_texts(live)
        return ask(Query(text=text), visibility.public, live, facets=True)

    def quoted(turn: int) -> object:
        return ask(Query(text=f"“{asked(turn)}”"), visibility.public, live, facets=True)

    names = Names()
    names.all_brands()

    def reading(turn: int) -> object:
        forget_texts(live)
        return read(asked(turn), live, names)

    ways = {
        "bare text model": lambda turn: texts.embed([asked(turn)]),
        "words to a direction": reading,
        "words that are a name": lambda turn: read("dress", live, names),
        "search by text alone": quoted,
        "search by text and look": lambda turn: whole(asked(turn)),
    }
    times: list[Times] = side_by_side(ways, runs, warm_up=len(TIMED))
    for one in times:
        yield f"{one.what:<24} p50 {one.ms(0.5):8.2f} ms  p95 {one.ms(0.95):8.2f} ms  n {one.n}"
    model, to_direction, name, text, both = (one.ms(0.5) for one in times)
    yield f"words to a direction / bare text model: {to_direction / model:.2f}"
    yield f"a name / bare text model: {name / model:.2f}"
    yield f"(search by text and look - by text alone) / bare text model: {(both - text) / model:.2f}"


if __name__ == "__main__":
    main()
