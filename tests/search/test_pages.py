"""The results page, its fragments and the home page, through their addresses."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gallery.models import Brand, Category, Image, Product
from gallery.signals import announce
from search.models import Embedding, Generation
from tests.catalogue import COLORS, SHAPES, add_photo, add_product, add_products
from tests.pictures import jpeg
from tests.search.test_photos import send

pytestmark = pytest.mark.django_db


def page_at(client, query: str = "", **options):
    response = client.get(f"{reverse('search')}?{query}", **options)
    assert response.status_code == 200
    return response.context["page"]


def skus(page) -> list[str]:
    return [card.product.sku for band in page.bands for card in band.cards]


def facet(page, code: str) -> dict[str, int]:
    return {option.label: option.count for one in page.facets if one.code == code for option in one.options}


def option(page, code: str, label: str):
    return next(o for one in page.facets if one.code == code for o in one.options if o.label == label)


def category(name: str) -> int:
    return Category.objects.get(name=name).pk


# --- By picture ---------------------------------------------------------------------------------------


def test_more_like_this_leaves_out_the_photo_itself(client, image_of):
    image = image_of("RED-CIRCLE")
    page = page_at(client, f"image={image.pk}")
    assert page.example == image
    assert skus(page)[0] == "RED-CIRCLE-2"
    assert "RED-CIRCLE" not in skus(page)


def test_products_stand_once_with_the_photos_that_match(client, image_of):
    page = page_at(client, f"image={image_of('RED-CIRCLE').pk}")
    card = page.bands[0].cards[0]
    assert (card.photos_matching, card.photos_in_product) == (3, 3)
    assert skus(page).count("RED-CIRCLE-2") == 1


def test_similarity_is_the_weighted_sum_of_the_parts(client, image_of):
    page = page_at(client, f"image={image_of('RED-CIRCLE').pk}&w=deep:0.6,color:0.4")
    for card in (card for band in page.bands for card in band.cards):
        assert card.similarity == pytest.approx(0.6 * card.parts["deep"] + 0.4 * card.parts["color"], abs=1e-4)


def test_bands_stand_in_words_from_the_nearest(client, image_of):
    page = page_at(client, f"image={image_of('RED-CIRCLE').pk}")
    assert [band.code for band in page.bands if band.code == "weak"] == []
    assert all(band.label for band in page.bands)
    similarities = [card.similarity for band in page.bands for card in band.cards]
    assert similarities == sorted(similarities, reverse=True)
    assert page.total == len(similarities)


def test_weaker_matches_come_on_request_and_are_not_counted(client, image_of, monkeypatch):
    # A high weak line: the scale is provisional, and six products are too few to measure one.
    monkeypatch.setattr("search.similarity._UNCALIBRATED", (0.9, 0.95, 0.98))
    key = image_of("RED-CIRCLE").pk
    page = page_at(client, f"image={key}")
    assert 0 < page.total < 5
    assert page.weaker_url == f"/search/?image={key}&weaker=1"
    more = page_at(client, urlsplit(page.weaker_url).query)
    assert [band.code for band in more.bands][-1] == "weak"
    assert (more.total, len(skus(more)), more.shows_weaker, more.weaker_url) == (page.total, 5, True, None)
    assert facet(more, "brand") == facet(page, "brand")


def test_filters_keep_the_picture_and_tell_the_truth(client, image_of):
    key = image_of("RED-CIRCLE").pk
    page = page_at(client, f"image={key}")
    url = option(page, "brand", "Öst").url
    assert parse_qs(urlsplit(url).query)["image"] == [str(key)]
    narrowed = page_at(client, urlsplit(url).query)
    assert set(skus(narrowed)) == {"BLUE-SQUARE", "GREEN-STRIPES"} & set(skus(page))
    assert narrowed.total == option(page, "brand", "Öst").count
    assert facet(narrowed, "brand") == facet(page, "brand"), "a facet is counted without its own filter"


def test_words_narrow_what_a_photo_finds(client, shop):
    body = send(client).json()
    page = page_at(client, urlsplit(body["url"]).query + "&q=triangle")
    assert skus(page) == ["BLACK-TRIANGLE"]
    assert page.hidden_fields == [("photo", body["photo"]["id"])]


def test_hidden_images_are_neither_examples_nor_results(client, client_of, staff, image_of, index):
    hidden = image_of("RED-CIRCLE-2")
    hidden.product.hide()
    # Even before the index has heard of it:
    shown = page_at(client, f"image={image_of('RED-CIRCLE').pk}")
    assert "RED-CIRCLE-2" not in skus(shown)
    index()
    page = page_at(client, f"image={hidden.pk}&q=circle")
    assert (page.example, page.query.canonical, len(page.notes)) == (None, "q=circle", 1)
    assert page_at(client_of(staff), f"image={hidden.pk}").example == hidden


def test_a_photo_that_is_not_indexed_yet_is_said_to_be(client, image_of, encoded):
    image = image_of("RED-CIRCLE")
    Embedding.objects.filter(sha256=image.sha256).delete()
    page = page_at(client, f"image={image.pk}")
    assert (page.total, page.bands, page.example) == (0, [], image)
    assert "not indexed yet" in page.notes[0]
    assert encoded == []


def test_weights_turn_the_ranking(client, image_of):
    key = image_of("RED-CIRCLE").pk
    by_color = page_at(client, f"image={key}&w=color:1")
    assert skus(by_color)[0] == "RED-CIRCLE-2"
    assert by_color.chips[-1].kind == "weights"
    unknown = page_at(client, f"image={key}&w=smell:1")
    assert len(unknown.notes) == 2
    assert skus(unknown) == skus(page_at(client, f"image={key}"))


@pytest.mark.parametrize(
    ("sort", "first"), [("price", "BLACK-TRIANGLE"), ("-price", "BLUE-SQUARE"), ("newest", "BLACK-TRIANGLE")]
)
def test_a_window_is_sorted_as_one(client, image_of, monkeypatch, sort, first):
    monkeypatch.setattr("search.similarity._UNCALIBRATED", (-1.0, 0.75, 0.95))
    page = page_at(client, f"image={image_of('RED-CIRCLE').pk}&sort={sort}")
    assert skus(page)[0] == first
    assert [band.code for band in page.bands] == ["all"]
    if sort != "newest":
        assert skus(page)[-1] == "GREEN-STRIPES", "without a price: last"


# --- By words, and browsing ---------------------------------------------------------------------------


def test_everything_is_listed_newest_first(client, shop):
    page = page_at(client)
    assert skus(page)[0] == "BLACK-TRIANGLE"
    assert (page.total, page.total_label, page.full, page.example, page.photo) == (6, "6", False, None, None)
    assert [sort.value for sort in page.sorts if sort.active] == ["newest"]


def test_words_find_titles_brands_categories_and_tags(client, shop):
    assert skus(page_at(client, "q=triangle")) == ["BLACK-TRIANGLE"]
    assert set(skus(page_at(client, "q=öst"))) == {"BLUE-SQUARE", "GREEN-STRIPES"}
    assert set(skus(page_at(client, "q=OST+square"))) == {"BLUE-SQUARE"}
    assert set(skus(page_at(client, "q=round"))) == {"RED-CIRCLE", "RED-CIRCLE-2", "ORANGE-CIRCLE"}
    assert set(skus(page_at(client, "q=warm"))) == {"RED-CIRCLE", "ORANGE-CIRCLE"}
    assert skus(page_at(client, "q=nothing+of+this")) == []


def test_chinese_words_find_titles_and_categories(client, shop, index):
    Category.objects.filter(name="Angular").update(names={"zh-hans": "有角的形状"})
    add_product("APPLE", title="Red apple", translations={"zh-hans": {"title": "红苹果"}}, category="Round")
    index()
    assert skus(page_at(client, "q=苹果")) == ["APPLE"]
    assert set(skus(page_at(client, "q=形状"))) == {"BLUE-SQUARE", "GREEN-STRIPES", "BLACK-TRIANGLE"}
    page = page_at(client, "q=苹果", headers={"accept-language": "zh-hans"})
    assert page.bands[0].cards[0].product.label == "红苹果"


def test_words_without_a_letter_are_said_to_be_none(client, shop):
    page = page_at(client, "q=!!!")
    assert page.total == 6
    assert len(page.notes) == 1


def test_unknown_filter_values_are_left_out_with_a_note(client, shop):
    page = page_at(client, "brand=999999&category=x&tags=none&availability=never&color=loud&q=triangle")
    assert page.query.canonical == "q=triangle"
    assert skus(page) == ["BLACK-TRIANGLE"]
    assert len(page.notes) == 5


def test_price_range_attributes_and_availability_narrow(client, shop):
    assert set(skus(page_at(client, "price_min=20&price_max=30"))) == {"RED-CIRCLE-2", "ORANGE-CIRCLE"}
    assert skus(page_at(client, "attr=size%3DM")) == ["BLACK-TRIANGLE"]
    assert skus(page_at(client, "availability=out_of_stock")) == ["BLACK-TRIANGLE"]
    assert page_at(client, "attr=size%3DXXL").notes == ["No product here has “size=XXL”."]


def test_colors_are_offered_in_one_order_with_true_counts(client, shop):
    page = page_at(client)
    assert facet(page, "color") == {"Black": 1, "White": 1, "Red": 2, "Orange": 1, "Green": 1, "Blue": 1}
    red = page_at(client, urlsplit(option(page, "color", "Red").url).query)
    assert red.query.canonical == "color=red"
    assert set(skus(red)) == {"RED-CIRCLE", "RED-CIRCLE-2"}
    assert facet(red, "color") == facet(page, "color"), "a facet is counted without its own filter"
    both = page_at(client, urlsplit(option(red, "color", "Blue").url).query)
    assert (both.query.canonical, both.total) == ("color=blue&color=red", 3)
    assert [chip.label for chip in both.chips] == ["Blue", "Red"]
    assert option(both, "color", "Red").url == "/search/?color=blue"


def test_colors_are_told_by_words_and_not_by_color_alone(client, shop):
    html = client.get("/search/?color=red").content.decode()
    options = re.findall(r'<a class="color-option".*?</a>', html, re.DOTALL)
    assert [" ".join(re.sub("<[^>]*>", " ", one).split()) for one in options] == [
        "Black 1", "White 1", "Red 2", "Orange 1", "Green 1", "Blue 1",
    ]  # fmt: skip
    assert ["aria-current" in one for one in options] == [False, False, True, False, False, False]


def test_a_color_narrows_what_a_picture_finds(client, image_of):
    page = page_at(client, f"image={image_of('RED-CIRCLE').pk}&color=orange&weaker=1")
    assert skus(page) == ["ORANGE-CIRCLE"]


def test_a_photo_with_several_colors_is_found_by_each(client, image_of, index):
    image = image_of("RED-CIRCLE")
    Image.objects.filter(pk=image.pk).update(colors=["red", "blue"])
    announce([image.pk])
    index()
    assert set(skus(page_at(client, "color=blue"))) == {"RED-CIRCLE", "BLUE-SQUARE"}


def test_price_form_keeps_the_rest_of_the_query(client, shop):
    form = page_at(client, "q=circle&price_min=15&sort=price&page=2").price
    assert form.hidden == [("q", "circle"), ("sort", "price")]
    assert (form.lowest, form.highest, form.min, form.max, form.currency) == (10, 30, 15, None, "EUR")
    assert [bar.height for bar in form.bars if bar.height] == [10, 10, 10]
    assert [bar.active for bar in form.bars] == [False] * 3 + [True] * 9


def test_categories_are_offered_level_by_level(client, shop):
    page = page_at(client)
    assert facet(page, "category") == {"Round": 3, "Angular": 3}
    inside = page_at(client, urlsplit(option(page, "category", "Round").url).query)
    assert facet(inside, "category") == {"Round": 3, "Discs": 2, "Rings": 1}
    deeper = page_at(client, urlsplit(option(inside, "category", "Discs").url).query)
    assert deeper.query.category == (str(category("Discs")),)
    assert facet(deeper, "category") == {"Discs": 2, "Rings": 1}
    assert option(deeper, "category", "Discs").active
    assert option(deeper, "category", "Discs").url == "/search/"


def test_chips_remove_one_thing_each(client, shop):
    brand = Brand.objects.get(name="Velluto").pk
    page = page_at(client, f"q=circle&brand={brand}&tags=warm&price_max=12&attr=size%3DM")
    assert [(chip.kind, chip.label) for chip in page.chips] == [
        ("text", "“circle”"),
        ("brand", "Velluto"),
        ("tags", "warm"),
        ("attributes", "size: M"),
        ("price", "Up to 12.00 EUR"),
    ]
    assert page.chips[1].remove_url == "/search/?q=circle&tags=warm&attr=size%3DM&price_max=12"
    assert page.clear_url == "/search/?q=circle"


def test_pages_follow_each_other(client, shop, settings):
    settings.SEARCH_PAGE_SIZE = 4
    first = page_at(client)
    assert (first.previous_url, first.next_url, len(skus(first))) == (None, "/search/?page=2", 4)
    second = page_at(client, "page=2")
    assert (second.previous_url, second.next_url, len(skus(second))) == ("/search/", None, 2)
    assert set(skus(first)) | set(skus(second)) == {product.sku for product in shop}
    beyond = page_at(client, "page=9")
    assert (skus(beyond), beyond.previous_url, len(beyond.notes)) == ([], "/search/?page=2", 1)


def test_a_full_window_says_to_narrow_it_down(client, image_of, settings, monkeypatch):
    monkeypatch.setattr("search.similarity._UNCALIBRATED", (-1.0, 0.75, 0.95))
    settings.SEARCH_WINDOW = 4
    page = page_at(client, f"image={image_of('RED-CIRCLE').pk}")
    assert page.full
    assert page.end_of_window
    assert page.total_label == f"{page.total}+"


def test_price_and_brand_stand_in_the_readers_notation(client, shop):
    add = Product.objects.get(sku="BLUE-SQUARE")
    add.price = "1234.50"
    add.save()
    card = next(card for card in page_at(client, "q=blue").bands[0].cards)
    assert (card.price_label, card.brand_label) == ("1,234.50 EUR", "Öst")


# --- What a photo is recognised as ---------------------------------------------------------------------


def test_a_query_photo_offers_the_words_for_what_it_shows(client, shop, settings):
    settings.RECOGNITION_CONFIDENCE = 0.05
    body = send(client).json()
    page = page_at(client, urlsplit(body["url"]).query)
    name, url = page.recognised[0]
    assert 0 < len(page.recognised) <= 3
    named = page_at(client, urlsplit(url).query)
    assert named.query.text
    assert name not in [other for other, _url in named.recognised], "what is typed is not offered again"
    assert page_at(client, f"image={shop[0].images.first().pk}").recognised == []


def test_what_nothing_resembles_is_searched_for_by_its_name(client, shop, settings, monkeypatch):
    settings.RECOGNITION_CONFIDENCE = 0.05
    monkeypatch.setattr("search.similarity._UNCALIBRATED", (0.9999, 0.99995, 0.99999))
    body = send(client, jpeg("circle", "purple", size=(200, 300))).json()
    page = page_at(client, urlsplit(body["url"]).query)
    assert (page.total, bool(page.without_url)) == (0, True)
    named = client.get(page.without_url).context["named"]
    assert named["word"] == page.recognised[0][0]
    assert urlsplit(named["url"]).query.startswith("q=")
    assert named["total"] == page_at(client, urlsplit(named["url"]).query).total


# --- The page as a whole ------------------------------------------------------------------------------


def test_htmx_gets_the_fragment_and_browsers_the_page(client, shop):
    def names(**headers) -> list[str]:
        response = client.get(reverse("search"), headers=headers)
        assert "HX-Request" in response["Vary"]
        return [template.name for template in response.templates]

    assert names()[0] == "search/results.html"
    assert names(hx_request="true", hx_target="results")[0] == "search/_results.html"
    assert names(hx_request="true", hx_target="results", hx_history_restore_request="true")[0] == "search/results.html"


@pytest.mark.parametrize("asked", ["", "q=circle", "brand", "photo", "photo and words and filters", "image"])
def test_queries_are_few_and_do_not_grow_with_the_hits(client, index, settings, asked):
    products = add_products(30)
    index()
    image = Image.objects.filter(product=products[0]).get()
    brand = Brand.objects.get().pk
    photo = send(client).json()["url"].partition("?")[2]
    query = {
        "brand": f"brand={brand}",
        "photo": photo,
        "photo and words and filters": f"{photo}&q=velluto&brand={brand}&price_max=1000&availability=in_stock",
        "image": f"image={image.pk}",
    }.get(asked, asked)
    counts = []
    for size in (5, 24):
        settings.SEARCH_PAGE_SIZE = size
        shown = page_at(client, query)  # also loads what a process keeps
        assert len(skus(shown)) >= min(size, 5)
        with CaptureQueriesContext(connection) as captured:
            page_at(client, query)
        counts.append(len(captured))
    assert counts[0] == counts[1], captured.captured_queries
    assert counts[1] <= 8, [entry["sql"][:150] for entry in captured.captured_queries]


def test_products_with_many_photos_take_no_more_queries(client, index, settings):
    products = [add_product(f"MANY-{n:02d}", SHAPES[n % 4], COLORS[n % 5], photos=5) for n in range(25)]
    index()
    first, second = (product.images.first().pk for product in products[:2])
    for query in (f"image={first}&weaker=1", f"image={first}&less={second}&by=color&weaker=1"):
        page_at(client, query)
        with CaptureQueriesContext(connection) as captured:
            page = page_at(client, query)
        assert len(skus(page)) >= 20
        assert len(captured) <= 8, [entry["sql"][:150] for entry in captured.captured_queries]


def test_signed_in_staff_take_few_queries_too(client_of, staff, shop, image_of):
    browser = client_of(staff)
    url = f"image={image_of('RED-CIRCLE').pk}&q=velluto"
    page_at(browser, url)
    with CaptureQueriesContext(connection) as captured:
        page_at(browser, url)
    assert len(captured) <= 12, [entry["sql"][:150] for entry in captured.captured_queries]


def test_cards_lead_back_to_the_results(client, shop):
    card = page_at(client, "q=triangle").bands[0].cards[0]
    product = client.get(card.url)
    assert product.context["back_url"] == "/search/?q=triangle"


def test_every_page_but_admin_and_documentation_is_under_the_strict_policy(client, shop):
    for path in ("/", "/search/", "/search/?q=red"):
        assert "unsafe" not in client.get(path)["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in client.get("/admin/login/")["Content-Security-Policy"]


def test_a_dead_engine_keeps_the_query_and_the_time_to_come_back(client, engine_down):
    response = client.get("/search/?q=red+shoe&sort=price")
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert response.context["query_string"] == "q=red+shoe&sort=price"
    assert response.context["page_url"] == "/search/?q=red+shoe&sort=price"
    assert response.context["query"].text == "red shoe"


def test_before_anything_is_indexed_the_page_says_so(client, db):
    page = page_at(client, "q=shoe")
    assert (page.total, page.bands) == (0, [])
    assert "Nothing is indexed yet" in page.notes[0]


def test_asking_too_often_is_answered_in_words(client, shop, settings):
    rates = {"search": "2/min", "photo": "9/min"}
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}
    assert [client.get("/search/?q=red").status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get("/search/?q=red")
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused.context["query_string"] == "q=red"
    assert client.get("/").status_code == 200


def test_made_up_cookies_do_not_help_against_the_throttle(client, shop, settings):
    rates = {"search": "2/min", "photo": "9/min"}
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}
    statuses = []
    for n in range(3):
        client.cookies["sessionid"] = f"invented{n}"
        statuses.append(client.get("/search/").status_code)
    assert statuses == [200, 200, 429]


# --- Strip, progress, home ----------------------------------------------------------------------------


def test_the_strip_shows_other_products(client, image_of):
    response = client.get(reverse("similar", args=[image_of("RED-CIRCLE-2").pk]))
    assert response.context["error"] is None
    shown = [card.product.sku for card in response.context["cards"]]
    assert shown[0] == "RED-CIRCLE"
    assert "RED-CIRCLE-2" not in shown


def test_the_strip_of_a_hidden_image_is_for_staff(client, client_of, staff, image_of, index):
    image = image_of("RED-CIRCLE")
    image.product.hide()
    index()
    url = reverse("similar", args=[image.pk])
    assert client.get(url).status_code == 404
    assert client_of(staff).get(url).context["cards"]


def test_the_strip_says_in_its_place_that_search_is_down(client, engine_down, image_of):
    response = client.get(reverse("similar", args=[image_of("RED-CIRCLE").pk]))
    assert response.status_code == 200
    assert response.context["error"]
    assert response.context["cards"] == []


def test_progress_counts_what_waits(client, shop):
    add_photo(shop[0], "square", "red", "late.jpg")
    progress = client.get(reverse("progress")).context["progress"]
    assert (progress.images, progress.indexed, progress.waiting) == (9, 8, 1)


def test_home_shows_categories_and_newest_of_what_is_public(client, shop, index):
    Product.objects.get(sku="BLACK-TRIANGLE").hide()
    response = client.get(reverse("home"))
    assert response.status_code == 200
    assert [card.category.name for card in response.context["categories"]] == ["Angular", "Round"]
    assert response.context["categories"][0].url == f"/search/?category={category('Angular')}"
    assert [card.product.sku for card in response.context["newest"]][:2] == ["GREEN-STRIPES", "BLUE-SQUARE"]
    assert response.context["samples"] == []
    assert response.context["progress"].images == 8


def test_home_needs_no_search_engine(client, engine_down):
    assert client.get(reverse("home")).status_code == 200


@pytest.fixture
def sample_photos(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    folder = tmp_path / "samples"
    folder.mkdir()
    (folder / "1.jpg").write_bytes(jpeg("circle", "red"))
    (folder / "2.jpg").write_bytes(jpeg("square", "blue"))
    rows = [
        {"file": "1.jpg", "name": "A red disc", "name_zh": "红色圆盘"},
        {"file": "2.jpg", "name": "A blue tile", "name_zh": "蓝色方块"},
    ]
    (folder / "samples.json").write_text(json.dumps(rows), encoding="utf-8")


def test_a_sample_is_searched_on_click(client, shop, sample_photos, encoded):
    offered = client.get(reverse("home")).context["samples"]
    assert [sample.name for sample in offered] == ["A red disc", "A blue tile"]
    page = client.get(offered[1].url, follow=True).context["page"]
    assert skus(page)[0] == "BLUE-SQUARE"
    again = client.get(offered[1].url, follow=True).context["page"]
    assert again.photo.key == page.photo.key, "the session has the photo already"
    assert encoded == [1]
    thumb = client.get(offered[0].thumb_url)
    assert (thumb.status_code, thumb["Content-Type"]) == (200, "image/jpeg")
    assert client.get(reverse("sample", args=[3])).status_code == 404


def test_samples_are_named_in_chinese(client, db, sample_photos):
    offered = client.get(reverse("home"), headers={"accept-language": "zh-hans"}).context["samples"]
    assert [sample.name for sample in offered] == ["红色圆盘", "蓝色方块"]


def test_one_generation_answers(client, shop):
    assert Generation.objects.live() is not None
    assert page_at(client).total == 6


def test_staff_see_beside_a_product_where_its_photos_are_in_the_index(shop, client_of, staff):
    product = shop[0]
    address = reverse("index-states", args=[product.pk])
    assert client_of().get(address).status_code == 404
    browser = client_of(staff)
    assert address in browser.get(product.get_absolute_url()).content.decode()
    assert "in the index" in browser.get(address).content.decode()
    product.hide()
    assert "waiting to be indexed" in browser.get(address).content.decode()
