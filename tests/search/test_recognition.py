"""What is recognised in photos: the table of names, what is stored, what is indexed, and which words find it."""

import pytest
import skimage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from PIL import Image as Pillow

from gallery.intake import add_image
from search import recognition
from search.encoders import get_encoder
from search.encoders.networks.torchvision import TorchvisionNetwork
from search.encoders.slot import describe_one
from search.indexing.loop import IndexLoop
from search.models import Embedding
from search.recognition.table import classes, concepts, groups
from search.text import analyse, query_phrases
from tests.catalogue import add_product
from tests.pictures import draw

CATS = [("egyptian-cat", 0.3), ("tabby", 0.15), ("tiger-cat", 0.1), ("lynx", 0.06)]


@pytest.fixture(scope="module")
def cat() -> Pillow.Image:
    """A photograph of a cat."""
    return Pillow.fromarray(skimage.data.cat())


# --- The table ----------------------------------------------------------------------------------------


def test_the_classes_are_those_of_the_networks_in_their_order():
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    def tokens(*names: str) -> set[str]:
        return {token for name in names for token in analyse(name.replace("-", " ")).split()}

    assert len(classes()) == len(_IMAGENET_CATEGORIES) == recognition.CLASSES
    for one, theirs in zip(classes(), _IMAGENET_CATEGORIES, strict=True):
        if theirs not in ("cock", "nipple"):  # ours are words that a shop would use
            assert tokens(theirs) & tokens(one.english, *one.also), (one, theirs)


def test_every_code_is_one_of_a_kind_and_every_name_is_in_both_languages():
    assert len(concepts()) == len(classes()) + len(groups())
    for one in concepts().values():
        assert one.code == one.code.strip().lower()
        assert one.english.strip()
        assert any("\u4e00" <= character <= "\u9fff" for character in one.chinese), one
        assert all(each == each.strip() for each in one.spellings)
    assert all(members for members in groups().values())


def test_broader_words_hold_what_people_mean_by_them():
    members = {group.english: codes for group, codes in groups().items()}
    assert members["cat"] == {"tabby", "tiger-cat", "persian-cat", "siamese-cat", "egyptian-cat"}
    assert len(members["dog"]) == 118
    assert {"running-shoe", "sandal", "clog", "loafer"} <= members["shoe"]
    assert {"banana", "lemon", "granny-smith"} <= members["fruit"]
    assert {"backpack", "purse"} <= members["bag"]
    assert "goldfinch" in members["bird"]
    assert "sports-car" in members["car"]
    assert members["cat"] | members["dog"] | members["bird"] <= members["animal"]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_word_of_a_code_finds_the_code(language):
    with translation.override(language):
        for code in concepts():
            found = recognition.codes_for_phrases(query_phrases(recognition.word_for(code)))
            assert found, code
            assert all(code in codes for codes in found), code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat", [{"any-cat"}]),
        ("Cats", [{"any-cat"}]),
        ("猫", [{"any-cat"}]),
        ("tabby", [{"tabby"}]),
        ("虎斑猫", [{"tabby"}]),
        ("sneakers", [{"running-shoe"}]),
        ("a coffee mug", [set(), {"coffee-mug"}, {"coffee-mug", "any-cup"}]),
        ("hot dog", [{"hotdog"}, {"hotdog", "any-dog"}]),
        ("red", [set()]),
        ("panda", [{"giant-panda", "any-panda"}]),
        ("red panda", [{"lesser-panda"}, {"lesser-panda", "giant-panda", "any-panda"}]),
        ("", []),
    ],
)
def test_typed_words_name_classes_and_groups(text, expected):
    found = recognition.codes_for_phrases(query_phrases(text))
    assert [expected_codes <= set(codes) for expected_codes, codes in zip(expected, found, strict=True)] == [
        True for _codes in expected
    ]
    assert all(codes for codes in expected) == all(found)


# --- What is stored and shown -------------------------------------------------------------------------


def test_classes_together_make_a_group_sure(settings):
    settings.RECOGNITION_CONFIDENCE = 0.5
    labels = recognition.labels_of(CATS)
    assert [(label.code, label.name, label.confidence) for label in labels] == [("any-cat", "cat", 0.55)]
    assert {"any-cat", "any-animal", "any-pet"} <= set(recognition.codes_of(CATS))
    assert "egyptian-cat" not in recognition.codes_of(CATS)
    settings.RECOGNITION_CONFIDENCE = 0.25
    assert [label.name for label in recognition.labels_of(CATS)] == ["cat", "Egyptian cat"]
    settings.RECOGNITION_CONFIDENCE = 0.7
    assert recognition.labels_of(CATS) == []


def test_names_are_in_the_language_of_who_reads():
    with translation.override("zh-hans"):
        assert recognition.as_json(CATS) == [{"name": "猫", "confidence": 0.55}]
        assert recognition.word_for("any-cat") == "猫"
    with translation.override("de"):
        assert recognition.as_json(CATS) == [{"name": "cat", "confidence": 0.55}]


@pytest.mark.parametrize("stored", [None, [], [["unheard-of", 0.9]]])
def test_nothing_is_recognised_in_what_names_nothing(stored):
    assert recognition.labels_of(stored) == []
    assert recognition.codes_of(stored) == ()
    assert recognition.chips(stored) == []


def test_chips_offer_no_word_that_is_typed_already(settings):
    settings.RECOGNITION_CONFIDENCE = 0.1
    assert [chip.name for chip in recognition.chips(CATS)] == ["cat", "Egyptian cat", "tabby cat"]
    assert [chip.name for chip in recognition.chips(CATS, "black cats")] == ["Egyptian cat", "tabby cat", "tiger cat"]
    assert [chip.name for chip in recognition.chips(CATS, limit=1)] == ["cat"]


def test_one_name_is_said_once():
    stored = [["sunglasses", 0.5], ["sunglass", 0.5]]
    assert [label.name for label in recognition.labels_of(stored)] == ["sunglasses"]


# --- Encoders -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"])
def test_a_cat_is_recognised_in_the_pass_that_encodes_it(cat, name):
    encoder = get_encoder(name)
    described, blank = encoder.describe([cat, Pillow.new("RGB", (64, 64), "white")])
    assert {"any-cat"} <= set(recognition.codes_of(described.labels))
    assert len(described.labels) <= 5
    assert all(0.05 <= confidence <= 1 for _code, confidence in described.labels)
    assert sorted(described.labels, key=lambda label: -label[1]) == described.labels
    assert isinstance(blank.labels, list)
    vectors = encoder.encode([cat])[0]
    assert vectors.keys() == described.vectors.keys()
    assert vectors["deep"] @ described.vectors["deep"] == pytest.approx(1, abs=1e-4)
    assert dict(describe_one(encoder, cat).labels) == pytest.approx(dict(described.labels), abs=0.01)


def test_a_network_with_weights_of_its_last_layer_names_what_that_layer_says(tmp_path):
    import torch
    from torchvision import models

    torch.manual_seed(5)
    module = models.resnet18(weights=None)
    path = tmp_path / "resnet18.pth"
    torch.save(module.state_dict(), path)
    network = TorchvisionNetwork("resnet18", str(path))
    deep, classified = network.embed_and_classify([draw("circle")])
    transforms = models.ResNet18_Weights.DEFAULT.transforms()
    with torch.inference_mode():
        expected = module.eval()(transforms(draw("circle"))[None]).softmax(1).numpy()
    assert (deep.shape, classified.shape) == ((1, 512), (1, 1000))
    assert classified == pytest.approx(expected, abs=1e-5)
    logits, same = TorchvisionNetwork("resnet18", str(path), output="logits").embed_and_classify([draw("circle")])
    assert logits.shape == (1, 1000)
    assert same == pytest.approx(expected, abs=1e-5)


def test_a_network_without_classes_of_imagenet_names_nothing(tmp_path):
    import torch
    from torchvision import models

    assert TorchvisionNetwork("resnet18", "random:1").embed_and_classify([draw("circle")])[1] is None
    path = tmp_path / "mine.pth"
    torch.save(models.resnet18(weights=None, num_classes=7).state_dict(), path)
    deep, classified = TorchvisionNetwork("resnet18", str(path)).embed_and_classify([draw("circle")])
    assert (deep.shape, classified) == ((1, 512), None)


# --- From photo to search -----------------------------------------------------------------------------


@pytest.fixture
def pet_shop(cat, index, tmp_path):
    """A bowl for cats, something that says nothing of them, and a poster whose photo shows one."""
    add_product("BOWL", "circle", "blue", title="Bowl for a cat")
    add_product("BOX", "square", "green", title="Plain box")
    poster = add_product("POSTER", photos=0, title="Poster no. 7")
    path = tmp_path / "cat.png"
    cat.save(path)
    with path.open("rb") as file:
        add_image(poster, file, "cat.png")
    index()
    return poster


def skus(client, **asked) -> list[str]:
    return [hit["product"]["sku"] for hit in client.get("/api/v1/search", asked).json()["hits"]]


def test_words_find_what_photos_show_behind_what_titles_say(pet_shop, client):
    assert skus(client, q="cat") == ["BOWL", "POSTER"]
    assert skus(client, q="猫") == ["POSTER"]
    assert skus(client, q="poster cat") == ["POSTER"]
    assert skus(client, q="dog") == []
    assert "Poster no. 7" in client.get(reverse("search"), {"q": "cat"}).content.decode()


def test_labels_are_stored_once_and_kept(pet_shop, encoded):
    (image,) = pet_shop.images.all()
    stored = Embedding.objects.get(sha256=image.sha256)
    assert recognition.labels_of(stored.labels)[0].name == "cat"
    pet_shop.title = "Poster no. 8"
    pet_shop.save()
    IndexLoop().run_until_idle()
    assert encoded == [], "a document that is written again asks no network"
    stored.refresh_from_db()
    assert stored.labels


def test_an_image_whose_network_named_nothing_is_indexed_all_the_same(pet_shop, client):
    Embedding.objects.update(labels=None)
    pet_shop.save()
    IndexLoop().run_until_idle()
    assert skus(client, q="cat") == ["BOWL"]
    assert skus(client, q="poster") == ["POSTER"]


def test_a_name_that_holds_a_colour_is_not_taken_apart(pet_shop, client):
    answer = client.get("/api/v1/search", {"q": "red panda"}).json()
    assert "color" not in answer["query"]
    answer = client.get("/api/v1/search", {"q": "red cat"}).json()
    assert "color=red" in answer["query"]


# --- Parts of pages -----------------------------------------------------------------------------------


def test_chips_are_links_that_say_what_they_do():
    context = {"labels": [("cat", "/search/?q=cat&photo=1"), ("<tabby>", "/search/?q=tabby")]}
    html = render_to_string("search/_recognised.html", context)
    assert html.count("<li>") == 2
    assert 'href="/search/?q=cat&amp;photo=1"' in html
    assert "Looks like:" in html
    assert "Add to the search:" in html
    assert "&lt;tabby&gt;" in html
    assert render_to_string("search/_recognised.html", {"labels": []}).strip() == ""


def test_what_the_word_finds_says_that_nothing_looks_like_the_photo(pet_shop, client):
    card = client.get(reverse("search"), {"q": "poster"}).context["page"].bands[0].cards[0]
    named = {"word": "cat", "total": "1", "url": "/search/?q=cat", "cards": [card]}
    html = render_to_string("search/_named.html", {"named": named})
    assert "Nothing looks like this. Named “cat”:" in " ".join(html.split())
    assert "Poster no. 7" in html
    assert 'href="/search/?q=cat"' in html
    assert render_to_string("search/_named.html", {"named": named | {"cards": []}}).strip() == ""
