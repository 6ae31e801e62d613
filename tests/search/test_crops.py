"""Boxes of pictures as URLs carry them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from search.crops import LEAST, WHOLE, Crop


@st.composite
def crops(draw) -> Crop:
    left, top = draw(st.integers(0, WHOLE - LEAST)), draw(st.integers(0, WHOLE - LEAST))
    return Crop(left, top, draw(st.integers(LEAST, WHOLE - left)), draw(st.integers(LEAST, WHOLE - top)))


@given(crops())
def test_text_reads_back_as_the_same_crop(crop):
    assert Crop.parse(str(crop)) == crop


@given(crops(), st.integers(1, 300), st.integers(1, 300))
def test_a_crop_cuts_what_it_says(crop, width, height):
    cut = crop.of(Pillow.new("RGB", (width, height)))
    assert 1 <= cut.width <= width
    assert 1 <= cut.height <= height
    assert abs(cut.width - crop.width * width / WHOLE) < 2
    assert abs(cut.height - crop.height * height / WHOLE) < 2


@given(st.text(max_size=40))
def test_any_text_is_a_crop_or_refused(text):
    try:
        crop = Crop.parse(text)
    except ValueError as error:
        assert str(error)
    else:
        assert Crop.parse(str(crop)) == crop


def test_what_reaches_outside_is_cut_off():
    assert Crop.parse("-100,900,300,300") == Crop(0, 900, 200, 100)
    assert Crop.parse("0,0,9999,9999").is_whole


@pytest.mark.parametrize(
    "text", ["1000,0,100,100", "-100,0,100,100", "0,0,19,500", "", "1,2,3", "0,0,0,0", "٣,0,50,50"]
)
def test_what_leaves_nothing_is_refused(text):
    with pytest.raises(ValueError, match="box"):
        Crop.parse(text)
