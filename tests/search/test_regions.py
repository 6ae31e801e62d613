"""Suggested boxes: how well they fit, that they are sought once, and for whose eyes they are."""

from pathlib import Path

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image as Pillow
from PIL import ImageDraw

from bench.regions import measure
from bench.scenes import desk, scenes
from gallery.demo.catalogue import read_stickers
from gallery.demo.packages import Packages
from gallery.models import Image
from search.crops import Crop
from search.encoders import EncoderError, slot
from search.models import QueryPhoto, SuggestedRegions
from search.regions import finder, suggest
from search.regions.activation import Activation
from search.regions.boxes import Box, likeliest
from search.regions.detector import Detector
from search.regions.finding import FILLS, MOST
from tests.pictures import draw, encode

PACKAGES = Packages(Path(__file__).parents[2] / "node_modules")
TWO = Pillow.new("RGB", (400, 300), "white")
ImageDraw.Draw(TWO).ellipse((40, 60, 160, 180), fill="red")
ImageDraw.Draw(TWO).rectangle((250, 150, 350, 260), fill="blue")


def found(picture: Pillow.Image) -> list[tuple[float, float, float, float]]:
    return [(box.left, box.top, box.right, box.bottom) for box in finder().boxes(picture, MOST, FILLS)]


def test_objects_on_any_ground_are_found():
    codes = [sticker.code for sticker in read_stickers()]
    tally = measure(scenes(8, codes, PACKAGES.render, seed=4), found)["all"]
    assert np.mean(tally.best) > 0.75  # docs/regions.md has the figures of 120 scenes
    assert np.mean(np.array(tally.best) >= 0.5) > 0.85


def test_each_sticker_on_the_desk_is_found_and_nothing_else():
    tally = measure([desk(PACKAGES.render)], found)["all"]
    assert min(tally.best) > 0.5
    assert tally.right == [True, True, True]


@pytest.mark.parametrize(
    "picture",
    [
        Pillow.new("RGB", (300, 200), "beige"),
        Pillow.new("RGB", (1, 1), "beige"),
        draw("circle", "red", "red"),
        draw("stripes", "blue", size=(60, 300)),
        draw("square", "green", size=(900, 12)),
        Pillow.effect_noise((200, 200), 60).convert("RGB"),
    ],
)
def test_pictures_with_nothing_to_find_give_few_boxes_and_no_error(picture):
    assert len(suggest(picture)) <= 1


def test_an_object_that_fills_the_picture_gives_no_box():
    picture = Pillow.new("RGB", (300, 300), "white")
    ImageDraw.Draw(picture).ellipse((15, 15, 285, 285), fill="purple")
    assert suggest(picture) == []


def test_the_likeliest_of_boxes_for_one_object_is_kept_and_the_sheet_under_several_is_not():
    one, same, other = Box(0.1, 0.1, 0.3, 0.3, 0.9), Box(0.1, 0.1, 0.32, 0.3, 0.8), Box(0.4, 0.4, 0.6, 0.6, 0.7)
    sheet = Box(0.05, 0.05, 0.55, 0.5, 0.65)
    assert likeliest([other, same, one], 5, FILLS) == [one, other]
    assert likeliest([sheet, Box(0.06, 0.06, 0.3, 0.3, 0.9), Box(0.32, 0.1, 0.54, 0.4, 0.8)], 5, FILLS) == [
        Box(0.06, 0.06, 0.3, 0.3, 0.9),
        Box(0.32, 0.1, 0.54, 0.4, 0.8),
    ]
    assert likeliest([one, other], 1, FILLS) == [one]
    assert Box(0.999, 0, 1, 0.0001).crop() == Crop(980, 0, 20, 20)


def sent(client) -> QueryPhoto:
    file = SimpleUploadedFile("two.png", encode(TWO, "PNG"), "image/png")
    client.post(reverse("search-photo"), {"image": file}, headers={"accept": "application/json"})
    return QueryPhoto.objects.get()


@pytest.mark.django_db
def test_a_photo_tells_its_owner_the_searches_with_its_parts(client, shop, monkeypatch):
    photo = sent(client)
    answer = client.get(reverse("photo-regions", args=[photo.pk]))
    regions = answer.json()["regions"]
    assert len(regions) == 2
    assert set(answer["Cache-Control"].split(", ")) == {"private", "no-store"}
    assert [part["crop"] for part in regions] == QueryPhoto.objects.get().regions
    for part in regions:
        page = client.get(part["url"]).context["page"]
        assert [str(example.crop) for example in page.query.examples] == [part["crop"]]
    # Sought once.
    monkeypatch.setattr(Activation, "boxes", lambda *args: pytest.fail("sought again"))
    assert client.get(reverse("photo-regions", args=[photo.pk])).json()["regions"] == regions


@pytest.mark.django_db
def test_the_parts_of_a_photo_are_for_its_owner_alone(client, shop):
    photo = sent(client)
    client.cookies.clear()
    assert client.get(reverse("photo-regions", args=[photo.pk])).status_code == 404


@pytest.mark.django_db
def test_a_photo_of_the_catalogue_is_looked_at_once_for_all_copies_of_its_file(client, shop, image_of, monkeypatch):
    image = image_of("BLUE-SQUARE")
    url = reverse("image-regions", args=[image.pk])
    regions = client.get(url).json()["regions"]
    stored = SuggestedRegions.objects.get()
    assert (stored.sha256, stored.crops) == (image.sha256, [part["crop"] for part in regions])
    monkeypatch.setattr(Activation, "boxes", lambda *args: pytest.fail("sought again"))
    assert client.get(url).json()["regions"] == regions
    # Boxes of another method are sought again.
    monkeypatch.setattr(Activation, "method", "activation-0")
    monkeypatch.setattr(Activation, "boxes", lambda *args: [Box(0.1, 0.1, 0.5, 0.5)])
    assert [part["crop"] for part in client.get(url).json()["regions"]] == ["100,100,400,400"]
    assert SuggestedRegions.objects.get().method == "activation-0"


@pytest.mark.django_db
def test_the_parts_of_a_hidden_photo_are_for_staff(client, shop, image_of, staff):
    image = image_of("BLUE-SQUARE")
    Image.objects.filter(pk=image.pk).update(status=Image.Status.REJECTED)
    url = reverse("image-regions", args=[image.pk])
    assert client.get(url).status_code == 404
    client.force_login(staff)
    assert client.get(url).status_code == 200


@pytest.mark.django_db
def test_a_damaged_original_has_no_parts(client, shop, image_of):
    image = image_of("BLUE-SQUARE")
    image.original.storage.delete(image.original.name)
    assert client.get(reverse("image-regions", args=[image.pk])).json() == {"regions": []}
    assert not SuggestedRegions.objects.exists()


@pytest.mark.django_db
def test_a_crowd_is_told_when_to_come_back(client, shop, image_of, settings):
    settings.ENCODER_WAIT_SECONDS = 0.01
    slot._slot.acquire()
    try:
        answer = client.get(
            reverse("image-regions", args=[image_of("BLUE-SQUARE").pk]), headers={"accept": "application/json"}
        )
    finally:
        slot._slot.release()
    assert answer.status_code == 503
    assert answer["Retry-After"] == "1"
    assert answer.json()["code"] == "busy"


DETECTOR = "ssdlite320_mobilenet_v3_large"


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """Random numbers: for the mechanics."""
    import torch
    from torchvision import models

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = models.get_model(DETECTOR, weights=None, weights_backbone=None)
    path = tmp_path_factory.mktemp("weights") / "detector.pth"
    torch.save(model.state_dict(), path)
    return path


def test_a_detector_of_torchvision_suggests_boxes(settings, weights, monkeypatch):
    monkeypatch.setattr("search.regions.detector._LEAST_CONFIDENCE", 0.0)
    settings.REGION_DETECTOR = f"{DETECTOR}:{weights}"
    assert isinstance(finder(), Detector)
    assert len(finder().method) <= 40
    crops = suggest(TWO)
    assert 1 <= len(crops) <= MOST
    assert suggest(TWO) == crops


@pytest.mark.django_db
def test_a_detector_that_cannot_be_used_is_said_and_searches_go_on(client, shop, image_of, settings, weights):
    settings.REGION_DETECTOR = f"retinanet_resnet50_fpn:{weights}"
    with pytest.raises(EncoderError, match="weights of another model"):
        suggest(TWO)
    answer = client.get(reverse("image-regions", args=[image_of("BLUE-SQUARE").pk]))
    assert answer.status_code == 503
    assert "Draw a box yourself" in answer.json()["error"]
    settings.REGION_DETECTOR = f"yolo:{weights}"
    with pytest.raises(EncoderError, match="no detector 'yolo'"):
        suggest(TWO)
