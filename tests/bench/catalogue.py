"""A large catalogue of numbers: products, images without files, and clustered embeddings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from django.utils import timezone
from tqdm import tqdm

from gallery.keys import new_key
from gallery.models import Brand, Category, Image, Product
from search.documents import category_tree, fields_of, words_of
from search.engines import get_engine
from search.engines.base import Document
from search.generations import create_generation
from search.models import Embedding, Generation
from search.projection import Projection
from search.similarity import SimilarityScale

DIMENSIONS = {"deep": 256, "color": 64}
ENCODER = "efficientnet-lite2@1"
_CLUSTERS = 200
_CHUNK = 1000


@dataclass(frozen=True)
class Catalogue:
    keys: Sequence  # image keys, in order
    deep: np.ndarray  # (n, 256) float32, rows of unit length
    color: np.ndarray  # (n, 64) float32, rows of unit length


def make(size: int, seed: int = 0) -> Catalogue:
    """Products with an image and an embedding each, written straight to the database."""
    random = np.random.default_rng(seed)
    parts = {name: _clustered(random, size, d) for name, d in DIMENSIONS.items()}
    categories = [Category.objects.at_path(f"Kind {n}") for n in range(10)]
    brands = Brand.objects.bulk_create([Brand(name=f"Brand {n}", slug=f"brand-{n}") for n in range(20)])
    prices = random.integers(100, 20_000, size) / 100
    kinds, makers = random.integers(0, 10, size), random.integers(0, 20, size)
    keys = [new_key() for _n in range(size)]
    for start in tqdm(range(0, size, _CHUNK), desc="rows", unit="k"):
        numbers = range(start, min(start + _CHUNK, size))
        products = Product.objects.bulk_create(
            Product(
                sku=f"B-{n:06d}",
                title=f"Synthetic product {n}",
                category=categories[kinds[n]],
                brand=brands[makers[n]],
                price=f"{prices[n]:.2f}",
                currency="EUR",
                created_at=timezone.now(),
            )
            for n in numbers
        )
        Image.objects.bulk_create(
            Image(
                id=keys[n],
                product=product,
                original=f"none/{n}",
                format="jpeg",
                bytes=1,
                width=800,
                height=600,
                sha256=f"{n:064x}",
                perceptual_hash=f"{n:016x}",
            )
            for n, product in zip(numbers, products, strict=True)
        )
        embeddings = []
        for n in numbers:
            row = Embedding(sha256=f"{n:064x}", encoder=ENCODER)
            row.vectors = {name: rows[n] for name, rows in parts.items()}
            embeddings.append(row)
        Embedding.objects.bulk_create(embeddings)
    return Catalogue(keys, parts["deep"], parts["color"])


def _clustered(random: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Rows around cluster centres: neither all alike nor all strangers, as in a catalogue."""
    centres = random.normal(size=(_CLUSTERS, d))
    rows = centres[random.integers(0, _CLUSTERS, n)] + 0.7 * random.normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def place(catalogue: Catalogue, engine: str) -> Generation:
    """A live generation on this engine that holds the whole catalogue."""
    generation = create_generation(
        Projection.identity(DIMENSIONS), encoder=ENCODER, weights={"deep": 0.9, "color": 0.1}, engine=engine
    )
    sample = slice(0, 2000)
    generation.calibrate(SimilarityScale.measure({"deep": catalogue.deep[sample], "color": catalogue.color[sample]}))
    for documents in tqdm(_documents(catalogue, generation), total=-(-len(catalogue.keys) // _CHUNK), desc=engine):
        failures = get_engine(engine).write(generation.pk, documents, [])
        if failures:
            raise RuntimeError(f"{engine} refused {len(failures)} documents: {failures[0].reason}")
    get_engine(engine).refresh(generation.pk)
    generation.promote()
    return generation


def _documents(catalogue: Catalogue, generation: Generation) -> Iterator[list[Document]]:
    tree = category_tree()
    images = Image.objects.order_by("pk").select_related("product").prefetch_related("product__tags")  # type: ignore[misc]
    for start in range(0, len(catalogue.keys), _CHUNK):
        numbers = range(start, min(start + _CHUNK, len(catalogue.keys)))
        yield [
            Document(
                image.pk,
                1,
                fields_of(image, tree),
                words_of(image),
                generation.projection.document_vector({"deep": catalogue.deep[n], "color": catalogue.color[n]}),
            )
            for n, image in zip(numbers, images[start : start + len(numbers)], strict=True)
        ]
