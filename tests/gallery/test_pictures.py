import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from gallery.pictures import open_upright, open_with_alpha
from tests.gallery import files
from tests.pictures import draw, encode


def opened(data: bytes, **options) -> Image.Image:
    picture = open_upright(io.BytesIO(data), **options)
    assert picture.mode == "RGB"
    return picture


def near(pixel, expected, tolerance=12) -> bool:
    return all(abs(int(a) - int(b)) <= tolerance for a, b in zip(pixel, expected, strict=True))


@pytest.mark.parametrize("format", files.FORMATS)
def test_every_format_gives_the_same_picture(format):
    picture = opened(files.of_format(format))
    assert picture.size == (96, 64)
    assert near(picture.getpixel((48, 32)), (255, 0, 0))
    assert near(picture.getpixel((2, 2)), (255, 255, 255))


def test_heic():
    assert near(opened(files.HEIC).getpixel((32, 24)), (255, 0, 0), 30)


def test_the_first_frame_is_used():
    assert near(opened(files.animated("GIF", 3)).getpixel((24, 16)), (255, 0, 0))
    assert near(opened(files.animated("WEBP", 3)).getpixel((24, 16)), (255, 0, 0), 30)
    assert near(opened(files.animated("TIFF", 3)).getpixel((24, 16)), (255, 0, 0))


@pytest.mark.parametrize(
    ("orientation", "size", "red_at"),
    [
        (1, (90, 60), (10, 30)), (2, (90, 60), (80, 30)), (3, (90, 60), (80, 30)), (4, (90, 60), (10, 30)),
        (5, (60, 90), (30, 10)), (6, (60, 90), (30, 10)), (7, (60, 90), (30, 80)), (8, (60, 90), (30, 80)),
    ],
)  # fmt: skip
def test_orientation_is_applied(orientation, size, red_at):
    picture = opened(files.with_orientation(orientation))
    assert picture.size == size
    assert near(picture.getpixel(red_at), (255, 0, 0), 40)


def test_transparency_is_white_for_the_encoder():
    for format in ("PNG", "WEBP"):
        picture = opened(files.transparent(format))
        assert picture.getpixel((2, 2)) == (255, 255, 255)
        assert near(picture.getpixel((40, 40)), (255, 0, 0))


def test_transparency_is_kept_where_it_is_asked_for():
    picture = open_with_alpha(io.BytesIO(files.transparent()))
    assert picture.mode == "RGBA"
    assert picture.getpixel((2, 2))[3] == 0


def test_half_transparency_is_mixed_with_white():
    assert near(opened(encode(Image.new("RGBA", (8, 8), (255, 0, 0, 128)), "PNG")).getpixel((4, 4)), (255, 127, 127), 2)


@pytest.mark.parametrize("transparent", [0, bytes([0, 255])])
def test_transparent_colors_of_palettes(transparent):
    picture = Image.new("P", (20, 20), 0)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.paste(1, (10, 0, 20, 20))
    result = opened(encode(picture, "PNG", transparency=transparent))
    assert (result.getpixel((2, 2)), result.getpixel((15, 2))) == ((255, 255, 255), (255, 0, 0))


def test_transparent_grey():
    picture = Image.new("L", (20, 20), 7)
    picture.paste(200, (10, 0, 20, 20))
    result = opened(encode(picture, "PNG", transparency=7))
    assert (result.getpixel((2, 2)), result.getpixel((15, 2))) == ((255, 255, 255), (200, 200, 200))


def test_sixteen_bit_values_are_scaled_and_not_clipped():
    grey = opened(files.sixteen_bit_grey())
    assert near(grey.getpixel((5, 5)), (128, 128, 128), 1)
    assert near(grey.getpixel((50, 5)), (64, 64, 64), 1)
    assert near(opened(files.sixteen_bit_color()).getpixel((3, 3)), (128, 64, 32), 1)


@pytest.mark.parametrize(
    ("pixels", "grey"),
    [
        (np.full((9, 9), 0x00FF, np.uint16), 1),  # nearly black, and not white for being below 256
        (np.full((9, 9), 0x8000, np.uint16), 128),
        (np.full((9, 9), 0x8000, np.int32), 128),
        (np.full((9, 9), 128, np.int32), 128),
        (np.full((9, 9), 0.5, np.float32), 128),
        (np.full((9, 9), 128.0, np.float32), 128),
    ],
)
def test_tiffs_of_many_depths(pixels, grey):
    result = opened(encode(Image.fromarray(pixels), "TIFF"))
    assert near(result.getpixel((4, 4)), (grey, grey, grey), 1)


def test_floats_that_are_no_numbers():
    pixels = np.full((9, 9), 0.5, np.float32)
    pixels[0] = (np.nan, np.inf, -np.inf) * 3
    assert opened(encode(Image.fromarray(pixels), "TIFF")).size == (9, 9)


def test_printing_colors():
    result = opened(encode(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG", quality=95))
    assert near(result.getpixel((20, 20)), (255, 0, 0), 30)


def test_a_color_profile_is_applied():
    data = encode(Image.new("RGB", (40, 30), (230, 40, 40)), "PNG", icc_profile=files.swapped_profile())
    red, green, _blue = opened(data).getpixel((5, 5))
    assert green > 200 > red


def test_the_profile_of_a_transparent_picture_is_applied_to_its_colors_alone():
    picture = Image.new("RGBA", (40, 30), (230, 40, 40, 255))
    picture.putpixel((0, 0), (0, 0, 0, 0))
    result = opened(encode(picture, "PNG", icc_profile=files.swapped_profile()))
    assert result.getpixel((0, 0)) == (255, 255, 255)
    assert result.getpixel((5, 5))[1] > 200


@pytest.mark.parametrize(
    "profile",
    [
        b"not a profile",
        files.swapped_profile()[:200],
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),  # of another kind of colours
    ],
)
def test_a_broken_profile_is_passed_over(profile):
    data = encode(Image.new("RGB", (40, 30), (200, 30, 30)), "PNG", icc_profile=profile)
    assert opened(data).getpixel((5, 5)) == (200, 30, 30)


def test_an_rgb_profile_on_a_grey_picture_is_passed_over():
    data = encode(Image.new("L", (40, 30), 90), "JPEG", icc_profile=files.swapped_profile())
    assert near(opened(data).getpixel((5, 5)), (90, 90, 90), 2)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P"])
def test_other_modes(mode):
    assert opened(encode(draw().convert(mode), "PNG")).size == (240, 180)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_large_pictures_are_decoded_smaller_but_never_below_what_is_asked_for(format):
    data = encode(draw(size=(1600, 1200)), format)
    picture = opened(data, at_least=300)
    assert 300 <= min(picture.size) < 600
    assert picture.width / picture.height == pytest.approx(4 / 3, rel=0.01)
    assert opened(data, at_least=5000).size == (1600, 1200)


def test_files_of_other_kinds_reach_no_decoder():
    with pytest.raises(OSError, match="cannot identify"):
        open_upright(io.BytesIO(encode(draw(), "BMP")))
