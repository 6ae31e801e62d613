"""What a projection is tuned on: embedded photos, the categories of their products, and what else is said of them."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gallery.models import Category, Image
from search.chunks import chunks
from search.classification.samples import SURE_IMAGES, tags_of
from search.indexing.embedding import stacked
from search.models import Embedding, Generation
from search.sampling import drawn_of_each

LEAST_PRODUCTS = 5  # of a category, without files in common: fewer cannot be held out and still be learnt from
LEAST_CATEGORIES = 2
LEAST_IN_ALL = 20  # products in such categories
NONE = -1
MOST_PHOTOS = 10_000  # a random sample of larger catalogues
_MOST_VALUES = 400  # of one kind of label beside the categories: the commonest
_SELDOM = 5  # products with a brand or tag; fewer say nothing of a look
_EVERYWHERE = 0.8  # of the products; a brand or tag that so many share tells nothing apart


class TooFewToTune(Exception):
    """``categories`` have products enough, and ``products`` are in these."""

    def __init__(self, categories: int, products: int):
        super().__init__(f"{categories} categories with {LEAST_PRODUCTS} products, {products} products in all")
        self.categories, self.products = categories, products


@dataclass(frozen=True)
class Labels:
    """One kind of label: ``values`` is ``(n, v)`` bool, which of the ``v`` values each photo has; none is no label."""

    kind: str  # category, product, brand or tags
    values: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """``(n,)`` bool: photos that have a label of the kind."""
        return np.asarray(self.values.any(axis=1))

    def among(self, rows: np.ndarray) -> "Labels":
        """The same of some of the photos, without the values that none of these has."""
        chosen = self.values[rows]
        return Labels(self.kind, chosen[:, chosen.any(axis=0)])


@dataclass(frozen=True)
class TrainingSet:
    """``n`` photos and their labels; some are without a category that could be learnt."""

    parts: Mapping[str, np.ndarray]  # part name → (n, d) float32 as the encoder gave it, NaN rows where it is missing
    categories: np.ndarray  # (n,) int64: places in ``names``; NONE without one
    names: tuple[str, ...]  # of the categories, as they were called then
    groups: np.ndarray  # (n,) int64 from 0 on: products; those that have a file in common are one group
    others: tuple[Labels, ...] = ()  # what is known beside the categories

    @property
    def n(self) -> int:
        return len(self.categories)

    @property
    def group_count(self) -> int:
        return int(self.groups.max()) + 1

    @property
    def labelled(self) -> np.ndarray:
        """``(n,)`` bool."""
        return np.asarray(self.categories != NONE)

    @property
    def category_of_group(self) -> np.ndarray:
        """``(groups,)`` int64; of a file that products of several categories have, one of these."""
        found = np.full(self.group_count, NONE, dtype=np.int64)
        found[self.groups[self.labelled]] = self.categories[self.labelled]
        return found


def gather(generation: Generation, tick: Callable[[], None] = lambda: None, seed: int = 0) -> TrainingSet:
    """Approved, embedded photos. Categories with too few products count as none.

    :raises TooFewToTune: when too little is left
    """
    wanted = ("product", "product__category", "product__brand", "sha256")
    approved = Image.objects.filter(status=Image.Status.APPROVED)
    chosen = [approved]
    if approved.count() > MOST_PHOTOS:
        labelled = approved.order_by().values_list("pk", "product__category").iterator()
        keys = sorted(drawn_of_each(labelled, MOST_PHOTOS, SURE_IMAGES, seed))
        chosen = [approved.filter(pk__in=part) for part in chunks(keys)]
    rows = [row for images in chosen for row in images.order_by("pk").values_list(*wanted)]
    found, vectors = [], []
    for part in chunks(rows):
        tick()
        stored = Embedding.objects.by_hash(generation.encoder, [row[-1] for row in part])
        for row in part:
            said = stored[row[-1]].vectors if row[-1] in stored else {}
            if "deep" in said:
                found.append(row)
                vectors.append(said)
    groups = _groups([row[0] for row in found], [row[-1] for row in found])
    of_category: dict[int, set[int]] = {}
    for (_product, category, _brand, _sha256), group in zip(found, groups.tolist(), strict=True):
        if category is not None:
            of_category.setdefault(category, set()).add(group)
    enough = sorted(category for category, members in of_category.items() if len(members) >= LEAST_PRODUCTS)
    products = len({group for category in enough for group in of_category[category]})
    if len(enough) < LEAST_CATEGORIES or products < LEAST_IN_ALL:
        raise TooFewToTune(len(enough), products)
    place = {category: n for n, category in enumerate(enough)}
    named = dict(Category.objects.filter(pk__in=enough).values_list("pk", "name"))
    return TrainingSet(
        stacked(vectors, generation.projection.names),
        np.array([place.get(row[1], NONE) for row in found], dtype=np.int64),
        tuple(named.get(category, str(category)) for category in enough),
        groups,
        _other_labels(found, groups),
    )


def _groups(products: Sequence[UUID], files: Sequence[str]) -> np.ndarray:
    """``(n,)`` int64: photos of one product, or of one file, or of a chain of these, have the same number."""
    product_places = np.unique([str(key) for key in products], return_inverse=True)[1]
    file_places = np.unique(files, return_inverse=True)[1] + len(products)
    if not len(products):
        return np.zeros(0, dtype=np.int64)
    nodes = 2 * len(products)
    links = coo_array((np.ones(len(products)), (product_places, file_places)), shape=(nodes, nodes))
    _count, numbers = connected_components(links, directed=False)
    return np.asarray(numbers[product_places], dtype=np.int64)


def _other_labels(rows: Sequence[tuple[UUID, int, int | None, str]], groups: np.ndarray) -> tuple[Labels, ...]:
    """Product identity where products have several files, brands and tags where several products share them."""
    files: dict[UUID, set[str]] = {}
    for product, _category, _brand, sha256 in rows:
        files.setdefault(product, set()).add(sha256)
    tags = tags_of(list(files))
    kinds: dict[str, tuple[list[set[Hashable]], int]] = {
        "product": ([{row[0]} if len(files[row[0]]) > 1 else set() for row in rows], 1),
        "brand": ([{row[2]} if row[2] else set() for row in rows], _SELDOM),
        "tags": ([set(tags[row[0]]) for row in rows], _SELDOM),
    }
    found = [_labels(kind, values, groups, least) for kind, (values, least) in kinds.items()]
    return tuple(labels for labels in found if labels.values.shape[1] >= LEAST_CATEGORIES)


def _labels(kind: str, values: Sequence[set[Hashable]], groups: np.ndarray, least: int) -> Labels:
    """The values that at least so many groups have, and not nearly all."""
    pairs = {(value, group) for mine, group in zip(values, groups.tolist(), strict=True) for value in mine}
    counts = Counter(value for value, _group in pairs)
    most = max(least, _EVERYWHERE * len(set(groups.tolist())))
    common = [value for value, count in counts.most_common(_MOST_VALUES) if least <= count <= most]
    return Labels(kind, np.array([[value in mine for value in common] for mine in values], dtype=bool))
