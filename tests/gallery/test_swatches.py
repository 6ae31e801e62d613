"""The colours of a subject: which are named, and in which order."""

import importlib
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from PIL import Image, ImageDraw

from gallery.models import Image as Photograph
from gallery.swatches import dominant_swatches
from tests.catalogue import add_product


def bands(*colors: tuple[str, int]) -> Image.Image:
    """A square of 40 pixels on white, in bands of so many pixels; it is judged as it is, at this size."""
    picture = Image.new("RGB", (48, 48), "white")
    pen = ImageDraw.Draw(picture)
    top = 4
    for color, height in colors:
        pen.rectangle((4, top, 43, top + height - 1), fill=color)
        top += height
    return picture


@pytest.mark.parametrize(
    ("colors", "named"),
    [
        ([("red", 40)], ["red"]),
        ([("red", 24), ("navy", 16)], ["red", "blue"]),
        ([("navy", 14), ("red", 26)], ["red", "blue"]),
        ([("red", 33), ("navy", 7)], ["red"]),
        ([("red", 18), ("navy", 14), ("gold", 8)], ["red", "blue", "yellow"]),
        ([("red", 11), ("navy", 10), ("gold", 10), ("black", 9)], ["red", "blue", "yellow"]),
    ],
)
def test_colors_that_cover_a_fifth_are_named_the_largest_first(colors, named):
    assert dominant_swatches(bands(*colors)) == named


def test_the_largest_is_named_however_small_it_is():
    names = ["red", "navy", "gold", "black", "green", "purple", "deeppink", "orange"]
    picture = bands(*((name, {"gold": 6, "black": 4}.get(name, 5)) for name in names))
    assert dominant_swatches(picture) == ["yellow"]


def test_transparent_pixels_have_no_color():
    picture = Image.new("RGBA", (60, 60), (0, 0, 255, 0))
    ImageDraw.Draw(picture).rectangle((20, 20, 39, 39), fill=(200, 20, 20, 255))
    assert dominant_swatches(picture) == ["red"]


@pytest.mark.django_db
def test_images_keep_their_colors_and_the_first_is_their_mat():
    image = add_product("A", color="blue").images.get()
    assert (image.colors, image.swatch) == (["blue"], "blue")


@pytest.mark.django_db
def test_images_of_an_earlier_release_are_given_the_color_of_their_mat():
    add_product("A", color="blue")
    add_product("B", color="red")
    Photograph.objects.update(colors=[])
    migration = importlib.import_module("gallery.migrations.0002_image_colors")
    migration.colors_from_swatches(apps, SimpleNamespace(connection=connection))
    assert sorted(Photograph.objects.values_list("swatch", "colors")) == [("blue", ["blue"]), ("red", ["red"])]
