"""Retrieval by binary: an exact file and a perceptual hash, from the field and by the API, as far as one may see."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.hashes import MOST_BITS
from gallery.models import Image
from search.fingerprints import USUAL_BITS, Fingerprint

pytestmark = pytest.mark.django_db

URL = "/api/v1/search"


def ask(client, query: str, status: int = 200) -> dict:
    response = client.get(f"{URL}?{query}")
    assert response.status_code == status, response.content
    return response.json()


def skus(body: dict) -> list[str]:
    return [hit["product"]["sku"] for hit in body["hits"]]


def flipped(hash: str, bits: int) -> str:
    return f"{int(hash, 16) ^ ((1 << bits) - 1):016x}"


digits = st.text("0123456789abcdef", min_size=64, max_size=64)
fingerprints = st.one_of(
    st.builds(Fingerprint, st.just("sha256"), digits),
    st.builds(Fingerprint, st.just("phash"), digits.map(lambda text: text[:16]), st.integers(0, MOST_BITS)),
)


@given(fingerprints)
def test_what_it_is_written_as_reads_back(fingerprint):
    assert Fingerprint.of(str(fingerprint)) == fingerprint
    assert Fingerprint.of(str(fingerprint).upper()) == fingerprint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "red circle",
        "sha256:",
        "sha256:" + "g" * 64,
        "phash:" + "0" * 15,
        f"phash:{'0' * 16}~{MOST_BITS + 1}",
        "sha256:" + "0" * 64 + " red",
    ],
)
def test_other_words_are_words(text):
    assert Fingerprint.of(text) is None


@pytest.mark.parametrize("query", ["sha256={}", "q=sha256:{}", "q={}"])
def test_a_file_is_found_by_its_hash(client, image_of, query):
    image = image_of("BLUE-SQUARE")
    body = ask(client, query.format(image.sha256))
    assert skus(body) == ["BLUE-SQUARE"]
    assert body["hits"][0]["image"]["id"] == str(image.pk)
    assert (body["hits"][0]["similarity"], body["hits"][0]["parts"], body["total"]) == (None, {}, 1)
    assert body["notes"] == ["Found by the SHA-256 of the file: the bytes are the same."]


def test_a_photo_is_found_by_its_perceptual_hash_within_a_distance(client, image_of):
    hash = flipped(image_of("BLUE-SQUARE").perceptual_hash, 3)
    body = ask(client, f"phash={hash}&distance=3")
    assert skus(body) == ["BLUE-SQUARE"]
    assert body["notes"] == ["Found by the perceptual hash: at most 3 of 64 bits differ."]
    assert body["query"] == f"q=phash%3A{hash}~3"
    assert skus(ask(client, body["query"])) == ["BLUE-SQUARE"], "the canonical query asks the same"
    assert skus(ask(client, f"phash={hash}&distance=2")) == []
    assert skus(ask(client, f"phash={hash}")) == ["BLUE-SQUARE"], f"{USUAL_BITS} bits if nothing is said"


def test_only_what_one_may_see_is_found(client, client_of, image_of, django_user_model):
    image = image_of("BLUE-SQUARE")
    owner = django_user_model.objects.create_user("owner")
    Image.objects.filter(pk=image.pk).update(uploader=owner)
    Image.objects.filter(pk=image.pk).set_status("pending")
    for query in (f"sha256={image.sha256}", f"phash={image.perceptual_hash}&distance=0"):
        assert skus(ask(client, query)) == []
        assert skus(ask(client_of(owner), query)) == ["BLUE-SQUARE"]


def test_a_body_takes_them_too(client, image_of):
    image = image_of("BLUE-SQUARE")
    body = json.dumps({"phash": image.perceptual_hash, "distance": 0})
    assert skus(client.post(URL, body, content_type="application/json").json()) == ["BLUE-SQUARE"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sha256=12", "sha256"),
        ("sha256=" + "g" * 64, "sha256"),
        ("phash=" + "0" * 64, "phash"),
        ("phash=" + "0" * 16 + "&distance=12", "distance"),
        ("phash=" + "0" * 16 + "&distance=-1", "distance"),
        ("distance=3", "distance"),
        ("sha256=" + "0" * 64 + "&distance=3", "distance"),
        ("sha256=" + "0" * 64 + "&phash=" + "0" * 16, "sha256"),
        ("sha256=" + "0" * 64 + "&q=red", "sha256"),
    ],
)
def test_what_cannot_be_read_is_named(client, query, field):
    body = ask(client, query, 400)
    assert body["field"] == field and body["error"]


def test_pages_and_filters(client, shop, image_of):
    hash = image_of("RED-CIRCLE").perceptual_hash
    body = ask(client, f"phash={hash}&distance=11&group=photos&limit=1")
    assert body["next"] and body["total"] > 1
    assert skus(client.get(body["next"]).json()) != []
    body = ask(client, f"phash={hash}&color=blue")
    assert "RED-CIRCLE" in skus(body) and "filters" in body["notes"][0]


def test_the_field_takes_them(client, image_of):
    image = image_of("GREEN-STRIPES")
    page = client.get("/search/", {"q": f"sha256:{image.sha256}"}).content.decode()
    assert "GREEN-STRIPES" in page and "the bytes are the same" in page
    page = client.get("/search/", {"q": "sha256:" + "0" * 64}).content.decode()
    assert "No photo has a file with this SHA-256." in page


def test_digits_that_no_photo_has_are_a_word(client, image_of):
    product = image_of("GREEN-STRIPES").product
    assert "Found by" not in " ".join(ask(client, "q=4006381333931234")["notes"])
    assert skus(ask(client, f"q={product.sku}")) == ["GREEN-STRIPES"]
