import hashlib
import io
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from gallery.filenames import clean_name
from gallery.models.images import Swatch
from gallery.verification import Facts, Refused, note_sentences, verify
from tests.gallery import files
from tests.pictures import draw, encode, jpeg


def check(data: bytes, name: str = "photo.jpg", **options) -> Facts:
    return verify(io.BytesIO(data), name, **options)


def refusal(data: bytes, name: str = "photo.jpg", **options) -> Refused:
    with pytest.raises(Refused) as caught:
        check(data, name, **options)
    return caught.value


@pytest.mark.parametrize("format", files.FORMATS)
def test_every_format_is_taken_with_its_facts(format):
    data = files.of_format(format)
    facts = check(data, f"A photo.{files.ENDINGS[format]}")
    assert (facts.format, facts.width, facts.height, facts.frames, facts.orientation) == (format, 96, 64, 1, 1)
    assert facts.bytes == len(data)
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert len(facts.perceptual_hash) == 16
    assert facts.swatch == Swatch.RED
    assert facts.name == f"A photo.{files.ENDINGS[format]}"
    assert facts.notes == []


def test_the_file_is_left_at_its_beginning():
    file = io.BytesIO(jpeg())
    file.seek(7)
    verify(file, "a.jpg")
    assert file.tell() == 0


# --- Refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("empty.jpg", b"", "empty"),
        ("page.jpg", b"<!doctype html><html><body>Not found</body></html>", "not-a-picture"),
        ("notes.txt", b"A plain text. " * 50, "not-a-picture"),
        ("logo.svg", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "svg"),
        ("logo.png", b"<svg onload='alert(1)'/>", "svg"),
        ("paper.pdf", b"%PDF-1.4\n%%EOF", "not-a-picture"),
        ("cut.jpg", jpeg()[:1500], "damaged"),
        ("cut.png", files.of_format("png")[:200], "damaged"),
        ("header.jpg", jpeg()[:20], "damaged"),
        ("scans.jpg", files.scan_bomb(), "damaged"),
        ("comment.gif", files.gif_with_comment(200_000), "damaged"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(name, data, code):
    refused = refusal(data, name)
    assert refused.code in (code, "not-a-picture" if name == "header.jpg" else code)
    assert refused.status == 400
    assert name in refused.message
    assert refused.message.endswith(".")


def test_too_many_bytes(settings):
    settings.MAX_IMAGE_BYTES = 1000
    refused = refusal(jpeg(), "big.jpg")
    assert (refused.status, refused.code) == (413, "too-many-bytes")
    assert "1000" in refused.message
    assert "big.jpg" in refused.message


def test_no_more_is_read_than_the_limit(settings):
    settings.MAX_IMAGE_BYTES = 1 << 20

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size=-1):
            assert size > 0, "a read without a size reads everything"
            self.given += size
            return b"\0" * size

        def seek(self, *args):
            return 0

    endless = Endless()
    with pytest.raises(Refused):
        verify(endless, "endless.jpg")
    assert endless.given <= 3 << 20


@pytest.mark.parametrize("limit", [60_000_000, 6_000_000_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(settings, limit):
    """Above our own limit, and above Pillow's where ours is set higher."""
    settings.MAX_IMAGE_PIXELS = limit
    started = time.process_time()
    refused = refusal(files.png_bomb(), "bomb.png")
    assert (refused.status, refused.code) == (413, "too-many-pixels")
    assert time.process_time() - started < 1


def test_too_many_pixels(settings):
    settings.MAX_IMAGE_PIXELS = 1_500_000
    refused = refusal(encode(Image.new("RGB", (1500, 1001))), "wide.jpg")
    assert refused.status == 413
    assert "1.5 megapixels" in refused.message


@pytest.mark.parametrize("frames", [501, 2_000_000])
def test_too_many_frames_are_counted_only_up_to_the_limit(frames):
    started = time.process_time()
    refused = refusal(files.gif_of_many_frames(frames), "film.gif")
    assert (refused.status, refused.code) == (413, "too-many-frames" if frames == 501 else "too-many-bytes")
    assert "film.gif" in refused.message
    assert time.process_time() - started < 2


def test_the_most_frames_are_taken():
    assert check(files.gif_of_many_frames(500), "film.gif").frames == 500


def test_heic_only_where_it_is_asked_for():
    refused = refusal(files.HEIC, "IMG_0001.HEIC")
    assert refused.code == "heic"
    assert "JPEG" in refused.message
    facts = check(files.HEIC, "IMG_0001.HEIC", heic=True)
    assert facts.format == "heic"
    assert facts.name == "IMG_0001.HEIC"
    assert (facts.width, facts.height, facts.swatch) == (64, 48, Swatch.RED)


# --- Accepted and normalised --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "note"),
    [
        ("print.jpg", encode(draw().convert("CMYK"), "JPEG"), "cmyk"),
        ("deep.png", files.sixteen_bit_grey(), "sixteen-bit"),
        ("deep.png", files.sixteen_bit_color(), "sixteen-bit"),
        ("film.gif", files.animated("GIF", 5), "animated"),
        ("film.webp", files.animated("WEBP", 5), "animated"),
        ("film.png", files.animated("PNG", 5), "animated"),
        ("fax.tif", files.animated("TIFF", 3), "pages"),
        ("photo.png", jpeg(), "renamed"),
        ("photo", jpeg(), "renamed"),
        ("ph\u202eoto.jpg", jpeg(), "name-cleaned"),
        ("photo.jpg", jpeg() + b"PK\x03\x04 a whole archive", "trailing-data"),
        ("photo.png", files.of_format("png") + b"<?php system($_GET[0]);", "trailing-data"),
        ("photo.gif", files.of_format("gif") + b"<script>alert(1)</script>", "trailing-data"),
        ("photo.webp", files.of_format("webp") + b"more", "trailing-data"),
        ("wide.png", encode(draw(), "PNG", icc_profile=files.swapped_profile()), None),
    ],
)
def test_notes(name, data, note):
    facts = check(data, name)
    assert facts.notes == ([note] if note else [])
    assert len(note_sentences(facts.notes)) == len(facts.notes)


def test_frames_are_counted():
    assert check(files.animated("GIF", 5), "a.gif").frames == 5
    assert check(files.animated("TIFF", 3), "a.tif").frames == 3
    assert check(files.tiff_with_loop(), "loop.tif").frames == 1


def test_the_first_frame_gives_the_facts():
    assert check(files.animated("GIF", 3), "a.gif").swatch == Swatch.RED


@pytest.mark.parametrize("orientation", range(1, 9))
def test_size_is_after_orientation(orientation):
    facts = check(files.with_orientation(orientation))
    assert facts.orientation == orientation
    assert (facts.width, facts.height) == ((90, 60) if orientation < 5 else (60, 90))


def test_a_senseless_orientation_means_none():
    assert check(files.with_orientation(77)).orientation == 1


def test_transparency_is_a_fact_and_never_a_color():
    facts = check(files.transparent(), "cut-out.png")
    assert facts.has_alpha
    assert facts.swatch == Swatch.RED
    assert not check(jpeg()).has_alpha


def test_the_perceptual_hash_survives_scaling_and_quality():
    large = check(encode(draw("triangle", size=(1200, 900)), "PNG"), "a.png").perceptual_hash
    small = check(encode(draw("triangle", size=(300, 225)), "JPEG", quality=50)).perceptual_hash
    other = check(encode(draw("stripes", size=(300, 225)), "JPEG")).perceptual_hash

    def distance(one: str, two: str) -> int:
        return (int(one, 16) ^ int(two, 16)).bit_count()

    assert distance(large, small) <= 4
    assert distance(large, other) > 12


@pytest.mark.parametrize(
    ("color", "swatch"),
    [
        ("#d21f1f", "red"), ("#ff7f11", "orange"), ("#f7d716", "yellow"), ("#228b22", "green"), ("#1f4fd2", "blue"),
        ("#7a1fd2", "purple"), ("#ff8fb1", "pink"), ("#6b4226", "brown"), ("#dcc9a3", "beige"), ("#0a0a0a", "black"),
        ("#858585", "grey"), ("#2b3a67", "blue"), ("#5f7a9e", "blue"), ("#ffffff", "white"),
        ("blue", "blue"), ("lime", "green"), ("cyan", "blue"), ("purple", "purple"), ("deeppink", "pink"),
        ("navy", "blue"), ("maroon", "red"), ("teal", "blue"), ("tan", "beige"),
    ],
)  # fmt: skip
def test_the_color_class_is_the_subjects(color, swatch):
    assert check(encode(draw("square", color), "PNG"), "a.png").swatch == swatch


# --- Names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("photo.jpg", "photo.jpg"),
        ("Photo.JPEG", "Photo.JPEG"),
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\Users\\me\\dress.png", "dress.jpg"),
        ("a\0b\r\n.jpg", "a b.jpg"),
        ("gpj.exe\u202e.jpg", "gpj.exe.jpg"),
        ("<script>alert(1)</script>.jpg", "script.jpg"),
        ("", "photo.jpg"),
        ("....", "photo.jpg"),
        ("-.-", "photo.jpg"),
        ("/", "photo.jpg"),
        (".jpg", "jpg.jpg"),
        ("连衣裙.jpg", "连衣裙.jpg"),
        ("archive.tar.gz", "archive.tar.gz.jpg"),
        ("x" * 300 + ".jpg", "x" * 146 + ".jpg"),
        ("x" * 300, "x" * 146 + ".jpg"),
        ("a.jpg" + "." * 300, "a.jpg"),
    ],
)
def test_names_are_cleaned(given, name):
    assert check(jpeg(), given).name == name


@given(st.text(max_size=400))
def test_any_name_becomes_a_harmless_one(given):
    name = clean_name(given)
    assert len(name) <= 150
    assert not set(name) & set('/\\\0\r\n<>"')
    assert not name.startswith(".")
    assert clean_name(name) == name


# --- Anything at all ----------------------------------------------------------------------------------

SEEDS = [
    *(files.of_format(format, (24, 16)) for format in files.FORMATS),
    encode(draw(size=(24, 16)), "JPEG", progressive=True),
    encode(draw(size=(24, 16)), "TIFF", compression="tiff_lzw"),
    encode(draw(size=(24, 16)).convert("P"), "PNG", transparency=0),
    files.animated("GIF", 3),
    files.animated("WEBP", 3),
    files.HEIC,
    files.sixteen_bit_color(),
    files.with_orientation(6, (24, 16)),
    encode(draw(size=(24, 16)), "PNG", icc_profile=files.swapped_profile()),
]


@st.composite
def damaged_files(draw):
    """A real file with bytes changed, cut out, repeated or appended."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from(["set", "set", "set", "cut", "repeat", "remove", "insert"]))
        if kind == "set" and data:
            data[place] = draw(st.integers(0, 255))
        elif kind == "cut":
            del data[place:]
        elif kind == "repeat":
            data[place:place] = data[place : place + draw(st.integers(1, 64))]
        elif kind == "remove":
            del data[place : place + draw(st.integers(1, 16))]
        else:
            data[place:place] = draw(st.binary(min_size=1, max_size=16))
    return bytes(data)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # what Pillow thinks of tags
@settings(max_examples=400, deadline=5000, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(damaged_files())
@example(b"GIF89a")
@example(b"II*\0")
@example(b"II+\0\x08\0\0\0")
@example(b"\xff\xd8\xff")
@example(b"RIFF\0\0\0\0WEBP")
@example(b"\0\0\0\x20ftypavif")
@example(b"\0\0\0\x20ftypheic")
def test_no_bytes_raise_anything_but_refused(data):
    for heic in (False, True):
        try:
            facts = check(data, "fuzz.bin", heic=heic)
        except Refused as refused:
            assert refused.status in (400, 413)
            assert "fuzz.bin" in refused.message
        else:
            assert facts.width > 0
            assert facts.height > 0


@settings(max_examples=150, deadline=5000, derandomize=True)
@given(st.binary(max_size=400))
def test_random_bytes_are_refused(data):
    assert refusal(data).status == 400
