"""Pairs of photos of the catalogue that are known to be alike or not, and how similar an encoder finds them."""

import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO, cast
from uuid import UUID

import numpy as np
from django.db.models import Exists, OuterRef
from PIL import Image as Pillow

from gallery.models import Image
from gallery.pictures import open_upright
from gallery.verification import Refused
from search.chunks import chunks
from search.encoders import EncoderError, encoder_for
from search.indexing.embedding import DECODE_PIXELS, stacked
from search.models import Embedding, Generation
from search.outside.world import World
from search.projection import Projection, Vectors
from search.sampling import drawn
from search.similarity import PASSING, PASSING_TUNED, SimilarityScale, cosines

logger = logging.getLogger(__name__)

MOST_PHOTOS = 2_000  # a random sample of larger catalogues
COPIES = 32  # photos that are saved again and encoded
_NEAREST = 500  # photos that ask for their nearest
_PAIRS = 2_000  # of the same product, and of the same category
_QUALITY = 60  # of the copies' JPEG
_NONE = -1


@dataclass(frozen=True)
class KnownPhotos:
    """Embedded photos, no file twice. ``products`` and ``categories`` are ``(n,)`` int64, -1 for no category."""

    hashes: Sequence[str]
    vectors: Sequence[Vectors]
    products: np.ndarray
    categories: np.ndarray


def known_photos(encoder: str, seed: int = 1) -> KnownPhotos:
    """A random sample of what an encoder has embedded."""
    stored = Exists(Embedding.objects.filter(encoder=encoder, sha256=OuterRef("sha256")))
    hashes = Image.objects.filter(stored).order_by().values_list("sha256", flat=True).distinct()
    sample = sorted(drawn(hashes.iterator(), MOST_PHOTOS, seed))
    facts: dict[str, tuple[UUID, int | None]] = {}
    found: dict[str, Vectors] = {}
    for chunk in chunks(sample):
        rows = Image.objects.filter(sha256__in=chunk).order_by("pk")
        columns = rows.values_list("sha256", "product_id", "product__category_id")
        facts |= {sha256: (product, category) for sha256, product, category in columns}
        found |= {key: row.vectors for key, row in Embedding.objects.by_hash(encoder, chunk).items()}
    order = [sample[place] for place in np.random.default_rng(seed).permutation(len(sample)).tolist()]
    kept = [sha256 for sha256 in order if sha256 in found and sha256 in facts]
    return KnownPhotos(
        kept,
        [found[sha256] for sha256 in kept],
        _numbered([facts[sha256][0] for sha256 in kept]),
        np.array([_NONE if facts[sha256][1] is None else facts[sha256][1] for sha256 in kept], dtype=np.int64),
    )


def scale_of(generation: Generation, photos: KnownPhotos) -> SimilarityScale:
    """The scale of a generation, by what is known of these photos."""
    projection = generation.projection
    samples = projected(projection, photos.vectors)
    scale = SimilarityScale.measure(samples)
    known = pairs_of(samples, photos, generation.weights)
    copies = _copies(generation.encoder, photos.hashes)
    if copies:
        places = np.array([photos.hashes.index(sha256) for sha256 in copies])
        known["copies"] = cosines(samples, places, projected(projection, list(copies.values())), np.arange(len(copies)))
    passing = PASSING if generation.tuning_id is None else PASSING_TUNED
    return SimilarityScale(scale.names, scale.pairs, known, world_of(photos), passing)


def world_of(photos: KnownPhotos) -> World | None:
    has = np.array(["deep" in one for one in photos.vectors], dtype=bool)
    if not has.any():
        return None
    rows = np.stack([one["deep"] for one in photos.vectors if "deep" in one])
    return World.fit(rows, photos.products[has])


def pairs_of(
    samples: Mapping[str, np.ndarray], photos: KnownPhotos, weights: Mapping[str, float], seed: int = 0
) -> dict[str, np.ndarray]:
    """Kind of pair → ``(n, parts)`` float32, as ``SimilarityScale.known`` keeps them.

    :param samples: part name → ``(n, d)``, the photos' projected parts
    :param weights: at which the nearest are sought
    """
    random, found = np.random.default_rng(seed), {}
    n = len(photos.products)
    asking = random.permutation(n)[:_NEAREST]
    similar = np.zeros((len(asking), n), dtype=np.float32)
    for name, rows in samples.items():
        if weights.get(name):
            similar += weights[name] * np.nan_to_num(rows[asking]) @ np.nan_to_num(rows).T
    similar[photos.products[asking][:, None] == photos.products[None]] = -2.0
    nearest = similar.argmax(axis=1)
    others = similar[np.arange(len(asking)), nearest] > -2.0
    found["nearest"] = cosines(samples, asking[others], samples, nearest[others])
    for kind, labels, apart in (
        ("product", photos.products, None),
        ("category", photos.categories, photos.products),
    ):
        first, second = _alike(labels, apart, random)
        if len(first):
            found[kind] = cosines(samples, first, samples, second)
    return found


def _alike(labels: np.ndarray, apart: np.ndarray | None, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Places of random pairs with the same label, and not the same of ``apart``."""
    pairs: list[tuple[int, int]] = []
    rounds = 1 if apart is None else 4
    for _round in range(rounds):
        order = random.permutation(len(labels))
        ordered = order[np.argsort(labels[order], kind="stable")].tolist()
        pairs += [
            (one, other)
            for one, other in pairwise(ordered)
            if labels[one] == labels[other] != _NONE and (apart is None or apart[one] != apart[other])
        ]
    pairs = [pairs[place] for place in random.permutation(len(pairs))[:_PAIRS].tolist()]
    places = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return places[:, 0], places[:, 1]


def projected(projection: Projection, photos: Sequence[Vectors]) -> dict[str, np.ndarray]:
    """Part name → ``(n, d)`` float32 of unit length, NaN rows where a photo lacks the part."""
    rows = [projection.project(one) for one in photos]
    columns = stacked(rows, projection.names)
    for part in projection.parts:
        if not columns[part.name].size:  # nothing has it
            columns[part.name] = np.full((len(rows), part.dimension), np.nan, dtype=np.float32)
    return columns


def _copies(encoder: str, hashes: Sequence[str]) -> dict[str, Vectors]:
    """Some of the photos, saved again at half their size, by the hash of the original."""
    pictures: dict[str, Pillow.Image] = {}
    for sha256 in hashes[:COPIES]:
        image = Image.objects.filter(sha256=sha256).first()
        try:
            if image is not None:
                with image.original.open("rb") as file:
                    pictures[sha256] = saved_again(open_upright(cast(BinaryIO, file)))
        except (OSError, ValueError, Pillow.DecompressionBombError, Refused):
            continue
    try:
        said = encoder_for(encoder).encode(list(pictures.values()))
    except (LookupError, EncoderError, RuntimeError) as error:
        logger.warning("Copies of photos could not be encoded for the scale of similarity: %s", error)
        return {}
    return dict(zip(pictures, said, strict=True))


def saved_again(picture: Pillow.Image) -> Pillow.Image:
    """The picture at half its size, as a JPEG of quality 60."""
    file = io.BytesIO()
    small = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)), Pillow.Resampling.LANCZOS)
    small.save(file, "JPEG", quality=_QUALITY)
    file.seek(0)
    return open_upright(file, at_least=DECODE_PIXELS)


def _numbered(values: Sequence[object]) -> np.ndarray:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)
