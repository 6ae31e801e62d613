"""Scenes with known boxes: one to four of the demo's stickers on plain, graded and textured grounds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from gallery.demo import artwork
from gallery.demo.artwork import Ground
from gallery.demo.samples import SAMPLES, SIDE, Sample

Box = tuple[float, float, float, float]  # left, top, right, bottom in shares of the picture's sides
Render = Callable[[str], Image.Image]

_SIDES = ((800, 800), (900, 675), (675, 900))  # pixels
_TRIES = 200
_APART = 0.02  # of the sides, between two objects
_TEXTURES: tuple[Ground, ...] = (
    artwork.wood, artwork.gingham, artwork.dots, artwork.ruled, artwork.stripes, artwork.card,
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    picture: Image.Image
    boxes: list[Box]
    kind: str  # plain, graded, textured or desk


def scenes(count: int, codes: list[str], render: Render, seed: int = 0) -> Iterator[Scene]:
    """Scenes that are the same for the same seed; kinds of ground and numbers of objects take turns."""
    kinds = ("plain", "graded", "textured")
    for number in range(count):
        random = np.random.default_rng((seed, number))
        yield _scene(kinds[number % 3], 1 + number // 3 % 4, codes, render, random)


def desk(render: Render) -> Scene:
    """The sample with several stickers, as the demo draws it."""
    number, sample = next((n, s) for n, s in enumerate(SAMPLES, start=1) if len(s.stickers) > 1)
    return Scene(sample.draw(render, number), _laid(sample, render), "desk")


def _laid(sample: Sample, render: Render) -> list[Box]:
    stickers = ((artwork.die_cut(render(laid.code), round(laid.size * SIDE)), laid) for laid in sample.stickers)
    return [_box(sticker, (SIDE, SIDE), laid.centre, laid.angle) for sticker, laid in stickers]


def _scene(kind: str, count: int, codes: list[str], render: Render, random: np.random.Generator) -> Scene:
    size = _SIDES[int(random.integers(len(_SIDES)))]
    picture, boxes = _ground(kind, size, random), []
    for _object in range(count):
        laid = _placed(picture, boxes, codes, render, random)
        if laid is not None:
            picture, box = laid
            boxes.append(box)
    return Scene(picture, boxes, kind)


def _placed(
    picture: Image.Image, boxes: list[Box], codes: list[str], render: Render, random: np.random.Generator
) -> tuple[Image.Image, Box] | None:
    """The scene with one more object that touches no other, and its box; None where there is no room left."""
    art = render(codes[int(random.integers(len(codes)))])
    with_edge = random.random() < 0.5  # a die-cut sticker, or an object without an edge
    for _try in range(_TRIES):
        length = round(float(random.uniform(0.2, 0.5)) * min(picture.size))
        sticker = artwork.die_cut(art, length) if with_edge else _cut_out(art, length)
        centre = (float(random.uniform(0.1, 0.9)), float(random.uniform(0.1, 0.9)))
        angle = float(random.uniform(-25, 25))
        box = _box(sticker, picture.size, centre, angle)
        inside = min(box) >= _APART and max(box) <= 1 - _APART
        if inside and not any(_near(box, other) for other in boxes):
            return artwork.lay(picture, sticker, centre, angle), box
    return None


def _cut_out(render: Image.Image, length: int) -> Image.Image:
    art = render.crop(render.getchannel("A").point(lambda a: 255 if a > 12 else 0).getbbox())
    scale = length / max(art.size)
    return art.resize((round(art.width * scale), round(art.height * scale)), Image.Resampling.LANCZOS)


def _box(sticker: Image.Image, scene: tuple[int, int], centre: tuple[float, float], angle: float) -> Box:
    """Where ``artwork.lay`` puts what is opaque of the sticker."""
    turned = sticker.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    width, height = scene
    left, top = round(centre[0] * width - turned.width / 2), round(centre[1] * height - turned.height / 2)
    opaque = turned.getchannel("A").point(lambda a: 255 if a > 64 else 0).getbbox()
    return (
        (left + opaque[0]) / width,
        (top + opaque[1]) / height,
        (left + opaque[2]) / width,
        (top + opaque[3]) / height,
    )


def _near(one: Box, other: Box) -> bool:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across > -_APART and down > -_APART


def _ground(kind: str, size: tuple[int, int], random: np.random.Generator) -> Image.Image:
    red, green, blue = (int(value) for value in random.integers(60, 250, 3))
    colour = (red, green, blue)
    if kind == "plain":
        return Image.new("RGB", size, colour)
    if kind == "graded":
        return _graded(size, colour, random)
    texture = _TEXTURES[int(random.integers(len(_TEXTURES)))]
    return artwork.lit(texture(size, colour, random), random=random)


def _graded(size: tuple[int, int], colour: tuple[int, int, int], random: np.random.Generator) -> Image.Image:
    """From one colour to another along a straight line."""
    width, height = size
    other = np.clip(np.array(colour) + random.integers(-90, 90, 3), 20, 255)
    angle = random.uniform(0, 2 * np.pi)
    down, across = np.mgrid[0:height, 0:width]
    along = np.cos(angle) * across / width + np.sin(angle) * down / height
    share = ((along - along.min()) / np.ptp(along))[..., None]
    return Image.fromarray((np.array(colour) * (1 - share) + other * share).astype(np.uint8))
