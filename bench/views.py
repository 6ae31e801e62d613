"""Views of photographs, and what an encoder says of them.

Cut, mirrored, turned, lighter and darker, views make a catalogue that is large enough for a graph to be walked, and
real enough for its neighbours to be near. Encoding takes most of a measurement, so it is kept, photograph by
photograph.
"""

import hashlib
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageEnhance, ImageOps
from tqdm import tqdm

from search.encoders.base import Encoder

KEPT = Path(__file__).resolve().parent.parent / "var" / "views"
_SIDE = 420  # pixels; encoders read fewer
_ENDINGS = (".jpg", ".jpeg")

Parts = dict[str, np.ndarray]


def encoded_views(folder: Path | None, count: int, encoder: Encoder) -> Iterator[Parts]:
    """The parts of ``count`` views of the folder's photographs, as many of each; always the same ones.

    :raises RuntimeError: when the folder has no photographs
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS) if folder else []
    if not files:
        raise RuntimeError(f"{folder} has no photographs.")
    each = -(-count // len(files))
    shown = tqdm(files, desc=f"photographs, {each} views of each", disable=None)
    yield from islice((parts for file in shown for parts in _encoded(file, each, encoder)), count)


def _encoded(file: Path, count: int, encoder: Encoder) -> list[Parts]:
    content = hashlib.sha256(file.read_bytes()).hexdigest()
    kept = KEPT / f"{encoder.identity}-{count}" / f"{content}.npz"
    if not kept.exists():
        _keep(kept, encoder.encode(list(views_of(file, count))), encoder)
    with np.load(kept) as columns:
        rows = {name: columns[name] for name in columns.files}
    return [{name: row[n] for name, row in rows.items() if not np.isnan(row[n][0])} for n in range(count)]


def _keep(path: Path, found: list[Parts], encoder: Encoder) -> None:
    """One array a part; a view that lacks it has a row of NaN."""
    absent = {name: np.full(length, np.nan, np.float32) for name, length in encoder.dimensions.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.npz")
    np.savez(
        unfinished,
        **{name: np.stack([parts.get(name, nothing) for parts in found]) for name, nothing in absent.items()},
    )
    unfinished.rename(path)


def views_of(file: Path, count: int) -> Iterator[Picture.Image]:
    random = np.random.default_rng(int(hashlib.sha256(file.name.encode()).hexdigest()[:8], 16))
    with Picture.open(file) as opened:
        picture = ImageOps.contain(ImageOps.exif_transpose(opened).convert("RGB"), (_SIDE, _SIDE))
    for _view in range(count):
        share = random.uniform(0.6, 1.0)
        width, height = (max(1, round(side * share)) for side in picture.size)
        left, top = (
            int(random.integers(0, side - part + 1)) for side, part in zip(picture.size, (width, height), strict=True)
        )
        view = picture.crop((left, top, left + width, top + height))
        view = ImageOps.mirror(view) if random.random() < 0.5 else view
        view = view.rotate(random.uniform(-15, 15), Picture.Resampling.BILINEAR, expand=True, fillcolor="white")
        yield ImageEnhance.Brightness(view).enhance(random.uniform(0.7, 1.3))
