"""Networks by settings: any of torchvision's, from a file, of open_clip; and what is said of wrong settings."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.encoders import EncoderError, encoder_for, get_encoder
from search.encoders.networks.devices import chosen_device, uses_half
from search.encoders.networks.efficientnet_lite import EfficientNetLite
from search.encoders.networks.torchvision import TorchvisionNetwork
from tests.pictures import draw

TORCHVISION = "search.encoders.networks.torchvision.TorchvisionNetwork"
OPEN_CLIP = "search.encoders.networks.open_clip.OpenClipNetwork"
LITE = "search.encoders.networks.efficientnet_lite.EfficientNetLite"
PICTURES = [draw("circle"), draw("stripes", "blue", size=(60, 300))]


def entry(backend: str = TORCHVISION, **options) -> dict:
    return {"BACKEND": backend, "OPTIONS": options}


@pytest.mark.parametrize(
    ("model", "dimension"),
    [
        ("resnet50", 2048),
        ("vgg16", 4096),
        ("inception_v3", 2048),
        ("efficientnet_b0", 1280),
        ("convnext_tiny", 768),
        ("vit_b_16", 768),
    ],
)
def test_the_length_of_what_a_network_says_is_discovered(model, dimension):
    network = TorchvisionNetwork(model, "random:1")
    rows = network.embed(PICTURES)
    assert rows.shape == (2, dimension) == (2, network.dimension)
    assert np.isfinite(rows).all()


def test_the_last_layer_itself_may_be_the_answer():
    assert TorchvisionNetwork("mobilenet_v3_small", "random:1", output="logits").dimension == 1000
    assert TorchvisionNetwork("squeezenet1_1", "random:1", output="logits").dimension == 1000
    with pytest.raises(EncoderError, match="use output logits"):
        TorchvisionNetwork("squeezenet1_1", "random:1").load()


def test_weights_come_from_a_file_and_another_file_is_another_version(settings, tmp_path):
    import torch
    from torchvision import models

    torch.manual_seed(3)
    module = models.resnet18(weights=None)
    path = tmp_path / "resnet18.pth"
    torch.save(module.state_dict(), path)
    settings.SEARCH_ENCODERS = {"mine": entry(model="resnet18", weights=str(path))}
    encoder = get_encoder("mine")
    before = encoder.identity
    parts = encoder.encode(PICTURES)
    assert {name: len(part) for name, part in parts[0].items()} == dict(encoder.dimensions)
    expected = module.eval()
    expected.fc = torch.nn.Identity()
    pixels = models.get_model_weights("resnet18").DEFAULT.transforms()(PICTURES[0])
    with torch.inference_mode():
        row = expected(pixels[None])[0].numpy()
    assert parts[0]["deep"] @ (row / np.linalg.norm(row)) == pytest.approx(1, abs=1e-4)

    torch.save(models.resnet18(weights=None).state_dict(), path)
    get_encoder.cache_clear()
    assert get_encoder("mine").identity != before
    with pytest.raises(LookupError, match=r"Build a new generation.*--encoder mine"):
        encoder_for(before)


def saved(path: Path, state: dict) -> str:
    import torch

    torch.save(state, path)
    return str(path)


def resnet(layers: int = 18, **options) -> dict:
    from torchvision import models

    return models.get_model(f"resnet{layers}", weights=None, **options).state_dict()


def test_a_network_trained_further_on_other_classes_fits_where_they_are_not_asked_for(tmp_path):
    path = saved(tmp_path / "ours.pth", {f"module.{name}": value for name, value in resnet(num_classes=7).items()})
    assert TorchvisionNetwork("resnet18", path).dimension == 512
    with pytest.raises(EncoderError, match=r"fc\.weight is \(7, 512\) there and \(1000, 512\) here"):
        TorchvisionNetwork("resnet18", path, output="logits").load()


def test_a_file_of_an_old_torch_fits(tmp_path):
    old = {name: value for name, value in resnet().items() if not name.endswith("num_batches_tracked")}
    assert TorchvisionNetwork("resnet18", saved(tmp_path / "old.pth", old)).dimension == 512


def test_a_file_is_known_by_its_content_and_may_move(settings, tmp_path):
    identities = []
    for path in (tmp_path / "a.pth", tmp_path / "b.pth"):
        path.write_bytes(b"the same")
        settings.SEARCH_ENCODERS = {"mine": entry(model="resnet18", weights=str(path))}
        identities.append(get_encoder("mine").identity)
    assert identities[0] == identities[1]


def test_a_file_that_was_replaced_is_not_loaded_under_the_old_identity(tmp_path):
    path = saved(tmp_path / "weights.pth", resnet())
    network = TorchvisionNetwork("resnet18", path)
    assert network.resolved_options["weights"]
    saved(tmp_path / "weights.pth", resnet())
    with pytest.raises(EncoderError, match="has changed since this process started"):
        network.load()


def test_an_upgrade_of_torchvision_changes_only_encoders_that_ask_for_its_best_weights(settings, monkeypatch):
    settings.SEARCH_ENCODERS = {
        "named": entry(model="resnet18", weights="IMAGENET1K_V1"),
        "best": entry(model="resnet18"),
    }
    before = {name: get_encoder(name).identity for name in ("named", "best")}
    monkeypatch.setattr("search.encoders.networks.torchvision.package_version", lambda name: "99")
    get_encoder.cache_clear()
    assert get_encoder("named").identity == before["named"]
    assert get_encoder("best").identity != before["best"]


@pytest.mark.parametrize("size", [(12_000, 1), (1, 12_000)])
def test_a_thin_picture_is_not_blown_up_before_its_middle_is_cut_out(size):
    seen = []

    class Watched(TorchvisionNetwork):
        def built(self):
            module, transforms = super().built()
            return module, lambda picture: seen.append(picture.size) or transforms(picture)

    assert Watched("resnet18", "random:1").embed([Image.new("RGB", size)]).shape == (1, 512)
    assert sorted(seen[0]) == [1, 4]


def test_numbers_that_are_none_are_never_stored(settings, monkeypatch):
    settings.SEARCH_ENCODERS = {"mine": entry(model="resnet18", weights="random:1")}
    infinite = np.full((1, 512), np.inf, np.float32)
    monkeypatch.setattr(TorchvisionNetwork, "embed_and_classify", lambda self, pictures: (infinite, None))
    with pytest.raises(EncoderError, match=r"mine gave numbers that are not finite.*ENCODER_HALF=never"):
        get_encoder("mine").encode(PICTURES[:1])


@pytest.mark.parametrize("value", ["{oops", '["resnet50"]'])
def test_a_variable_that_is_no_object_names_itself(value):
    code = "import imgsite.settings"
    run = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"SEARCH_ENCODERS": value}, capture_output=True, text=True
    )
    assert "ImproperlyConfigured: SEARCH_ENCODERS is no JSON" in run.stderr


def test_open_clip_compares_pictures_and_texts(settings):
    settings.SEARCH_ENCODERS = {"clip": entry(OPEN_CLIP, model="ViT-S-32-alt", weights="random:1")}
    encoder = get_encoder("clip")
    parts = encoder.encode(PICTURES)
    texts = encoder.network.embed_texts(["a red circle"])
    assert texts.shape == (1, len(parts[0]["deep"])) == (1, encoder.dimensions["deep"])


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"OPTIONS": {}}, "has BACKEND"),
        (entry("nowhere.Network"), "cannot be imported"),
        (entry("search.text.analyse", text="x"), "is no network"),
        (entry(model="resnet18", layers=3), "OPTIONS do not fit"),
        (entry(model="resnet18", output="middle"), "pooled or logits"),
        (entry(model="resnet18", weights="random:x"), "have a seed"),
        (entry(model="resnet18", weights=None), "weights is None"),
        (entry(OPEN_CLIP, model="ViT-S-32-alt", weights="random:x"), "have a seed"),
        (entry(model="resnet18") | {"WEIGHTS": {"deep": float("inf")}}, "parts of deep"),
        (entry(model="resnet18", weights="/nowhere/resnet18.pth"), "cannot be read"),
        (entry(LITE, variant=9), "variant is 9"),
        (entry(model="resnet18") | {"WEIGHTS": {"smell": 1}}, "parts of deep, color, texture, shape"),
        (entry(model="resnet18") | {"WEIGHTS": {"deep": -1}}, "parts of deep"),
    ],
)
def test_wrong_settings_are_told_before_anything_is_loaded(settings, wrong, text):
    settings.SEARCH_ENCODERS = {"mine": wrong}
    with pytest.raises(EncoderError, match=rf"'mine'.*{text}"):
        get_encoder("mine")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"model": "resnet9000", "weights": "random:1"}, "no classification network 'resnet9000'"),
        ({"model": "resnet18", "weights": "IMAGENET9K"}, r"no weights 'IMAGENET9K'.*IMAGENET1K_V1"),
        ({"model": "resnet34", "weights": "FILE"}, r"weights of another model: it has no layer1\.2"),
        ({"model": "wide_resnet50_2", "weights": "FILE"}, "weights of another model"),
        ({"model": "resnet18", "weights": "DEEPER"}, r"weights of another model: it has layer1\.2"),
        ({"model": "resnet18", "weights": "TEXT"}, "no file of weights"),
    ],
)
def test_a_network_that_cannot_be_loaded_says_why(tmp_path, options, text):
    import torch
    from torchvision import models

    files = {"FILE": tmp_path / "weights.pth", "TEXT": tmp_path / "notes.pth", "DEEPER": tmp_path / "deeper.pth"}
    torch.save(models.resnet34(weights=None).state_dict(), files["DEEPER"])
    torch.save(models.resnet18(weights=None).state_dict(), files["FILE"])
    files["TEXT"].write_text("not weights")
    weights = files.get(options["weights"], options["weights"])
    with pytest.raises(EncoderError, match=text):
        TorchvisionNetwork(options["model"], str(weights)).embed([Image.new("RGB", (8, 8))])


def test_weights_may_favour_other_parts(settings):
    settings.SEARCH_ENCODERS = {"mine": entry(LITE, variant=0) | {"WEIGHTS": {"deep": 3, "texture": 1}}}
    assert get_encoder("mine").default_weights == {"deep": 0.75, "color": 0, "texture": 0.25, "shape": 0}


def test_a_device_that_is_not_there_is_named(settings):
    settings.ENCODER_DEVICE = "mps"
    with pytest.raises(EncoderError, match=r"mps.*It finds: cpu"):
        chosen_device()
    settings.ENCODER_DEVICE = "cpu"
    assert (chosen_device(), uses_half("cpu"), uses_half("cuda")) == ("cpu", False, True)


def lite(**options) -> dict:
    return {"lite": entry(LITE, variant=0, **options)}


def test_the_pooling_decides_the_numbers_and_names_the_encoder(settings):
    settings.SEARCH_ENCODERS = lite()
    usual = get_encoder("lite")
    rows, classes = usual.network.embed_and_classify(PICTURES)
    settings.SEARCH_ENCODERS = lite(pooling="gem")
    assert get_encoder("lite").identity == usual.identity
    settings.SEARCH_ENCODERS = lite(pooling="mean")
    mean = get_encoder("lite")
    assert mean.identity != usual.identity
    means, same_classes = mean.network.embed_and_classify(PICTURES)
    assert (rows >= means - 1e-4).all(), "a generalised mean of power 3 is never below the mean"
    assert np.mean(rows > 1.2 * means) > 0.5, "and above it where a feature is strong in a few places"
    np.testing.assert_allclose(classes, same_classes, atol=1e-6, err_msg="classes are read from the mean, as trained")


def test_a_generalised_mean_is_the_cube_root_of_the_mean_cube():
    import torch

    features = torch.rand(2, 5, 4, 3)
    pooled = EfficientNetLite(0)._pooled(features, features.mean(dim=(2, 3))).numpy()
    np.testing.assert_allclose(pooled, np.cbrt((features.numpy() ** 3).mean(axis=(2, 3))), rtol=1e-4)


def test_the_middle_alone_may_be_looked_at(settings):
    framed = Image.new("RGB", (400, 300), "blue")
    framed.paste(draw("circle", size=(340, 255)), (30, 22))
    inside = framed.crop((30, 22, 370, 277))
    settings.SEARCH_ENCODERS = lite()
    whole = get_encoder("lite")
    settings.SEARCH_ENCODERS = lite(middle=1)
    assert get_encoder("lite").identity == whole.identity, "all of it is what there is without the option"
    settings.SEARCH_ENCODERS = lite(middle=0.85)
    middle = get_encoder("lite")
    assert middle.identity != whole.identity
    np.testing.assert_allclose(middle.network.embed([framed]), whole.network.embed([inside]), rtol=1e-4, atol=1e-4)
    assert np.abs(whole.network.embed([framed]) - whole.network.embed([inside])).max() > 0.1


def test_the_network_may_see_more_pixels(settings):
    settings.SEARCH_ENCODERS = lite()
    usual = get_encoder("lite")
    settings.SEARCH_ENCODERS = lite(side=224)
    assert get_encoder("lite").identity == usual.identity, "what the weights were trained with"
    settings.SEARCH_ENCODERS = lite(side=320)
    larger = get_encoder("lite")
    assert larger.identity != usual.identity
    rows, classes = larger.network.embed_and_classify(PICTURES)
    assert rows.shape == (2, 1280)
    assert classes.sum(axis=1) == pytest.approx(1, abs=1e-4)
    assert np.abs(rows - usual.network.embed(PICTURES)).max() > 0.1


@pytest.mark.parametrize("side", [0, 127, 513, 320.0, "320", True])
def test_a_side_that_is_none_is_told(side):
    with pytest.raises(EncoderError, match="from 128 to 512"):
        EfficientNetLite(0, side=side)


@pytest.mark.parametrize("share", [0, 0.49, 1.01, "0.85", None])
def test_a_share_that_is_none_is_told(share):
    with pytest.raises(EncoderError, match=r"from 0\.5 to 1"):
        EfficientNetLite(0, middle=share)


def test_an_unknown_pooling_is_told():
    with pytest.raises(EncoderError, match="pooling is 'median'; there are mean, gem"):
        EfficientNetLite(0, "median")


def test_encoders_of_former_defaults_are_found_by_the_identities_that_they_had(settings):
    from imgsite.settings import SEARCH_ENCODERS

    settings.SEARCH_ENCODERS = SEARCH_ENCODERS
    for identity in ("efficientnet-lite0@1-d4a43957", "efficientnet-lite2@1-ca703904"):
        former = encoder_for(identity)
        assert former.network.pooling == "mean"
        assert get_encoder(former.name).identity != identity
    # Who names the former default keeps it, and nothing is embedded again.
    options = {"variant": 2, "pooling": "mean", "side": 260}
    pinned = {**SEARCH_ENCODERS["efficientnet-lite2"], "OPTIONS": options}
    settings.SEARCH_ENCODERS = {"efficientnet-lite2": pinned}
    assert get_encoder("efficientnet-lite2").identity == "efficientnet-lite2@1-ca703904"
