"""Embedded pictures of three worlds: photographs of products, the demo's stickers, and everyday photographs."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from PIL import Image
from tqdm import tqdm

from gallery.demo.catalogue import Catalogue
from gallery.demo.packages import Packages
from gallery.pictures import open_upright
from search.encoders.base import Encoder
from search.generations.known_pairs import COPIES, KnownPhotos, saved_again
from search.indexing.embedding import DECODE_PIXELS
from search.projection import Vectors

_AT_ONCE = 16  # pictures that are encoded
# What scikit-image and scikit-learn bring along; no pages of text, drawings or test patterns.
_EVERYDAY = (
    "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "clock_motion.png", "coffee.png",
    "coins.png", "color.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png",
    "motorcycle_left.png", "retina.jpg", "rocket.jpg",
)  # fmt: skip


@dataclass(frozen=True)
class WorldOfPhotos:
    """``photos.categories`` are -1 where there are none. ``copies`` are of the first photos, saved again."""

    name: str
    photos: KnownPhotos
    names: tuple[str, ...]  # of the categories
    copies: Sequence[Vectors] = ()

    @property
    def vectors(self) -> Sequence[Vectors]:
        return self.photos.vectors

    def among(self, rows: np.ndarray) -> "WorldOfPhotos":
        places = np.flatnonzero(rows).tolist()
        photos = self.photos
        kept = KnownPhotos(
            [photos.hashes[place] for place in places],
            [photos.vectors[place] for place in places],
            photos.products[rows],
            photos.categories[rows],
        )
        return WorldOfPhotos(self.name, kept, self.names)


class Worlds:
    """:param cache: a folder in which embeddings are kept for the next time"""

    def __init__(self, encoder: Encoder, cache: Path | None):
        self.encoder, self.cache = encoder, cache

    def products(self, folder: Path) -> WorldOfPhotos:
        """Photographs, a folder for each category; each is a product of its own."""
        files = sorted(folder.rglob("*.jpg"))
        return self._world("photographs", files, [file.stem for file in files], [file.parent.name for file in files])

    def stickers(self, packages: Path) -> WorldOfPhotos:
        """What ``make demo`` loads.

        :param packages: the folder with the packages of pictures and names
        """
        catalogue, folder = Catalogue(Packages(packages)), Path(mkdtemp())
        catalogue.write_pictures(folder, catalogue.stickers)
        rows = [(row["file"], one.sku, one.category) for one in catalogue.stickers for row in catalogue.rows(one)]
        files, products, categories = zip(*rows, strict=True)
        return self._world("stickers", [folder / file for file in files], products, categories)

    def everyday(self) -> WorldOfPhotos:
        import skimage
        import sklearn

        files = [Path(skimage.__file__).parent / "data" / name for name in _EVERYDAY]
        files += [Path(sklearn.__file__).parent / "datasets" / "images" / name for name in ("china.jpg", "flower.jpg")]
        return self._world("everyday", files, [file.stem for file in files], [""] * len(files))

    def _world(
        self, name: str, files: Sequence[Path], products: Sequence[str], categories: Sequence[str]
    ) -> WorldOfPhotos:
        order = np.random.default_rng(0).permutation(len(files)).tolist()
        names = tuple(sorted(set(categories) - {""}))
        photos = KnownPhotos(
            [hashlib.sha256(str(files[place]).encode()).hexdigest() for place in order],
            self._encoded(name, [files[place] for place in order], copied=False),
            np.unique([products[place] for place in order], return_inverse=True)[1],
            np.array([names.index(categories[place]) if categories[place] else -1 for place in order], dtype=np.int64),
        )
        first = [files[place] for place in order[:COPIES]]
        return WorldOfPhotos(name, photos, names, self._encoded(f"{name}-copies", first, copied=True))

    def _encoded(self, name: str, files: Sequence[Path], *, copied: bool) -> list[Vectors]:
        digest = hashlib.sha256(repr([file.name for file in files]).encode()).hexdigest()[:8]
        kept = self.cache / f"{name}-{self.encoder.identity}-{digest}.npz" if self.cache else None
        if kept is None or not kept.exists():
            found: list[Vectors] = []
            for batch in tqdm(list(_batches(files)), desc=name, disable=None):
                found += self.encoder.encode([_opened(file, copied) for file in batch])
            if kept is None:
                return found
            missing = {part: np.full(d, np.nan, np.float32) for part, d in self.encoder.dimensions.items()}
            columns = {part: np.stack([one.get(part, gap) for one in found]) for part, gap in missing.items()}
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.savez(kept, allow_pickle=False, **columns)
        with np.load(kept) as arrays:
            columns = {part: arrays[part] for part in arrays.files}
        return [
            {part: rows[place] for part, rows in columns.items() if not np.isnan(rows[place, 0])}
            for place in range(len(files))
        ]


def _opened(file: Path, copied: bool) -> Image.Image:
    data = io.BytesIO(file.read_bytes())
    return saved_again(open_upright(data)) if copied else open_upright(data, at_least=DECODE_PIXELS)


def _batches(files: Sequence[Path]) -> Iterator[Sequence[Path]]:
    return (files[start : start + _AT_ONCE] for start in range(0, len(files), _AT_ONCE))
