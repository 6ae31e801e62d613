"""The JSON API through its address: what it takes, what it answers, how it refuses."""

import json
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from jsonschema import Draft202012Validator

from gallery.models import Brand, Category
from search.encoders import slot
from search.models import Generation, QueryPhoto
from tests.catalogue import add_product
from tests.pictures import jpeg
from tests.search.bad_files import REFUSED

pytestmark = pytest.mark.django_db

URL = "/api/v1/search"


def ask(client, query: str = "", status: int = 200) -> dict:
    response = client.get(f"{URL}?{query}")
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    return response.json()


def post_image(client, data: bytes | None = None, name: str = "mine.jpg", **fields):
    file = SimpleUploadedFile(name, jpeg() if data is None else data, "image/jpeg")
    return client.post(URL, {"image": file, **fields})


def post_json(client, body):
    return client.post(URL, json.dumps(body), content_type="application/json")


def skus(body: dict) -> list[str]:
    return [hit["product"]["sku"] for hit in body["hits"]]


def test_nothing_asked_lists_the_newest(client, shop):
    body = ask(client)
    assert skus(body)[0] == "BLACK-TRIANGLE"
    assert (body["total"], body["total_is_lower_bound"], body["next"], body["query"]) == (6, False, None, "")
    assert body["generation"] == Generation.objects.get(state="live").pk
    assert body["took_ms"] > 0


def test_a_hit_says_all_of_image_and_product(client, image_of):
    image = image_of("RED-CIRCLE")
    hit = ask(client, "q=RED-CIRCLE&tags=plain")["hits"][0]
    assert hit == {
        "image": {
            "id": str(image.pk),
            "width": 240,
            "height": 180,
            "urls": {format: f"http://testserver{image.url(640, format)}" for format in ("webp", "jpeg")},
            "labels": hit["image"]["labels"],
        },
        "product": {
            "sku": "RED-CIRCLE",
            "title": "Red circle",
            "category": "Discs",
            "brand": "Velluto",
            "price": 10.0,
            "currency": "EUR",
            "tags": ["plain", "warm"],
            "url": f"http://testserver{image.product.get_absolute_url()}",
        },
        "similarity": None,
        "parts": {},
        "band": None,
        "photos_matching": 1,
    }


def test_by_image_id_with_similarity_and_parts(client, image_of):
    body = ask(client, f"image_id={image_of('RED-CIRCLE').pk}&weights=deep:0.6,color:0.4")
    assert skus(body)[0] == "RED-CIRCLE-2"
    assert "RED-CIRCLE" not in skus(body)
    for hit in body["hits"]:
        expected = 0.6 * hit["parts"]["deep"] + 0.4 * hit["parts"]["color"]
        assert hit["similarity"] == pytest.approx(expected, abs=1e-4)
        assert hit["band"] in ("nearly-the-same", "very-similar", "similar")


def test_several_images_some_of_them_not_wanted(client, image_of):
    red, blue, orange = (str(image_of(sku).pk) for sku in ("RED-CIRCLE", "BLUE-SQUARE", "ORANGE-CIRCLE"))
    body = post_json(client, {"image_id": [red, blue], "less": [orange], "by": "color"}).json()
    assert {"RED-CIRCLE", "BLUE-SQUARE", "ORANGE-CIRCLE"}.isdisjoint(skus(body))
    assert body["query"] == f"image={red}&image={blue}&less={orange}&by=color"
    assert body["hits"] == ask(client, f"less={orange}&image_id={blue}&image_id={red}&by=color")["hits"]
    missing = ask(client, f"image_id={red}&less={uuid4()}", 404)
    assert missing["field"] == "less"


def test_a_part_of_an_uploaded_image(client, shop):
    whole = post_image(client, weaker="1").json()
    part = post_image(client, crop="300,300,400,400", weaker="1").json()
    assert part["hits"] != whole["hits"]
    refused = post_image(client, crop="0,0,5,5")
    assert (refused.status_code, refused.json()["field"]) == (400, "crop")


def test_words_that_name_a_colour_filter_by_it(client, shop):
    body = ask(client, "q=orange+circle")
    assert (body["query"], skus(body)) == ("q=circle&color=orange", ["ORANGE-CIRCLE"])


def test_by_uploaded_image_which_is_not_kept(client, shop, encoded):
    body = post_image(client, limit="2").json()
    assert skus(body)[0] == "RED-CIRCLE"
    assert len(body["hits"]) == 2
    assert encoded == [1]
    assert QueryPhoto.objects.count() == 0
    assert "sessionid" not in client.cookies
    again = client.post(body["next"], {"image": SimpleUploadedFile("mine.jpg", jpeg())}).json()
    assert not set(skus(again)) & set(skus(body))


def test_json_body_means_the_same_as_a_query_string(client, image_of):
    image = str(image_of("RED-CIRCLE").pk)
    body = {
        "image_id": image,
        "availability": ["in_stock"],
        "price_max": 35,
        "sort": "price",
        "weaker": True,
        "weights": {"deep": 0.8, "color": 0.2},
        "limit": 3,
    }
    query = (
        f"image_id={image}&availability=in_stock&price_max=35&sort=price&weaker=1&weights=deep:0.8,color:0.2&limit=3"
    )
    posted, got = post_json(client, body).json(), ask(client, query)
    del posted["took_ms"], got["took_ms"]
    assert posted == got
    assert post_json(client, {"attr": {"size": ["M"]}}).json()["total"] == 1


def test_facets_and_filters_speak_alike(client, shop):
    body = ask(client)
    brands = {value["label"]: value for value in body["facets"]["brand"]}
    assert (brands["Velluto"]["count"], brands["Öst"]["count"]) == (4, 2)
    narrowed = ask(client, f"brand={brands['Öst']['value']}")
    assert narrowed["total"] == 2
    assert narrowed["facets"]["brand"] == body["facets"]["brand"]
    assert body["facets"]["attributes"]["size"][0] == {"value": "size=M", "label": "M", "count": 1}
    assert body["facets"]["color"][0] == {"value": "red", "label": "Red", "count": 2}
    assert (body["facets"]["price"]["lowest"], body["facets"]["price"]["highest"]) == (5, 40)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("category=Round/Discs", {"RED-CIRCLE", "RED-CIRCLE-2"}),
        ("category=round/discs", {"RED-CIRCLE", "RED-CIRCLE-2"}),
        ("category=Discs", {"RED-CIRCLE", "RED-CIRCLE-2"}),
        ("brand=Öst", {"BLUE-SQUARE", "GREEN-STRIPES"}),
        ("tags=warm", {"RED-CIRCLE", "ORANGE-CIRCLE"}),
        ("color=orange&color=green", {"ORANGE-CIRCLE", "GREEN-STRIPES"}),
        ("tags=plain&tags=warm&brand=Velluto&price_min=15", {"ORANGE-CIRCLE"}),
    ],
)
def test_names_stand_for_ids_where_they_are_certain(client, shop, query, expected):
    body = ask(client, query)
    assert set(skus(body)) == expected
    assert body["notes"] == []


def test_a_name_that_two_categories_have_is_not_certain(client, shop, index):
    add_product("X", category="Angular/Discs")
    index()
    body = ask(client, "category=Discs")
    assert (body["total"], len(body["notes"])) == (0, 1)
    assert skus(ask(client, "category=Angular/Discs")) == ["X"]


def test_unknown_values_match_nothing_and_are_named(client, shop):
    body = ask(client, "brand=999999&q=circle")
    assert (body["total"], body["hits"]) == (0, [])
    assert "999999" in body["notes"][0]
    loud = ask(client, "color=loud")
    assert (loud["total"], loud["notes"]) == (0, ["color: “loud” is unknown and matches nothing."])
    either = ask(client, f"brand=999999&brand={Brand.objects.get(name='Öst').pk}")
    assert (either["total"], len(either["notes"])) == (2, 1)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("page=0", "page"),
        ("page=101&limit=100", "page"),
        ("price_min=free", "price_min"),
        ("sort=best", "sort"),
        ("weights=deep", "weights"),
        ("weights=smell:1&image_id=IMAGE", "weights"),
        ("image_id=1", "image_id"),
        ("image=IMAGE", "image"),
        ("colour=red", "colour"),
        ("q=a&q=b", "q"),
        ("photo=IMAGE", "photo"),
        ("attr=M", "attr"),
        ("image_id=IMAGE@9,9,9,9", "image_id"),
        ("less=IMAGE@out", "less"),
        ("crop=0,0,500,500", "crop"),
        ("by=taste", "by"),
        ("group=shop", "group"),
        ("share=0123456789abcdef", "share"),
    ],
)
def test_what_cannot_be_read_is_named(client, image_of, query, field):
    body = ask(client, query.replace("IMAGE", str(image_of("RED-CIRCLE").pk)), 400)
    assert body["field"] == field
    assert body["code"] == "bad_parameter"
    assert body["error"].endswith(".")


@pytest.mark.parametrize(
    "body",
    ["", "[]", "7", '{"q": {"a": 1}}', '{"q"', "[" * 100_000, b"\xff\xfe", '{"price_min": 1e400}', '{"q": "\\ud800"}'],
)
def test_bodies_that_are_no_parameters_are_refused(client, shop, body):
    response = client.post(URL, body, content_type="application/json")
    assert response.status_code in (200, 400) if body == "" else response.status_code == 400
    if response.status_code == 400:
        assert set(response.json()) == {"error", "code", "field"}


def test_a_body_over_the_limit_is_too_large(client, shop, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    response = post_json(client, {"q": "x" * 150})
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("kind", REFUSED)
def test_bad_files_are_refused_in_words(client, shop, kind):
    name, data, status = REFUSED[kind]
    response = post_image(client, data, name)
    assert response.status_code == status
    body = response.json()
    assert name in body["error"]
    assert body["field"] == "image"


@pytest.mark.parametrize("limit", ["MAX_IMAGE_BYTES", "MAX_IMAGE_PIXELS"])
def test_files_over_a_limit_are_too_large(client, shop, settings, limit):
    setattr(settings, limit, 1000)
    assert post_image(client).status_code == 413


def test_an_image_and_an_id_are_one_too_many(client, image_of):
    response = post_image(client, image_id=str(image_of("RED-CIRCLE").pk))
    assert (response.status_code, response.json()["field"]) == (400, "image")


def test_hidden_and_missing_images_are_not_found_alike(client, client_of, staff, image_of, index):
    image = image_of("RED-CIRCLE")
    image.product.hide()
    index()
    hidden = ask(client, f"image_id={image.pk}", 404)
    assert hidden == ask(client, f"image_id={uuid4()}", 404)
    assert (hidden["code"], hidden["field"]) == ("not_found", "image_id")
    assert ask(client_of(staff), f"image_id={image.pk}")["total"] > 0


def test_pages_do_not_overlap(client, shop):
    seen, url = [], f"{URL}?limit=4"
    while url:
        body = client.get(url).json()
        seen += skus(body)
        url = body["next"]
    assert sorted(seen) == sorted(product.sku for product in shop)
    assert len(seen) == len(set(seen))


def test_the_query_leads_to_the_same_page(client, shop):
    body = ask(client, "q=circle&category=Discs&sort=price")
    page = client.get(f"{reverse('search')}?{body['query']}").context["page"]
    assert body["query"] == f"q=circle&category={Category.objects.get(name='Discs').pk}&sort=price"
    assert [card.product.sku for card in page.bands[0].cards] == skus(body)


def test_texts_come_in_the_language_asked_for(client, shop):
    Category.objects.filter(name="Angular").update(names={"zh-hans": "有角的形状"})
    body = client.get(f"{URL}?q=triangle", headers={"accept-language": "zh-hans"}).json()
    assert body["hits"][0]["product"]["category"] == "有角的形状"
    assert body["facets"]["category"][0]["label"] == "有角的形状"


def test_a_dead_engine_answers_503_with_the_time_to_come_back(client, engine_down):
    response = client.get(f"{URL}?q=red")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response["Retry-After"]) > 0


def test_a_busy_encoder_answers_503(client, shop, settings):
    settings.ENCODER_WAIT_SECONDS = 0.01
    with slot._slot:
        response = post_image(client)
    assert response.status_code == 503
    assert int(response["Retry-After"]) >= 1


def test_before_anything_is_indexed_the_answer_is_empty(client, db):
    body = ask(client, "q=red")
    assert (body["hits"], body["generation"], len(body["notes"])) == ([], None, 1)


def test_asking_too_often_is_answered_in_words(client, shop, settings):
    rates = {"search": "2/min", "photo": "1/min"}
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}
    assert ask(client)["total"] == 6
    assert ask(client)["total"] == 6
    response = client.get(URL)
    assert (response.status_code, response.json()["code"]) == (429, "too_often")
    assert 1 <= int(response["Retry-After"]) <= 60
    assert client.get(reverse("search")).status_code == 429, "pages and API are counted together"


def test_pictures_have_a_rate_of_their_own(client, shop, settings):
    rates = {"search": "9/min", "photo": "1/min"}
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}
    assert [post_image(client).status_code for _ in range(2)] == [200, 429]


def test_other_methods_and_bodies_are_refused_in_the_same_shape(client, shop):
    deleted = client.delete(URL)
    assert (deleted.status_code, deleted.json()["code"]) == (405, "method_not_allowed")
    text = client.post(URL, "q=red", content_type="text/plain")
    assert (text.status_code, text.json()["code"]) == (415, "unsupported_media_type")


def test_answers_have_the_shape_that_the_schema_promises(client, image_of):
    schema = client.get(reverse("api-schema"), headers={"accept": "application/json"}).json()
    operations = schema["paths"]["/api/v1/search"]
    assert set(operations) == {"get", "post"}
    names = {parameter["name"] for parameter in operations["get"]["parameters"]}
    assert {"q", "image_id", "category", "limit", "weights"} <= names
    answer = Draft202012Validator({"$ref": "#/components/schemas/SearchAnswer", "components": _strict(schema)})
    problem = Draft202012Validator({"$ref": "#/components/schemas/Problem", "components": _strict(schema)})
    for query in ("", f"image_id={image_of('RED-CIRCLE').pk}", "q=nothing+of+this"):
        answer.validate(ask(client, query))
    problem.validate(ask(client, "limit=0", 400))


def _strict(schema: dict) -> dict:
    """The components, with nothing allowed that they do not name, and null where OpenAPI 3.0 says nullable."""
    components = schema["components"]

    def walk(node):
        if isinstance(node, list):
            return [walk(one) for one in node]
        if not isinstance(node, dict):
            return node
        node = {key: walk(value) for key, value in node.items()}
        if node.pop("nullable", False):
            rest = {key: node.pop(key) for key in list(node)}
            return {"anyOf": [rest, {"type": "null"}]}
        if node.get("type") == "object" and "properties" in node:
            node["additionalProperties"] = False
        return node

    return walk(components)


def test_documentation_runs_under_a_policy_of_its_own(client, db):
    response = client.get(reverse("api-docs"))
    assert response.status_code == 200
    assert "'unsafe-inline'" in response["Content-Security-Policy"]
    assert "unsafe" not in client.get(reverse("home"))["Content-Security-Policy"]
    script = client.get(reverse("api-docs") + "?script=")
    assert script.status_code == 200
    assert urlsplit(reverse("api-docs")).path == "/api/docs/"


def test_uploads_leave_no_file(client, shop):
    before = set(_files())
    post_image(client)
    assert set(_files()) == before


def _files() -> list[str]:
    from gallery.storage import walk

    try:
        return list(walk(storages["queries"]))
    except FileNotFoundError:
        return []
