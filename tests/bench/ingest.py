"""From a verified row to searchable, against decoding, resizing and the network alone."""

import io
import os
import time
from pathlib import Path

import numpy as np
from django.conf import settings
from PIL import Image as Pillow

from gallery.intake import add_image
from gallery.models import Image, Product
from gallery.pictures import open_upright
from search.encoders import get_encoder
from search.engines import get_engine
from search.indexing.embedding import DECODE_PIXELS
from search.indexing.loop import IndexLoop
from search.models import Generation
from tests.bench.timing import Comparison


def photographs(count: int) -> list[bytes]:
    """Files from the folder ``PHOTOS`` if it is given, else noise with soft shapes, 1000 x 800 JPEG."""
    if folder := os.environ.get("PHOTOS"):
        files = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))[:count]
        return [path.read_bytes() for path in files]
    random = np.random.default_rng(0)
    made = []
    for _n in range(count):
        coarse = Pillow.fromarray(random.integers(0, 255, (8, 10, 3), dtype=np.uint8))
        soft = np.asarray(coarse.resize((1000, 800), Pillow.Resampling.BICUBIC), dtype=np.int16)
        noisy = np.clip(soft + random.normal(0, 8, soft.shape), 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Pillow.fromarray(noisy).save(file, "JPEG", quality=88)
        made.append(file.getvalue())
    return made


def ingest_against_encoding(blocks: int) -> Comparison:
    """Blocks of one batch, in turn: the indexing loop over new images, and the encoder over the same files.

    The ratio is of throughputs: the encoder's time divided by the loop's.
    """
    batch = settings.SEARCH_BATCH
    encoder = get_encoder(settings.SEARCH_ENCODER)
    files = photographs(batch * (blocks + 1))
    if len(files) < batch * (blocks + 1):
        raise RuntimeError(f"PHOTOS holds {len(files)} photographs; {batch * (blocks + 1)} are needed.")
    loop = IndexLoop()
    loop.run_until_idle()
    ours, bare = [], []
    for block in range(blocks + 1):
        contents = files[block * batch : (block + 1) * batch]
        for n, content in enumerate(contents):
            product = Product.objects.create(sku=f"I-{block}-{n}", title="Ingested")
            add_image(product, io.BytesIO(content), "photo.jpg")
        images = list(Image.objects.filter(product__sku__startswith=f"I-{block}-"))

        def encode_alone(images: list[Image] = images) -> None:
            pictures = []
            for image in images:
                with image.original.open("rb") as file:
                    pictures.append(open_upright(file, at_least=DECODE_PIXELS))
            encoder.encode(pictures)

        def ingest() -> None:
            while loop.step(patient=False):
                pass
            live = Generation.objects.live()
            get_engine(live.engine).refresh(live.pk)

        for call, times in (
            ((encode_alone, bare), (ingest, ours)) if block % 2 else ((ingest, ours), (encode_alone, bare))
        ):
            started = time.perf_counter()
            call()
            times.append((time.perf_counter() - started) * 1000 / len(images))
    ours, bare = ours[1:], bare[1:]  # the first block loads the model
    return Comparison(
        name="ingest from verified row to searchable, renditions off (throughput)",
        denominator="decode + resize + forward at the same batch",
        n=blocks,
        p50_ms=float(np.median(ours)),
        p95_ms=float(np.quantile(ours, 0.95)),
        denominator_p50_ms=float(np.median(bare)),
        denominator_p95_ms=float(np.quantile(bare, 0.95)),
        ratio=float(np.median(bare) / np.median(ours)),
        target="at least 0.8, goal 0.9; times are of one photo",
    )
