"""``python -m bench.duplicates --photos PATH``: how often copies of photographs are called the same photo, and
look-alikes are not; see docs/duplicates.md.

Of each photograph four copies are made (saved again, at half the size, mirrored, cut to 80 % of its sides). Its
look-alike is the other photograph of its category that an encoder finds most similar.
"""

import argparse
import io
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

_AT_ONCE = 32  # pictures that are encoded
_DECODE_PIXELS = 520  # as the indexing loop decodes
_LOOK_ALIKE = "look-alike"


def cut(picture: Image.Image, chance: random.Random) -> Image.Image:
    """80 % of the width and of the height, from anywhere."""
    width, height = (round(0.8 * side) for side in picture.size)
    left, top = chance.randint(0, picture.width - width), chance.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))


COPIES: dict[str, Callable[[Image.Image, random.Random], tuple[Image.Image, int]]] = {
    "re-encoded, quality 60": lambda picture, chance: (picture, 60),
    "resized to half": lambda picture, chance: (
        picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS),
        90,
    ),
    "mirrored": lambda picture, chance: (ImageOps.mirror(picture), 90),
    "cropped to 80 %": lambda picture, chance: (cut(picture, chance), 90),
}


@dataclass
class Sight:
    """One picture as the application would know it."""

    path: Path
    data: bytes
    photo: Any  # search.duplicates.judging.Photo
    parts: dict[str, np.ndarray] = field(default_factory=dict)  # as the encoder gave them, then projected


@dataclass
class Tally:
    """Figures of one kind of pairs."""

    bits: list[int] = field(default_factory=list)
    similarities: list[float] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def share(self, kind: str) -> float:
        return float(np.mean([one == kind for one in self.kinds]))

    def __str__(self) -> str:
        low, middle, high = np.quantile(self.similarities, [0.05, 0.5, 0.95])
        return (
            f"| {len(self.kinds)} | {self.share('same_photo'):.3f} | {self.share('same_product'):.3f} | "
            f"{np.median(self.bits):.0f}, {np.quantile(self.bits, 0.95):.0f} | {low:.2f}, {middle:.2f}, {high:.2f} | "
            f"{1000 * np.mean(self.seconds):.0f} ms |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.duplicates", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs, a folder for each category")
    parser.add_argument("--count", type=int, default=500, help="photographs that are copied (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of what is chosen and cut (default: %(default)s)")
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imgsite.settings")
    os.environ.setdefault("DEBUG", "true")  # no site is served, so no secret is needed
    import django

    django.setup()
    measure(given.photos, given.count, random.Random(given.seed))


def measure(folder: Path, count: int, chance: random.Random) -> None:
    from django.conf import settings

    from search.duplicates.judging import Case, Lines, judge
    from search.encoders import get_encoder
    from search.projection import Projection
    from search.similarity import SimilarityScale

    encoder = get_encoder(settings.SEARCH_ENCODER)
    every = sorted(folder.rglob("*.jpg"))
    files = sorted(chance.sample(every, min(count, len(every))))
    originals = [_sight(path, path.read_bytes()) for path in tqdm(files, desc="read", disable=None)]
    copies = {name: [_copied(one, make, chance) for one in originals] for name, make in COPIES.items()}
    pictures = [*originals, *(copy for made in copies.values() for copy in made)]
    _encode(encoder, pictures)
    samples = _stacked(originals, encoder.dimensions)
    samples = {name: rows[~np.isnan(rows).any(axis=1)] for name, rows in samples.items()}
    projection = Projection.fit(samples, {"deep": settings.SEARCH_DEEP_DIMENSIONS}, encoder.dimensions)
    for picture in pictures:
        picture.parts = projection.project(picture.parts)
    scale = SimilarityScale.measure(_stacked(originals, {part.name: part.dimension for part in projection.parts}))
    weights = encoder.default_weights
    lines = Lines.of(scale, weights)

    def similarity(one: Sight, other: Sight) -> float:
        return sum(float(one.parts[name] @ other.parts[name]) * weights.get(name, 0.0)
                   for name in one.parts.keys() & other.parts.keys())  # fmt: skip

    def nearest(one: Sight) -> Sight:
        others = [other for other in originals if other is not one and other.path.parent == one.path.parent]
        return max(others, key=lambda other: similarity(one, other))

    pairs = {name: list(zip(originals, made, strict=True)) for name, made in copies.items()}
    pairs[_LOOK_ALIKE] = [(one, nearest(one)) for one in originals]
    seen = {sight.photo.key: sight for sight in pictures}
    tallies = {}
    print(f"{encoder.identity}; looked at from {lines.part:.3f}, suggested from {lines.suggested:.3f}")
    print("| pairs | n | same photo | suggested | hash: bits, median and 95 % | similarity: 5, 50, 95 % | time |")
    print("|---|---|---|---|---|---|---|")
    for name, members in pairs.items():
        tally = tallies[name] = Tally()
        for one, other in members:
            alike = similarity(one, other)
            case = Case(one.photo, other.photo, alike, lambda photo: _pixels(seen[photo.key].data))
            start = time.perf_counter()
            verdict = judge(case, lines)
            tally.seconds.append(time.perf_counter() - start)
            tally.bits.append(case.bits)
            tally.similarities.append(alike)
            tally.kinds.append(verdict.kind if verdict else "")
            if name == _LOOK_ALIKE and verdict is not None and verdict.kind == "same_photo":
                print(f"Look-alikes called {verdict}: {one.path}, {other.path}")
        print(f"| {name} {tally}")
    right = sum(tally.kinds.count("same_photo") for name, tally in tallies.items() if name != _LOOK_ALIKE)
    wrong = tallies[_LOOK_ALIKE].kinds.count("same_photo")
    print(f"Precision of “same photo”: {right / max(1, right + wrong):.4f} ({wrong} look-alikes of {right + wrong}).")


def _sight(path: Path, data: bytes) -> Sight:
    from gallery.keys import new_key
    from gallery.verification import verify
    from search.duplicates.judging import Photo

    facts = verify(io.BytesIO(data), "photo.jpg")
    key: UUID = new_key()
    return Sight(path, data, Photo(key, key, facts.sha256, facts.perceptual_hash))


def _copied(original: Sight, make: Callable[..., tuple[Image.Image, int]], chance: random.Random) -> Sight:
    with Image.open(io.BytesIO(original.data)) as opened:
        picture, quality = make(ImageOps.exif_transpose(opened).convert("RGB"), chance)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return _sight(original.path, file.getvalue())


def _pixels(data: bytes) -> np.ndarray:
    from gallery.pictures import open_upright
    from search.duplicates.pixels import SIDE, pixels_of

    return pixels_of(open_upright(io.BytesIO(data), at_least=SIDE))


def _encode(encoder: Any, pictures: Sequence[Sight]) -> None:
    from gallery.pictures import open_upright

    for batch in tqdm(list(_batches(pictures)), desc="encoded", disable=None):
        opened = [open_upright(io.BytesIO(one.data), at_least=_DECODE_PIXELS) for one in batch]
        for one, parts in zip(batch, encoder.encode(opened), strict=True):
            one.parts = parts


def _batches(pictures: Sequence[Sight]) -> Iterator[Sequence[Sight]]:
    return (pictures[start : start + _AT_ONCE] for start in range(0, len(pictures), _AT_ONCE))


def _stacked(pictures: Sequence[Sight], dimensions: Any) -> dict[str, np.ndarray]:
    """Part name → ``(n, d)``, NaN rows for what lacks the part."""
    return {
        name: np.stack([one.parts.get(name, np.full(d, np.nan, np.float32)) for one in pictures])
        for name, d in dimensions.items()
    }


if __name__ == "__main__":
    main()
