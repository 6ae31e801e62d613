"""Pictures of stickers: a render cut out with a white edge, laid on a ground with light, grain and a soft shadow."""

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Ground = Callable[[tuple[int, int], Colour, np.random.Generator], Image.Image]

_SHADOW = (38, 28, 24)


def die_cut(render: Image.Image, size: int) -> Image.Image:
    """The sticker of a transparent render: RGBA, the artwork's longer side ``size`` pixels, a white edge around it."""
    edge = round(size * 0.045)
    art = render.convert("RGBA")
    art = art.crop(art.getchannel("A").point(lambda a: 255 if a > 12 else 0).getbbox())
    scale = size / max(art.size)
    art = art.resize((round(art.width * scale), round(art.height * scale)), Image.Resampling.LANCZOS)
    art = art.filter(ImageFilter.UnsharpMask(radius=1.2, percent=60, threshold=2))
    canvas = Image.new("RGBA", (art.width + 6 * edge, art.height + 6 * edge))
    canvas.paste(art, (3 * edge, 3 * edge))
    # A blurred silhouette, cut low, is the silhouette grown outwards with round corners.
    grown = canvas.getchannel("A").filter(ImageFilter.GaussianBlur(edge)).point(lambda a: 255 if a > 22 else 0)
    vinyl = Image.new("RGBA", canvas.size, (252, 252, 250, 0))
    vinyl.putalpha(grown.filter(ImageFilter.GaussianBlur(max(1.0, edge / 12))))
    return Image.alpha_composite(vinyl, canvas)


def lay(scene: Image.Image, sticker: Image.Image, centre: tuple[float, float], angle: float) -> Image.Image:
    """The scene with the sticker on it. ``centre`` is in shares of the scene's sides, ``angle`` in degrees."""
    turned = sticker.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    left = round(centre[0] * scene.width - turned.width / 2)
    top = round(centre[1] * scene.height - turned.height / 2)
    silhouette = turned.getchannel("A")
    # A tight shadow where the edge touches the ground, and a wide one from the light on the upper left.
    for offset, blur, strength in ((0.006, 0.006, 0.30), (0.024, 0.028, 0.34)):
        shadow = Image.new("L", scene.size)
        shadow.paste(silhouette, (left + round(offset * scene.width), top + round(1.3 * offset * scene.width)))
        shadow = shadow.filter(ImageFilter.GaussianBlur(blur * scene.width))
        scene = Image.composite(
            Image.new("RGB", scene.size, _SHADOW), scene, shadow.point(lambda a, s=strength: round(a * s))
        )
    scene.paste(turned, (left, top), turned)
    return scene


def lit(scene: Image.Image, fall: float = 0.2, random: np.random.Generator | None = None) -> Image.Image:
    """The scene under a window on the upper left and, with a source of noise, with the grain of a sensor.

    :param fall: how much darker the far side is, as a share
    """
    width, height = scene.size
    down, across = np.mgrid[0:height, 0:width]
    distance = np.hypot(across / width - 0.28, down / height - 0.2)
    light = 1 + fall * (0.35 - distance**1.4)
    pixels = np.asarray(scene, dtype=np.float32) * light[..., None]
    if random is None:
        return _picture(pixels)
    return _picture(pixels + random.normal(0, 2.2, (height, width, 1))).filter(ImageFilter.GaussianBlur(0.5))


def card(size: tuple[int, int], colour: Colour, random: np.random.Generator) -> Image.Image:
    """Coloured card with a faint tooth."""
    return _shaded(size, colour, 5 * _clouds(size, 3, random) + 6 * _clouds(size, 220, random))


def wood(size: tuple[int, int], colour: Colour, random: np.random.Generator) -> Image.Image:
    """Planks across the picture, each with its own tone and grain."""
    width, height = size
    tones = np.zeros((height, width), np.float32)
    planks = 4
    for number in range(planks):
        top, bottom = number * height // planks, (number + 1) * height // planks
        rows = np.arange(top, bottom)[:, None]
        bend = 26 * _clouds((width, bottom - top), 160, random)
        rings = np.sin((rows + bend) / random.uniform(5, 9)) + 0.6 * np.sin((rows + 1.7 * bend) / 2.7)
        tones[top:bottom] = random.uniform(-10, 8) + 3.6 * rings
        tones[top : top + max(2, height // 300)] -= 46
    fibres = np.repeat(random.normal(0, 3.2, (height, math.ceil(width / 24))), 24, axis=1)[:, :width]
    return _shaded(size, colour, tones + fibres).filter(ImageFilter.GaussianBlur(0.8))


def gingham(size: tuple[int, int], colour: Colour, random: np.random.Generator) -> Image.Image:
    """A checked tablecloth: white where no band runs, full colour where two cross."""
    width, height = size
    band = width // 9
    columns = (np.arange(width) // band % 2)[None, :]
    rows = (np.arange(height) // band % 2)[:, None]
    share = (0.06 + 0.42 * columns + 0.42 * rows)[..., None]
    weave = 1 - 0.035 * ((np.arange(width)[None, :] + np.arange(height)[:, None]) // 2 % 2)
    cloth = (np.array((250, 247, 242)) * (1 - share) + np.array(colour) * share) * weave[..., None]
    return _picture(cloth + 4 * _clouds(size, 130, random)[..., None])


def dots(size: tuple[int, int], colour: Colour, random: np.random.Generator) -> Image.Image:
    """Paper with white dots in staggered rows."""
    scene = card(size, colour, random)
    step, radius = size[0] / 11, size[0] / 88
    paler = Image.new("RGB", size, _mix(colour, (255, 255, 255), 0.62))
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    for row in range(math.ceil(size[1] / step) + 1):
        for column in range(-1, 12):
            x, y = (column + row % 2 / 2) * step, row * step
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return Image.composite(paler, scene, mask.filter(ImageFilter.GaussianBlur(0.7)))


def ruled(size: tuple[int, int], colour: Colour, random: np.random.Generator) -> Image.Image:
    """A cutting mat: a fine grid, every fifth line stronger."""
    scene = card(size, colour, random)
    lines = Image.new("L", size)
    draw = ImageDraw.Draw(lines)
    step = size[0] / 25
    for number in range(1, math.ceil(max(size) / step)):
        strength, at = (120 if number % 5 == 0 else 46), round(number * step)
        for ends in (((at, 0), (at, size[1])), ((0, at), (size[0], at))):
            draw.line(ends, fill=strength, width=2)
    return Image.composite(Image.new("RGB", size, _mix(colour, (255, 255, 255), 0.8)), scene, lines)


def stripes(size: tuple[int, int], colour: Colour, random: np.random.Generator) -> Image.Image:
    """Awning stripes aslant."""
    width, height = size
    across = np.arange(width)[None, :] + 0.55 * np.arange(height)[:, None]
    band = width / 7
    edge = np.clip(np.abs(across % (2 * band) - band) - band / 2, -1, 1)[..., None] * 0.5 + 0.5
    cloth = np.array(colour) * (1 - edge) + np.array(_mix(colour, (255, 255, 255), 0.5)) * edge
    return _picture(cloth + 5 * _clouds(size, 150, random)[..., None])


def sheet_of_paper(size: tuple[int, int], random: np.random.Generator) -> Image.Image:
    """A sheet of squared paper, RGBA, to be laid on a scene like a sticker."""
    paper = card(size, (249, 247, 240), random)
    draw = ImageDraw.Draw(paper)
    step = size[0] / 16
    for number in range(1, math.ceil(max(size) / step)):
        at = round(number * step)
        draw.line(((at, 0), (at, size[1])), fill=(214, 224, 234), width=2)
        draw.line(((0, at), (size[0], at)), fill=(214, 224, 234), width=2)
    # A clear border keeps the turned edges smooth.
    framed = Image.new("RGBA", (size[0] + 8, size[1] + 8), (249, 247, 240, 0))
    framed.paste(paper.convert("RGBA"), (4, 4))
    return framed


def _clouds(size: tuple[int, int], scale: float, random: np.random.Generator) -> np.ndarray:
    """Smooth noise of unit spread: ``(height, width)``, with spots of about ``scale`` pixels."""
    width, height = size
    coarse = random.normal(0, 1, (math.ceil(height / scale) + 3, math.ceil(width / scale) + 3)).astype(np.float32)
    stretched = Image.fromarray(coarse, "F").resize(
        (round(coarse.shape[1] * scale), round(coarse.shape[0] * scale)), Image.Resampling.BICUBIC
    )
    return np.asarray(stretched)[:height, :width]


def _shaded(size: tuple[int, int], colour: Colour, tones: np.ndarray) -> Image.Image:
    return _picture(np.array(colour, np.float32) + tones[..., None] * np.ones(3, np.float32))


def _picture(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8), "RGB")


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
