"""``python -m bench.recall PHOTOS``: recall and time of each type of Elasticsearch's index, beside exact search.

The catalogue is made of views of photographs (``bench.views``). Each type is built as a generation from the same
embeddings, and measured as ``manage.py index recall`` does.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from django.conf import settings

from bench.installation import Installation, Options, limit_threads
from bench.servers import elasticsearch

TYPES = ("flat", "hnsw", "int8_hnsw", "bbq_hnsw")
_ENCODER = "efficientnet-lite0"
_NEVER = str(10**9)  # images: no generation may be fitted by itself
_AT_ONCE = 500  # rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.recall", description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--size", type=int, default=20_000, help="vectors (default: %(default)s)")
    parser.add_argument("--queries", type=int, default=200, help="(default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of torch (default: %(default)s)")
    parser.add_argument("--elasticsearch", default="8.19.9", metavar="VERSION", help="(default: %(default)s)")
    given = parser.parse_args()
    limit_threads(given.threads)
    with elasticsearch(given.elasticsearch) as url:
        options = Options(given.size, given.queries, 0, ("elasticsearch",), url, given.photos)
        with Installation(options, SEARCH_FIT_AT=_NEVER, SEARCH_ENCODER=_ENCODER) as installation:
            installation.run("bench.recall:fill")
            for line in _table(installation.run("bench.recall:compare")):
                print(line)


def fill(options: Options) -> None:
    """Write the views' embeddings, and rows that have no files: nothing is encoded again from here on."""
    from bench.views import encoded_views
    from gallery.models import Image, Product
    from search.encoders import get_encoder
    from search.indexing.changes import record_changes
    from search.models import Embedding

    encoder = get_encoder(settings.SEARCH_ENCODER)
    views = encoded_views(options.photos, options.size, encoder)
    while batch := list(islice(views, _AT_ONCE)):
        products, images, embeddings = [], [], []
        for parts in batch:
            product = Product(sku=f"V-{hashlib.sha256(parts['deep'].tobytes()).hexdigest()[:40]}", title="A view")
            image = Image(product=product, format="jpeg", bytes=1, width=1, height=1, perceptual_hash="0" * 16)
            image.sha256 = hashlib.sha256(image.pk.bytes).hexdigest()
            image.original = f"none/{image.pk}"
            image.status = Image.Status.APPROVED
            embedding = Embedding(sha256=image.sha256, encoder=encoder.identity)
            embedding.vectors = parts
            products.append(product)
            images.append(image)
            embeddings.append(embedding)
        Product.objects.bulk_create(products)
        Image.objects.bulk_create(images)
        Embedding.objects.bulk_create(embeddings)
        record_changes([image.pk for image in images])


def compare(options: Options) -> list[dict[str, object]]:
    """Build a generation of each type on Elasticsearch, and one on the embedded engine, and measure them."""
    from search import generations
    from search.engines import get_engine
    from search.engines.index_settings import IndexSettings
    from search.indexing.loop import IndexLoop
    from search.recall import measure

    rows = []
    for kind in TYPES:
        generation = generations.build(index=IndexSettings.parse({"type": kind}), promote_when_ready=kind == TYPES[0])
        IndexLoop().run_until_idle()
        engine = get_engine(generation.engine)
        engine.refresh(generation.pk)
        engine.warm(generation.spec)
        measure(generation, queries=20)  # the first searches read the graph from disk
        measured = measure(generation, queries=options.runs)
        health = engine.health(generation.pk)
        rows.append({"type": kind, "bytes": health.bytes} | {way: one.as_json() for way, one in measured.items()})
        if kind != TYPES[0]:
            generations.drop(generation)
    return rows


def _table(rows: list[dict[str, object]]) -> Iterator[str]:
    ways = [name for name in rows[0] if name not in ("type", "bytes")]
    flat = rows[0]
    yield f"| type | {' | '.join(f'{way}: recall@10, time' for way in ways)} | on disk |"
    yield "|---" * (len(ways) + 2) + "|"
    for row in rows:
        cells = []
        for way in ways:
            figures, beside = row[way], flat[way]
            ratio = figures["milliseconds"] / beside["milliseconds"]  # type: ignore[index]
            cells.append(f"{figures['recall']:.3f}, {ratio:.2f}")  # type: ignore[index]
        yield f"| {row['type']} | {' | '.join(cells)} | {row['bytes'] / flat['bytes']:.2f} |"  # type: ignore[operator]
    yield json.dumps(rows)


if __name__ == "__main__":
    main()
