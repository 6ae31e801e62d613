"""What a classifier learns from: the approved photos of products with a category, in the space of a generation."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import numpy as np
from django.db.models import Count, Exists, OuterRef, QuerySet

from gallery.models import Image, Product
from search.chunks import chunks
from search.models import Embedding, Generation

LEAST_PRODUCTS = 3  # of a category: fewer cannot be learnt from and held out
LEAST_CATEGORIES = 2
SHOWABLE = (Image.Status.APPROVED, Image.Status.PENDING)
MOST_IMAGES = 20_000  # a random sample of larger catalogues
SURE_IMAGES = 50  # of each category are in the sample as far as there are so many: rare ones must not get lost


class TooFewLabels(Exception):
    """There is too little to learn from. ``categories`` have enough products, ``photos`` are labelled in all."""

    def __init__(self, categories: int, photos: int):
        super().__init__(f"{categories} categories with {LEAST_PRODUCTS} products, {photos} labelled photos")
        self.categories, self.photos = categories, photos


@dataclass(frozen=True)
class Samples:
    """``n`` photos with their labels. Photos of one product are never parted."""

    classes: tuple[int, ...]  # ids of categories
    labels: np.ndarray  # (n,) int64: places in ``classes``
    groups: np.ndarray  # (n,) int64: places in ``products``
    products: tuple[UUID, ...]
    vectors: np.ndarray  # (n, d) float32, of which dot products are similarities as a search has them

    @property
    def label_of_product(self) -> np.ndarray:
        """``(products,)`` int64: the label of each product."""
        found = np.zeros(len(self.products), dtype=np.int64)
        found[self.groups] = self.labels
        return found

    @cached_property
    def pictures(self) -> np.ndarray:
        """``(n,)`` int64: the same for photos whose vectors are the same to the last bit.

        One file in several products, as feeds have it for sizes of one article: whoever has seen one knows the others.
        """
        numbers: dict[bytes, int] = {}
        digests = (hashlib.sha256(row.tobytes()).digest() for row in self.vectors)
        return np.array([numbers.setdefault(digest, len(numbers)) for digest in digests], dtype=np.int64)


def labelled() -> QuerySet[Image]:
    """Approved photos of products with a category."""
    return Image.objects.filter(status=Image.Status.APPROVED, product__category__isnull=False)


def without_category() -> QuerySet[Product]:
    """Products that have a photo and no category, the newest first: their keys grow with time."""
    photos = Image.objects.filter(product=OuterRef("pk"), status__in=SHOWABLE)
    return Product.objects.filter(Exists(photos), category=None).order_by("-pk")


def snapshot() -> dict[str, int]:
    """Id of a category → how many products with an approved photo it has now. One query."""
    rows = labelled().order_by().values_list("product__category").annotate(products=Count("product", distinct=True))
    return {str(category): products for category, products in sorted(rows)}


def gather(generation: Generation, tick: Callable[[], None] = lambda: None, seed: int = 0) -> Samples:
    """All that can be learnt from; categories with too few products are left out.

    :raises TooFewLabels: when fewer than two categories are left
    """
    rows = list(labelled().order_by("pk").values_list("product", "product__category", "sha256"))
    if len(rows) > MOST_IMAGES:
        rows = [rows[n] for n in drawn([category for _product, category, _sha256 in rows], seed, MOST_IMAGES)]
    found, vectors = [], []
    for part in chunks(rows):
        tick()
        stored = Embedding.objects.by_hash(generation.encoder, [sha256 for _p, _c, sha256 in part])
        for product, category, sha256 in part:
            row = side_by_side(stored[sha256].vectors, generation) if sha256 in stored else None
            if row is not None:
                found.append((product, category))
                vectors.append(row)
    counts = Counter(category for _product, category in dict(found).items())
    classes = tuple(sorted(category for category, products in counts.items() if products >= LEAST_PRODUCTS))
    if len(classes) < LEAST_CATEGORIES:
        raise TooFewLabels(len(classes), len(rows))
    return _samples(found, vectors, classes)


def drawn(categories: Sequence[int | None], seed: int, most: int, sure_images: int = SURE_IMAGES) -> list[int]:
    """Places of ``most`` photos at random, the first ``sure_images`` of each category before all others."""
    seen: Counter[int | None] = Counter()
    sure: list[int] = []
    others: list[int] = []
    for n in np.random.default_rng(seed).permutation(len(categories)).tolist():
        seen[categories[n]] += 1
        (sure if seen[categories[n]] <= sure_images else others).append(n)
    return sorted([*sure, *others][:most])


def _samples(found: Sequence[tuple[UUID, int]], vectors: Sequence[np.ndarray], classes: tuple[int, ...]) -> Samples:
    place = {category: n for n, category in enumerate(classes)}
    kept = [n for n, (_product, category) in enumerate(found) if category in place]
    products = tuple(dict.fromkeys(found[n][0] for n in kept))
    number = {product: n for n, product in enumerate(products)}
    return Samples(
        classes,
        np.array([place[found[n][1]] for n in kept], dtype=np.int64),
        np.array([number[found[n][0]] for n in kept], dtype=np.int64),
        products,
        np.stack([vectors[n] for n in kept]),
    )


def side_by_side(vectors: dict[str, np.ndarray], generation: Generation) -> np.ndarray | None:
    """An embedding's projected parts as one row ``(d,)`` float32, each times the root of its weight in the generation.

    None where it has no usable part.
    """
    projection = generation.projection
    row = np.zeros(projection.dimension, dtype=np.float32)
    for name, part in projection.project(vectors).items():
        row[projection.slices[name]] = np.sqrt(generation.weights.get(name, 0.0)) * part
    return row if row.any() else None


def tags_of(products: Sequence[UUID]) -> dict[UUID, set[int]]:
    """Product → ids of its tags."""
    found: dict[UUID, set[int]] = {product: set() for product in products}
    through = Product.tags.through
    for part in chunks(list(products)):
        rows = through.objects.filter(content_object__in=part).order_by().values_list("content_object", "tag")
        for product, tag in rows:
            found[product].add(tag)
    return found
