"""Parts that need no training: what each tells apart, and what it does not care about."""

from functools import partial

import numpy as np
import pytest
from PIL import Image

from search.encoders.descriptors.color import Color
from search.encoders.descriptors.shape import Shape
from search.encoders.descriptors.texture import Texture
from search.encoders.descriptors.thumbnails import COARSE_SIDE, FINE_SIDE, Thumbnails
from tests.pictures import draw

DESCRIPTORS = (Color(), Texture(), Shape())


def part_of(descriptor, picture: Image.Image) -> np.ndarray:
    return descriptor.describe(Thumbnails.of(picture))


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
        part = part_of(descriptor, picture)
        assert part.shape == (descriptor.dimension,)
        assert part.dtype == np.float32
        assert np.linalg.norm(part) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (3000, 1), (1, 400), (2, 3), (50, 50)])
@pytest.mark.parametrize("descriptor", DESCRIPTORS, ids=lambda one: one.name)
def test_a_blank_or_tiny_picture_is_no_error(descriptor, size):
    part = part_of(descriptor, Image.new("RGB", size, "white"))
    assert part is None if descriptor.name != "color" else np.isfinite(part).all()


def test_colour_tells_red_from_blue_whatever_the_shape():
    red, other_red, blue = (
        part_of(Color(), draw(*args)) for args in (("circle", "red"), ("square", "red"), ("circle", "blue"))
    )
    assert red @ other_red > 0.9
    assert red @ blue < 0.5


def test_colour_counts_the_ground_little():
    on_white, on_grey = (
        part_of(Color(), draw("circle", "red", "white")),
        part_of(Color(), draw("circle", "red", "grey")),
    )
    assert on_white @ on_grey > 0.8


def test_texture_tells_weaves_apart_whatever_the_colour_or_turn():
    texture = partial(part_of, Texture())
    grain, other_grain = texture(grained(1)), texture(grained(2))
    weave = texture(woven(6))
    blue_weave = texture(woven(6, dark=(20, 20, 90), light=(170, 170, 240)))
    assert grain @ other_grain > 0.99
    assert weave @ blue_weave > 0.95
    assert weave @ grain < 0.9
    turned = texture(grained(1).rotate(90))
    assert grain @ turned > 0.99


def test_texture_counts_the_subject_and_not_the_ground():
    on_white, on_grey = (Image.new("RGB", (300, 300), color) for color in ("white", "grey"))
    for ground in (on_white, on_grey):
        ground.paste(woven(12, (180, 180)), (60, 60))
    alone = part_of(Texture(), woven(12, (300, 300)))
    assert part_of(Texture(), on_white) @ part_of(Texture(), on_grey) > 0.95
    assert part_of(Texture(), on_white) @ alone > 0.9


def test_shape_tells_outlines_apart_whatever_the_colour():
    shape = partial(part_of, Shape())
    red, blue, stripes = shape(draw("circle", "red")), shape(draw("circle", "blue")), shape(draw("stripes", "red"))
    assert red @ blue > 0.95
    assert red @ stripes < red @ blue - 0.2


def test_shape_knows_the_direction_of_edges():
    upright = np.zeros((90, 90, 3), dtype=np.uint8)
    upright[:, 45:] = 255  # brightness changes along the rows: direction 0
    part = part_of(Shape(), Image.fromarray(upright)).reshape(3, 3, 8)
    assert part[1, 1].argmax() == 0
    assert part[1, 1, 0] > 0.3
    lying = part_of(Shape(), Image.fromarray(upright).rotate(90)).reshape(3, 3, 8)
    assert lying[1, 1].argmax() == 4  # of 8 directions from 0 to 180 degrees


@pytest.mark.parametrize("descriptor", DESCRIPTORS, ids=lambda one: one.name)
def test_a_part_hardly_depends_on_the_size_of_the_file(descriptor):
    picture = draw("circle", "red", size=(960, 720))
    whole, small = part_of(descriptor, picture), part_of(descriptor, picture.resize((320, 240), Image.Resampling.BOX))
    assert whole @ small > 0.97


def test_thumbnails_keep_the_proportions_and_fit_each_other():
    for size in ((1000, 800), (533, 400), (401, 711), (30, 20), (1, 400), (3000, 1)):
        thumbnails = Thumbnails.of(Image.new("RGB", size, "teal"))
        height, width = thumbnails.fine_luma.shape
        assert max(height, width) == FINE_SIDE
        assert width / height == pytest.approx(size[0] / size[1], rel=0.02) or min(height, width) == 1
        assert thumbnails.fine_subject.shape == (height, width)
        assert thumbnails.coarse_lab.shape == (*thumbnails.coarse_luma.shape, 3)
        assert max(thumbnails.coarse_luma.shape) == COARSE_SIDE


def test_the_subject_is_what_differs_from_an_even_border():
    thumbnails = Thumbnails.of(draw("circle", "red", "white", size=(200, 200)))
    middle, corner = thumbnails.fine_subject[FINE_SIDE // 2, FINE_SIDE // 2], thumbnails.fine_subject[2, 2]
    assert middle == 1
    assert corner < 0.1
    all_over = Thumbnails.of(Image.linear_gradient("L").convert("RGB")).fine_subject  # no even border
    assert (all_over == 1).all()
