"""What encoders give: shapes, lengths, and that they see what they should."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from search.encoders import encoder_for, get_encoder
from search.encoders.framing import padded_square
from search.encoders.slot import EncoderBusy, encode_one
from tests.pictures import draw


@pytest.fixture(scope="module")
def lite2():
    return get_encoder("efficientnet-lite2")


def test_parts_have_the_declared_dimensions_and_unit_length(lite2):
    for parts in lite2.encode([draw("circle"), draw("stripes", "blue", size=(60, 300))]):
        assert {name: len(vector) for name, vector in parts.items()} == dict(lite2.dimensions)
        assert all(vector.dtype == np.float32 for vector in parts.values())
        assert all(np.linalg.norm(vector) == pytest.approx(1, abs=1e-4) for vector in parts.values())


def test_a_picture_is_encoded_alike_alone_and_in_a_batch(lite2):
    pictures = [draw("circle"), draw("square", "blue"), draw("triangle", "green")]
    together = lite2.encode(pictures)
    for picture, parts in zip(pictures, together, strict=True):
        alone = lite2.encode([picture])[0]
        assert alone["deep"] @ parts["deep"] == pytest.approx(1, abs=1e-4)


def test_the_same_shape_is_nearer_than_another(lite2):
    circle, bigger, stripes = lite2.encode(
        [draw("circle", "red"), draw("circle", "red", size=(480, 360)), draw("stripes", "red")]
    )
    assert circle["deep"] @ bigger["deep"] > circle["deep"] @ stripes["deep"]


def test_an_empty_batch_is_no_error(lite2):
    assert lite2.encode([]) == []


def test_a_blank_picture_has_a_colour_and_no_error(lite2):
    parts = lite2.encode([Image.new("RGB", (50, 50), "white")])[0]
    assert np.isfinite(parts["color"]).all()


def test_framing_keeps_the_whole_picture_and_pads_with_white():
    square = padded_square(draw("square", "black", "black", size=(200, 100)), 64)
    assert square.shape == (64, 64, 3)
    assert (square[:15] == 255).all()
    assert (square[18:46] == 0).all()
    assert padded_square(Image.new("RGB", (3000, 1)), 64).shape == (64, 64, 3)


def test_an_encoder_that_has_gone_is_named():
    with pytest.raises(LookupError, match=r"efficientnet-lite2@999.*Build a new generation"):
        encoder_for("efficientnet-lite2@999")


def test_a_crowd_waits_its_turn_or_is_told_when_to_come_back(settings):
    settings.ENCODER_WAIT_SECONDS = 0.05
    started, finish = threading.Event(), threading.Event()

    class Slow:
        def encode(self, pictures):
            started.set()
            finish.wait(10)
            return [{}]

    holder = threading.Thread(target=encode_one, args=(Slow(), draw()))
    holder.start()
    assert started.wait(10)
    with pytest.raises(EncoderBusy) as busy:
        encode_one(Slow(), draw())
    assert busy.value.retry_after >= 1
    finish.set()
    holder.join(10)
    assert encode_one(Slow(), draw()) == {}


def test_torch_is_not_loaded_until_something_is_encoded():
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE']='imgsite.settings'; django.setup();"
        "from django.urls import get_resolver; get_resolver().url_patterns;"
        "print('torch' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
