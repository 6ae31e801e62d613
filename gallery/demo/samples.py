"""Six sample "photographs" for visitors without one at hand: five stickers, and a desk with three of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from gallery.demo import artwork
from gallery.demo.artwork import Colour, Ground

SIDE = 880  # pixels
_QUALITY = 84

Render = Callable[[str], Image.Image]  # code point → transparent picture


@dataclass(frozen=True)
class Laid:
    """One sticker in a sample: its code point, and how it lies."""

    code: str
    size: float  # of the longer side, as a share of the sample's
    centre: tuple[float, float] = (0.5, 0.5)
    angle: float = 0.0  # degrees, counter-clockwise


@dataclass(frozen=True)
class Sample:
    file: str
    name: str
    name_zh: str
    ground: Ground
    colour: Colour
    stickers: tuple[Laid, ...]
    paper: bool = False  # a sheet of squared paper under the stickers

    def draw(self, render: Render, seed: int) -> Image.Image:
        random = np.random.default_rng(seed)
        scene = self.ground((SIDE, SIDE), self.colour, random)
        if self.paper:
            sheet = artwork.sheet_of_paper((round(SIDE * 0.62), round(SIDE * 0.78)), random)
            scene = artwork.lay(scene, sheet, (0.60, 0.56), -9)
        for laid in self.stickers:
            sticker = artwork.die_cut(render(laid.code), round(laid.size * SIDE))
            scene = artwork.lay(scene, sticker, laid.centre, laid.angle)
        return artwork.lit(scene, random=random)


SAMPLES = (
    Sample("1.jpg", "Taxi", "出租车", artwork.dots, (60, 100, 140), (Laid("1f695", 0.74, angle=5),)),
    Sample("2.jpg", "Red apple", "红苹果", artwork.gingham, (98, 138, 178), (Laid("1f34e", 0.66, angle=-8),)),
    Sample("3.jpg", "Blue book", "蓝色的书", artwork.card, (226, 170, 112), (Laid("1f4d8", 0.66, angle=8),)),
    Sample("4.jpg", "Lemon", "柠檬", artwork.stripes, (134, 178, 196), (Laid("1f34b", 0.68, angle=-7),)),
    Sample("5.jpg", "Tulip", "郁金香", artwork.ruled, (70, 122, 106), (Laid("1f337", 0.70, angle=7),)),
    Sample(
        "6.jpg",
        "A desk with three stickers",
        "放着三张贴纸的书桌",
        artwork.wood,
        (176, 128, 88),
        (
            Laid("1f695", 0.38, (0.29, 0.27), 12),
            Laid("1f34f", 0.30, (0.70, 0.42), -10),
            Laid("1f337", 0.34, (0.42, 0.72), 14),
        ),
        paper=True,
    ),
)


def write_samples(folder: Path, render: Render) -> None:
    """Write the pictures that are not there yet, and ``samples.json`` last, so that it never names a missing file."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, sample in enumerate(SAMPLES, start=1):
        path = folder / sample.file
        if not path.exists():
            part = path.with_suffix(".part")
            sample.draw(render, seed).save(part, "JPEG", quality=_QUALITY, optimize=True)
            part.replace(path)
    rows = [{"file": sample.file, "name": sample.name, "name_zh": sample.name_zh} for sample in SAMPLES]
    part = folder / "samples.part"
    part.write_text(json.dumps(rows, ensure_ascii=False, indent=2), encoding="utf-8")
    part.replace(folder / "samples.json")
