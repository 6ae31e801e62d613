"""``POST /api/v1/search`` with a vector in place of a picture."""

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from search.models import Embedding, Generation
from search.projection import Projection

pytestmark = pytest.mark.django_db
LENGTHS = {"deep": 1280, "color": 64, "texture": 28, "shape": 72}
WHOLE = sum(LENGTHS.values())


def post(body: dict):
    return Client().post(reverse("api-search"), body, content_type="application/json")


@pytest.fixture
def projection(shop) -> Projection:
    return Generation.objects.live().projection


def vectors_of(image) -> dict[str, np.ndarray]:
    live = Generation.objects.live()
    return Embedding.objects.get(encoder=live.encoder, sha256=image.sha256).vectors


def ranking(answer) -> list[tuple[str, float]]:
    assert answer.status_code == 200, answer.content
    return [(hit["image"]["id"], hit["similarity"]) for hit in answer.json()["hits"]]


def test_a_whole_vector_asks_as_its_picture_would(projection, image_of):
    image = image_of("RED-CIRCLE")
    indexed = projection.document_vector(projection.project(vectors_of(image)))
    whole = post({"vector": indexed.tolist(), "weaker": True})
    without_last = post({"vector": indexed[:-1].tolist(), "weaker": True})
    assert len(indexed) == WHOLE + 1
    assert ranking(whole) == ranking(without_last)
    first, *others = ranking(whole)
    assert first == (str(image.pk), pytest.approx(1, abs=1e-4))
    by_picture = Client().get(reverse("api-search"), {"image_id": image.pk, "weaker": "1"})
    # A photo of the catalogue is left out of the results for itself; with a vector nothing is.
    expected = [(key, pytest.approx(similarity, abs=1e-4)) for key, similarity in ranking(by_picture)]
    assert [one for one in others if one[0] in dict(ranking(by_picture))] == [
        one for one in expected if one[0] in dict(others)
    ]


def test_single_parts_ask_alone_and_of_any_length(projection, image_of):
    image = image_of("BLUE-SQUARE")
    color = projection.project(vectors_of(image))["color"]
    answer = post({"vector": {"color": (7 * color).tolist()}, "weaker": True, "weights": {"color": 1}})
    hit = answer.json()["hits"][0]
    assert (hit["image"]["id"], hit["parts"]["color"]) == (str(image.pk), pytest.approx(1, abs=1e-4))
    assert set(hit["parts"]) == {"color"}


def test_filters_and_facets_hold_for_vectors_too(projection, image_of):
    vector = {name: part.tolist() for name, part in projection.project(vectors_of(image_of("RED-CIRCLE"))).items()}
    answer = post({"vector": vector, "brand": ["Öst"], "weaker": True}).json()
    assert {hit["product"]["brand"] for hit in answer["hits"]} == {"Öst"}
    assert answer["facets"]["brand"] is not None


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        ([0.1] * 7, f"7 numbers; generation 1 takes {WHOLE}: deep 1280, color 64, texture 28, shape 72"),
        ({"deep": [0.1] * 3}, "part “deep” 3 numbers; generation 1 takes deep 1280"),
        ({"smell": [0.1]}, "part “smell”"),
        ({}, "points nowhere"),
        ([0.0] * WHOLE, "points nowhere"),
        ({"color": [0.0] * 64}, "points nowhere"),
        ("0.1, 0.2", "a list of numbers"),
        (5, "a list of numbers"),
        (["0.1"] * WHOLE, "no number"),
        ([True] * WHOLE, "no number"),
        ([None] * WHOLE, "no number"),
        ([1e300] * WHOLE, "far too large"),
        ([[0.1]] * WHOLE, "no number"),
    ],
)
def test_a_vector_that_cannot_be_used_is_refused_with_what_is_right(shop, vector, said):
    live = Generation.objects.live()
    answer = post({"vector": vector})
    assert answer.status_code == 400
    assert answer.json()["field"] == "vector"
    assert said.replace("generation 1", f"generation {live.pk}") in answer.json()["error"]


def test_a_vector_stands_alone_and_in_a_body(shop, image_of):
    both = post({"vector": [0.1] * WHOLE, "image_id": str(image_of("RED-CIRCLE").pk)})
    assert (both.status_code, both.json()["field"]) == (400, "vector")
    assert Client().get(reverse("api-search"), {"vector": "0.1"}).json()["error"] == "Send “vector” in a JSON body."
    assert Client().post(reverse("api-search"), {"vector": "0.1"}).status_code == 400
    not_finite = Client().post(reverse("api-search"), '{"vector": [NaN]}', content_type="application/json")
    assert not_finite.status_code == 400
