"""Parts that need no training: what each tells apart, and what it does not care about."""

import numpy as np
import pytest
from PIL import Image

from search.encoders.descriptors.color import Color
from search.encoders.descriptors.shape import Shape
from search.encoders.descriptors.texture import Texture
from tests.pictures import draw

DESCRIPTORS = (Color(), Texture(), Shape())


def woven(cell: int, size: tuple[int, int] = (200, 200), dark=(90, 30, 30), light=(220, 180, 180)) -> Image.Image:
    """A checkerboard of cells of so many pixels."""
    rows, columns = np.indices(size[::-1]) // cell
    pattern = ((rows + columns) % 2)[..., None]
    return Image.fromarray(np.where(pattern, dark, light).astype(np.uint8))


def grained(seed: int, size: tuple[int, int] = (200, 200)) -> Image.Image:
    noise = np.random.default_rng(seed).normal(128, 40, size[::-1]).clip(0, 255).astype(np.uint8)
    return Image.fromarray(np.repeat(noise[..., None], 3, axis=2))


@pytest.mark.parametrize("descriptor", DESCRIPTORS, ids=lambda one: one.name)
def test_a_part_has_its_length_and_length_one(descriptor):
    for picture in (draw("circle"), woven(5), grained(0, (333, 90))):
        part = descriptor.describe(picture)
        assert part.shape == (descriptor.dimension,)
        assert part.dtype == np.float32
        assert np.linalg.norm(part) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (3000, 1), (1, 400), (2, 3), (50, 50)])
@pytest.mark.parametrize("descriptor", DESCRIPTORS, ids=lambda one: one.name)
def test_a_blank_or_tiny_picture_is_no_error(descriptor, size):
    part = descriptor.describe(Image.new("RGB", size, "white"))
    assert part is None if descriptor.name != "color" else np.isfinite(part).all()


def test_colour_tells_red_from_blue_whatever_the_shape():
    red, other_red, blue = (
        Color().describe(draw(*args)) for args in (("circle", "red"), ("square", "red"), ("circle", "blue"))
    )
    assert red @ other_red > 0.9
    assert red @ blue < 0.5


def test_colour_counts_the_ground_little():
    on_white, on_grey = (
        Color().describe(draw("circle", "red", "white")),
        Color().describe(draw("circle", "red", "grey")),
    )
    assert on_white @ on_grey > 0.8


def test_texture_tells_weaves_apart_whatever_the_colour_or_turn():
    texture = Texture().describe
    grain, other_grain = texture(grained(1)), texture(grained(2))
    weave = texture(woven(6))
    blue_weave = texture(woven(6, dark=(20, 20, 90), light=(170, 170, 240)))
    assert grain @ other_grain > 0.99
    assert weave @ blue_weave > 0.95
    assert weave @ grain < 0.9
    turned = texture(grained(1).rotate(90))
    assert grain @ turned > 0.99


def test_shape_tells_outlines_apart_whatever_the_colour():
    shape = Shape().describe
    red, blue, stripes = shape(draw("circle", "red")), shape(draw("circle", "blue")), shape(draw("stripes", "red"))
    assert red @ blue > 0.95
    assert red @ stripes < red @ blue - 0.2
