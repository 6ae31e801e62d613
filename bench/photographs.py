"""Photographs to ingest: given ones, or drawn ones that decode as slowly as real ones."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

_SIZE = (1000, 800)  # pixels
_ENDINGS = (".jpg", ".jpeg")


def photographs(count: int, folder: Path | None) -> Iterator[bytes]:
    """``count`` different JPEG files.

    :raises RuntimeError: when the folder has fewer
    """
    if folder is None:
        yield from (_drawn(np.random.default_rng(seed)) for seed in range(count))
        return
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS)[:count]
    if len(files) < count:
        raise RuntimeError(f"{folder} has {len(files)} photographs, {count} are needed. Ask for fewer --batches.")
    yield from (path.read_bytes() for path in files)


def _drawn(random: np.random.Generator) -> bytes:
    """Soft light, a few shapes and grain: without grain a JPEG is small and decodes too fast."""
    light = Image.fromarray(random.integers(60, 255, (5, 6, 3), dtype=np.uint8))
    picture = light.resize(_SIZE, Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture)
    for _shape in range(6):
        x, y, w, h = (int(random.integers(0, side)) for side in (*_SIZE, _SIZE[0] // 2, _SIZE[1] // 2))
        color = tuple(random.integers(0, 255, 3).tolist())
        (pen.ellipse if random.random() < 0.5 else pen.rectangle)((x, y, x + w, y + h), fill=color)
    pixels = np.asarray(picture, np.int16) + random.normal(0, 8, (_SIZE[1], _SIZE[0], 1)).astype(np.int16)
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=88)
    return file.getvalue()
