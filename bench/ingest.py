"""From verified row to searchable by the indexing loop, against decoding, resizing and the network alone."""

import io

from django.conf import settings
from tqdm import tqdm

from bench.installation import Options
from bench.photographs import photographs
from bench.timing import Comparison, side_by_side
from gallery import visibility
from gallery.intake import add_image
from gallery.models import Image, Product
from gallery.pictures import open_upright
from search import generations
from search.encoders import get_encoder
from search.engines import get_engine
from search.engines.base import Request
from search.indexing.embedding import DECODE_PIXELS
from search.indexing.loop import IndexLoop

_WARM_UP = 2  # batches


def measure(options: Options) -> list[Comparison]:
    """On the one engine that the installation is configured for. One round is one batch: what the loop claims next,
    and the same files by the network alone, without descriptors."""
    encoder = get_encoder(settings.SEARCH_ENCODER)
    encoder.load()
    generation = generations.ensure_first()
    engine, batch = get_engine(generation.engine), settings.SEARCH_BATCH
    images = _verified(batch * (_WARM_UP + options.batches), options)
    loop = IndexLoop()

    def ingest(_turn: int) -> None:
        if loop.step(patient=False) < batch:
            raise RuntimeError("The loop found less than a batch to do.")
        engine.refresh(generation.pk)

    def encode(turn: int) -> None:
        pictures = []
        for image in images[turn * batch : (turn + 1) * batch]:
            with image.original.open("rb") as file:
                pictures.append(open_upright(file, at_least=DECODE_PIXELS))
        encoder.network.embed(pictures)

    ours, bare = side_by_side(
        {
            f"IndexLoop.step and refresh, batches of {batch}": ingest,
            "decode + resize + forward of the same files, same batches": encode,
        },
        options.batches,
        _WARM_UP,
    )
    found = engine.search(Request(generation.pk, visibility.public, limit=1)).total
    if found != len(images):
        raise RuntimeError(f"Of {len(images)} images {found} are searchable.")
    facts = {"images/s": round(batch * 1000 / ours.ms(0.5), 1), "of files alone": round(batch * 1000 / bare.ms(0.5), 1)}
    name = f"Ingest, from verified row to searchable in {generation.engine}"
    return [Comparison(name, ours, bare, "throughput", bound=0.8, goal=0.9, facts=facts)]


def _verified(count: int, options: Options) -> list[Image]:
    """Images with stored originals, in the order in which the loop will claim them."""
    files = photographs(count, options.photos)
    images = [
        add_image(Product.objects.create(sku=f"P-{n:05d}", title=f"Photo {n}"), io.BytesIO(file), "photo.jpg")
        for n, file in enumerate(tqdm(files, desc="verify", total=count, disable=None))
    ]
    return sorted(images, key=lambda image: image.pk)
