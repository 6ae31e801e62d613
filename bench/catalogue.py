"""A large synthetic catalogue: rows without files, embeddings in clusters, and generations that hold them."""

import hashlib
from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction
from tqdm import tqdm

from bench.installation import Options
from gallery.keys import new_key
from gallery.models import Brand, Category, Image, Product, TaggedProduct
from gallery.models.products import ProductTag
from search.documents import category_tree, fields_of, images_by_key, words_of
from search.encoders import get_encoder
from search.engines import get_engine
from search.engines.base import Document
from search.generations import calibrate, create_generation
from search.models import Embedding
from search.projection import Projection

_CHUNK = 1_000  # images
_LATENT = 256  # dimensions in which pictures really differ; the encoder's numbers are a map of them
_IN_CLUSTER = 500  # images: more than a window, so that windows are full
_FEWEST_CLUSTERS = 40  # with fewer, random pairs are often alike, and the weak line lies too high
_SPREAD = 0.8  # of a cluster, beside a centre of length 1
_FIT_ON = 5_000  # images
_WORDS = ("linen", "cotton", "wool", "silk", "oak", "steel", "glass", "paper", "summer", "winter", "plain", "striped")


def build(options: Options) -> None:
    """Write images to the database and to a generation on each engine.

    One image in ten waits for approval; one product in four has two photos. Where Elasticsearch is among the engines,
    its generation is the live one.
    """
    random = np.random.default_rng(0)
    source = _Embeddings(options.size, random)
    encoder = get_encoder(settings.SEARCH_ENCODER)
    sample = source.of(random.integers(0, source.clusters, _FIT_ON), random)
    projection = Projection.fit(sample, {"deep": settings.SEARCH_DEEP_DIMENSIONS}, source.dimensions)
    generations = [
        create_generation(
            projection,
            dimension=projection.dimension,
            encoder=encoder.identity,
            weights=encoder.default_weights,
            engine=engine,
            sample_size=_FIT_ON,
        )
        for engine in sorted(options.engines, key=("embedded", "elasticsearch").index)
    ]
    rows = _Rows(random)
    for start in tqdm(range(0, options.size, _CHUNK), desc="catalogue", unit="k", disable=None):
        count = min(_CHUNK, options.size - start)
        products = -(-count * 4 // 5)
        clusters = random.integers(0, source.clusters, products)[np.arange(count) % products]
        images = rows.add(products, clusters)
        embeddings = _embedded(images, source.of(clusters, random), encoder.identity)
        vectors = [projection.document_vector(projection.project(embedding.vectors)) for embedding in embeddings]
        documents = _documents([image.pk for image in images], vectors)
        for generation in generations:
            if failures := get_engine(generation.engine).write(generation.pk, documents, []):
                raise RuntimeError(f"{generation} refused {len(failures)} documents: {failures[0].reason}")
    for generation in generations:
        calibrate(generation)
        get_engine(generation.engine).refresh(generation.pk)
        generation.promote()


class _Embeddings:
    """What the encoder might say: points around centres, mapped to as many numbers as it gives."""

    def __init__(self, size: int, random: np.random.Generator):
        self.clusters = max(_FEWEST_CLUSTERS, size // _IN_CLUSTER)
        self.dimensions = get_encoder(settings.SEARCH_ENCODER).dimensions
        self.centres = _unit(random.normal(size=(self.clusters, _LATENT)))
        self.maps = {name: random.normal(size=(_LATENT, d)) for name, d in self.dimensions.items()}

    def of(self, clusters: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
        """Part name → ``(n, d)`` float32, rows of unit length, for images in these clusters."""
        noise = _unit(random.normal(size=(len(clusters), _LATENT)))
        latent = self.centres[clusters] + _SPREAD * noise
        # No number is negative: the network ends in a rectifier, and colours are counted.
        parts = {name: np.abs(latent @ table) for name, table in self.maps.items() if name != "deep"}
        parts["deep"] = np.maximum(latent @ self.maps["deep"] + 1, 0)
        return {name: _unit(parts[name]).astype(np.float32) for name in self.dimensions}


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class _Rows:
    """Products with everything that facets count: 24 categories in a tree, 40 brands, 60 tags, two attributes."""

    def __init__(self, random: np.random.Generator):
        self.random = random
        self.number = 0
        self.leaves = [
            Category.objects.at_path(f"Department {top}/Kind {top}-{leaf}") for top in range(4) for leaf in range(6)
        ]
        self.brands = Brand.objects.bulk_create(Brand(name=f"Brand {n:02d}", slug=f"brand-{n:02d}") for n in range(40))
        shares = 1 / np.arange(1, len(self.brands) + 1)  # Zipf: the largest brand makes 23 % of the products
        self.brand_shares = shares / shares.sum()
        self.tags = ProductTag.objects.bulk_create(ProductTag(name=f"tag {n}", slug=f"tag-{n}") for n in range(60))

    @transaction.atomic
    def add(self, count: int, clusters: np.ndarray) -> list[Image]:
        """``count`` products, and an image for each of the clusters: once each product has one, some have two."""
        products = Product.objects.bulk_create(self._product(int(cluster)) for cluster in clusters[:count])
        TaggedProduct.objects.bulk_create(
            TaggedProduct(content_object=product, tag=self.tags[tag])
            for product in products
            for tag in self.random.choice(len(self.tags), 2, replace=False)
        )
        return Image.objects.bulk_create(self._image(products[place % count], place) for place in range(len(clusters)))

    def _product(self, cluster: int) -> Product:
        self.number += 1
        words = " ".join(self.random.choice(_WORDS, 6, replace=False))
        return Product(
            sku=f"B-{self.number:07d}",
            title=f"{words} {self.number}",
            description=f"A {words} thing, made for measuring.",
            category=self.leaves[cluster % len(self.leaves)],
            brand=self.brands[self.random.choice(len(self.brands), p=self.brand_shares)],
            price=round(float(self.random.lognormal(3.5, 0.8)), 2),
            currency=settings.SHOP_CURRENCY,
            attributes={
                "color": [("red", "green", "blue", "white", "black")[self.random.integers(5)]],
                "size": [("S", "M", "L", "XL")[self.random.integers(4)]],
            },
        )

    def _image(self, product: Product, place: int) -> Image:
        key = new_key()
        return Image(
            id=key,
            product=product,
            original=f"none/{key}",
            format="jpeg",
            bytes=1,
            width=1000,
            height=800,
            sha256=hashlib.sha256(key.bytes).hexdigest(),
            perceptual_hash=key.hex[-16:],
            position=place,
            status=Image.Status.PENDING if self.random.random() < 0.1 else Image.Status.APPROVED,
        )


def _embedded(images: Sequence[Image], parts: Mapping[str, np.ndarray], encoder: str) -> list[Embedding]:
    rows = []
    for place, image in enumerate(images):
        row = Embedding(sha256=image.sha256, encoder=encoder)
        row.vectors = {name: numbers[place] for name, numbers in parts.items()}
        rows.append(row)
    return Embedding.objects.bulk_create(rows)


def _documents(keys: Sequence[UUID], vectors: Sequence[np.ndarray]) -> list[Document]:
    """As the indexing loop makes them, from the rows."""
    images, tree = images_by_key(keys), category_tree()
    return [
        Document(key, 1, fields_of(images[key], tree), words_of(images[key]), vector)
        for key, vector in zip(keys, vectors, strict=True)
    ]
