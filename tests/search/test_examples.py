"""Queries of several pictures: parts of them, more and less like, what likeness leans to, and who may see them."""

import re
from urllib.parse import urlsplit

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.urls import reverse

from gallery.models import Product
from search.examples import MAX_EXAMPLES, Example
from search.models import QueryEmbedding, QueryPhoto, RegionEmbedding
from search.query import Query
from tests.catalogue import add_photo
from tests.pictures import jpeg
from tests.search.test_pages import page_at, skus
from tests.search.test_photos import send

pytestmark = pytest.mark.django_db
RIGHT_HALF = "500,0,500,1000"


@pytest.fixture(autouse=True)
def all_are_similar(monkeypatch):
    """Six products are too few to measure a scale: here everything is a match, so that rankings are whole."""
    monkeypatch.setattr("search.similarity._UNCALIBRATED", (-1.0, 0.75, 0.95))


def ranking(client, query: str) -> list[tuple[str, float]]:
    page = page_at(client, query)
    return [(card.product.sku, card.similarity) for band in page.bands for card in band.cards]


def test_an_example_added_and_taken_away_restores_the_ranking(client, image_of):
    red, blue = image_of("RED-CIRCLE").pk, image_of("BLUE-SQUARE").pk
    before = ranking(client, f"image={red}")
    page = page_at(client, f"image={red}")
    card = next(card for band in page.bands for card in band.cards if card.product.sku == "BLUE-SQUARE")
    assert urlsplit(card.more_url).query == Query(examples=(Example(red), Example(blue))).canonical
    both = page_at(client, urlsplit(card.more_url).query)
    assert ranking(client, urlsplit(card.more_url).query) != before
    (removal,) = [picture.remove_url for picture in both.pictures if picture.key == str(blue)]
    assert ranking(client, urlsplit(removal).query) == before


def test_the_order_of_examples_and_filters_does_not_matter(client, image_of):
    red, blue = image_of("RED-CIRCLE").pk, image_of("BLUE-SQUARE").pk
    one = ranking(client, f"image={red}&image={blue}&color=red&color=orange")
    assert one == ranking(client, f"color=orange&image={blue}&color=red&image={red}")
    assert one


def test_two_examples_ask_for_what_lies_between(client, image_of):
    red, blue = image_of("RED-CIRCLE"), image_of("BLUE-SQUARE")
    found = dict(ranking(client, f"image={red.pk}&image={blue.pk}&w=color:1"))
    alone = dict(ranking(client, f"image={red.pk}&w=color:1"))
    assert found["GREEN-STRIPES"] != alone["GREEN-STRIPES"]
    assert {"RED-CIRCLE", "BLUE-SQUARE"}.isdisjoint(found)


def test_less_like_this_pushes_away(client, image_of):
    red, orange = image_of("RED-CIRCLE").pk, image_of("ORANGE-CIRCLE").pk
    before = [sku for sku, _similarity in ranking(client, f"image={red}&w=deep:0.5,color:0.5")]
    after = [sku for sku, _similarity in ranking(client, f"image={red}&less={orange}&w=deep:0.5,color:0.5")]
    assert set(after) == set(before) - {"ORANGE-CIRCLE"}
    similarities = dict(ranking(client, f"image={red}&less={image_of('BLUE-SQUARE').pk}"))
    assert similarities["RED-CIRCLE-2"] > similarities["GREEN-STRIPES"]


def test_only_what_is_not_wanted_ranks_the_others_without_bands(client, image_of):
    page = page_at(client, f"less={image_of('RED-CIRCLE').pk}&w=color:1")
    assert [band.code for band in page.bands] == ["all"]
    assert skus(page)[-1] == "RED-CIRCLE-2"
    assert page.pictures[0].is_less


def test_pictures_that_cancel_each_other_out_are_said_to(client, image_of, monkeypatch):
    monkeypatch.setattr("search.direction.LESS", 1.0)
    key = image_of("RED-CIRCLE").pk
    page = page_at(client, f"image={key}&less={key}")
    assert page.total == 0
    assert "cancel each other out" in page.notes[0]


def test_fifty_examples_are_cut_to_a_few_with_a_note(client, image_of):
    keys = [image.pk for image in (image_of(sku) for sku in ("RED-CIRCLE", "BLUE-SQUARE", "GREEN-STRIPES"))]
    many = "&".join(f"image={key}@{n},0,500,500" for n in range(17) for key in keys)
    page = page_at(client, many)
    assert len(page.pictures) == MAX_EXAMPLES
    assert "at most 8 pictures" in page.notes[0]
    assert not page.can_add


def test_likeness_leans_to_what_is_chosen(client, image_of):
    key = image_of("RED-CIRCLE").pk
    page = page_at(client, f"image={key}")
    urls = {choice.value: choice.url for choice in page.leanings}
    assert list(urls) == ["", "color", "shape", "pattern"]
    by_color = ranking(client, urlsplit(urls["color"]).query)
    assert by_color[0][0] == "RED-CIRCLE-2"
    assert by_color != ranking(client, f"image={key}")
    assert [choice.value for choice in page_at(client, urlsplit(urls["color"]).query).leanings if choice.active] == [
        "color"
    ]


def test_sliders_are_for_staff(client, client_of, staff, image_of):
    address = f"{reverse('search')}?image={image_of('RED-CIRCLE').pk}"
    assert b'id="tune"' not in client.get(address).content
    tuned = client_of(staff).get(f"{address}&w.color=100&w.deep=0")
    assert b'id="tune"' in tuned.content
    assert tuned.context["page"].query.weights == (("color", 1.0),)


# --- Parts of pictures --------------------------------------------------------------------------------


def test_a_part_of_a_sent_photo_is_encoded_once(client, shop, encoded):
    photo = QueryPhoto.objects.get(pk=send(client).json()["photo"]["id"])
    before = len(encoded)
    first = ranking(client, f"photo={photo.pk}@{RIGHT_HALF}")
    assert len(encoded) == before + 1
    assert first == ranking(client, f"photo={photo.pk}@{RIGHT_HALF}")
    ranking(client, f"photo={photo.pk}@{RIGHT_HALF}&color=red")
    assert len(encoded) == before + 1
    stored = {row.crop: row.vectors["color"] for row in QueryEmbedding.objects.filter(photo=photo)}
    assert set(stored) == {"", RIGHT_HALF}
    assert not np.allclose(stored[""], stored[RIGHT_HALF])


def test_a_part_of_a_catalogue_photo_is_searched_for(client, image_of, encoded):
    image = image_of("RED-CIRCLE")
    before = len(encoded)
    page = page_at(client, f"image={image.pk}@{RIGHT_HALF}")
    assert (page.pictures[0].crop, len(encoded)) == (RIGHT_HALF, before + 1)
    assert skus(page)
    page_at(client, f"image={image.pk}@{RIGHT_HALF}&brand=1")
    assert (len(encoded), RegionEmbedding.objects.count()) == (before + 1, 1)


def test_a_part_outside_of_the_picture_is_left_out_and_said(client, image_of):
    page = page_at(client, f"image={image_of('RED-CIRCLE').pk}@2000,0,100,100&brand=1")
    assert page.pictures[0].crop == ""
    assert any("outside of the picture" in note for note in page.notes)


def test_forgetting_a_photo_forgets_its_parts(client, shop):
    photo = send(client).json()["photo"]["id"]
    page = page_at(client, f"q=circle&photo={photo}&photo={photo}@{RIGHT_HALF}")
    assert len(page.pictures) == 2
    answer = client.post(page.pictures[0].forget_url)
    assert answer["Location"] == "/search/?q=circle"
    assert not QueryEmbedding.objects.exists()


# --- Photos that are added and shared -----------------------------------------------------------------


def test_a_photo_can_be_added_to_what_is_there(client, image_of):
    key = image_of("RED-CIRCLE").pk
    body = send(client, next=f"image={key}&q=circle", add="1").json()
    query, _notes = Query.from_querydict(_data(body["url"]))
    assert [example.name for example in query.examples] == ["photo", "image"]
    replaced, _notes = Query.from_querydict(_data(send(client, next=f"image={key}&q=circle").json()["url"]))
    assert ([example.name for example in replaced.examples], replaced.text) == (["photo"], "circle")


def _data(url: str) -> QueryDict:
    return QueryDict(urlsplit(url).query)


def test_a_shared_link_alone_opens_the_photo_until_sharing_stops(client, client_of, shop):
    stranger = client_of()
    photo = send(client).json()["photo"]["id"]
    assert page_at(stranger, f"photo={photo}").photo is None
    asked = {"next": f"photo={photo}", "include": "1"}
    url = client.post(reverse("search-share"), asked, headers={"accept": "application/json"}).json()["url"]
    assert re.fullmatch(rf"http://testserver/search/\?photo={photo}&share=[\w-]{{32}}", url)
    shown = page_at(stranger, urlsplit(url).query)
    assert (shown.photo.is_mine, skus(shown)[0]) == (False, "RED-CIRCLE")
    assert stranger.get(shown.photo.src).status_code == 200
    assert stranger.get(reverse("search-photo-file", args=[photo])).status_code == 404
    assert stranger.post(reverse("search-photo-forget", args=[photo])).status_code == 404
    assert page_at(stranger, f"photo={photo}&share={'x' * 32}").photo is None
    again = client.post(reverse("search-share"), asked, headers={"accept": "application/json"}).json()["url"]
    assert again == url, "a photo that is shared already keeps its link"
    stopped = client.post(f"{reverse('search-photo-unshare', args=[photo])}?{urlsplit(url).query}")
    assert stopped["Location"] == f"/search/?photo={photo}"
    assert page_at(stranger, urlsplit(url).query).photo is None


def test_sharing_without_the_photo_leaves_it_out(client, shop):
    photo = send(client).json()["photo"]["id"]
    page = client.post(reverse("search-share"), {"next": f"q=circle&photo={photo}"})
    assert page.context["shared_url"] == "http://testserver/search/?q=circle"
    assert not QueryPhoto.objects.exclude(share_token="").exists()


def test_photos_that_are_shared_together_keep_their_own_links(client, client_of, shop):
    def shared(*photos: str) -> str:
        asked = {"next": "&".join(f"photo={photo}" for photo in photos), "include": "1"}
        return client.post(reverse("search-share"), asked, headers={"accept": "application/json"}).json()["url"]

    one, other = (send(client, jpeg(color=color)).json()["photo"]["id"] for color in ("red", "blue"))
    links = [shared(one), shared(other), shared(one, other)]
    stranger = client_of()
    assert [len(page_at(stranger, urlsplit(link).query).pictures) for link in links] == [1, 1, 2]
    assert shared(other) == links[1]


def test_signing_in_hands_the_photo_over(client, shop, staff):
    photo = send(client).json()["photo"]["id"]
    asked = {"next": f"photo={photo}", "include": "1"}
    client.post(reverse("search-share"), asked)
    client.force_login(staff)
    page = page_at(client, f"photo={photo}")
    assert (page.photo.is_mine, page.photo.is_shared, skus(page)[0]) == (True, True, "RED-CIRCLE")
    client.post(page.photo.forget_url)
    assert not QueryPhoto.objects.exists()


def test_signing_out_leaves_the_photo_to_the_person(client, client_of, shop, staff):
    client.force_login(staff)
    photo = send(client).json()["photo"]["id"]
    client.logout()
    assert page_at(client, f"photo={photo}").photo is None
    assert page_at(client_of(staff), f"photo={photo}").photo.is_mine


def test_one_more_than_there_may_be_is_refused_and_nothing_lost(client, image_of, shop):
    crops = [f"image={image_of('RED-CIRCLE').pk}@{n},0,500,500" for n in range(MAX_EXAMPLES)]
    answer = send(client, next="&".join(crops), add="1")
    assert (answer.status_code, answer.json()["code"]) == (400, "too_many")
    assert not QueryPhoto.objects.exists()


def test_the_rest_of_the_query_is_kept_where_a_photo_is_refused(client, shop):
    file = SimpleUploadedFile("mine.jpg", b"no picture", "image/jpeg")
    page = client.post(reverse("search-photo"), {"image": file, "next": "q=circle&color=red"})
    assert page.status_code == 400
    assert 'value="circle"' in page.content.decode()
    assert '<input type="hidden" name="color" value="red">' in page.content.decode()


def test_unreadable_keys_of_shared_photos_open_nothing(client, client_of, shop):
    photo = send(client).json()["photo"]["id"]
    for share in ("%00", "x", "." * 50, "x" * 3000):
        assert client_of().get(f"{reverse('search-photo-file', args=[photo])}?share={share}").status_code == 404
        assert client_of().get(f"{reverse('photo-regions', args=[photo])}?share={share}").status_code == 404


def test_nobody_shares_the_photo_of_somebody_else(client, client_of, shop):
    photo = send(client).json()["photo"]["id"]
    client_of().post(reverse("search-share"), {"next": f"photo={photo}", "include": "1"})
    assert not QueryPhoto.objects.exclude(share_token="").exists()


# --- Beside the results -------------------------------------------------------------------------------


def test_a_card_for_each_photo(client, image_of, index):
    add_photo(image_of("ORANGE-CIRCLE").product, "stripes", "#00aa30", "second.jpg")
    index()
    key = image_of("RED-CIRCLE").pk
    by_photo = skus(page_at(client, f"image={key}&group=photos"))
    assert len(by_photo) > len(set(by_photo))
    assert set(by_photo) == set(skus(page_at(client, f"image={key}")))


def test_nearly_identical_photos_stand_once(client, image_of, index):
    product = image_of("ORANGE-CIRCLE").product
    before = skus(page_at(client, f"image={image_of('RED-CIRCLE').pk}&group=photos")).count("ORANGE-CIRCLE")
    for name in ("again.jpg", "and again.jpg"):
        add_photo(product, "square", "#00aa30", name, size=(240, 240))
    index()
    page = page_at(client, f"image={image_of('RED-CIRCLE').pk}&group=photos")
    cards = [card for band in page.bands for card in band.cards if card.product == product]
    assert len(cards) == before + 1
    assert sorted(card.alike for card in cards)[-1] == 1


def test_the_matching_photos_of_a_product_open_on_request(client, image_of):
    page = page_at(client, f"image={image_of('RED-CIRCLE').pk}")
    card = page.bands[0].cards[0]
    shown = client.get(card.photos_url)
    assert len(shown.context["cards"]) == card.photos_matching == 3
    assert client.get(f"{reverse('search-photos-of')}?product=me").status_code == 404


def test_what_a_dropped_filter_would_find_stands_apart(client, image_of):
    key = image_of("RED-CIRCLE").pk
    page = page_at(client, f"image={key}&color=orange&price_max=1")
    assert page.without_url
    sections = {one["label"]: one for one in client.get(page.without_url).context["sections"]}
    assert set(sections) <= {"Orange", "the price limit"}
    assert sections
    for one in sections.values():
        assert page_at(client, urlsplit(one["url"]).query).total == int(one["total"])
    assert page_at(client, f"image={key}").without_url == ""


def test_the_hits_before_and_after_a_product(client, image_of):
    key = image_of("RED-CIRCLE").pk
    page = page_at(client, f"image={key}")
    order = skus(page)
    cards = [card for band in page.bands for card in band.cards]
    back = f"/search/?image={key}"
    shown = client.get(reverse("search-neighbours"), {"product": str(cards[1].product.pk), "back": back}).context
    assert (shown["previous"][0].sku, shown["next"][0].sku) == (order[0], order[2])
    first = client.get(reverse("search-neighbours"), {"product": str(cards[0].product.pk), "back": back}).context
    assert first["previous"] is None
    own = image_of("RED-CIRCLE").product_id
    assert client.get(reverse("search-neighbours"), {"product": str(own), "back": back}).content.strip() == b""


def beside(client, product, back: str) -> list[tuple[str, str] | None]:
    """SKU of the hit before and after a product, each with the results that its page leads back to."""
    shown = client.get(reverse("search-neighbours"), {"product": str(product.pk), "back": back}).context
    return [shown[name] and (shown[name][0].sku, shown[name][1]) for name in ("previous", "next")]


def test_hits_of_a_list_are_walked_through_across_its_pages(client, shop, settings):
    settings.SEARCH_PAGE_SIZE = 2
    pages = [page_at(client, f"sort=price&page={number}") for number in (1, 2, 3)]
    order = [card.product for page in pages for band in page.bands for card in band.cards]
    assert len(order) == len(shop)
    for place, product in enumerate(order):
        query = Query(sort="price", page=1 + place // 2)
        (before, after) = beside(client, product, query.url())
        expected = [order[n] if 0 <= n < len(order) else None for n in (place - 1, place + 1)]
        assert [side and side[0] for side in (before, after)] == [one and one.sku for one in expected]
        if after:
            assert after[1] == query.url(page=1 + (place + 1) // 2)


def test_a_card_for_each_photo_leads_from_product_to_product(client, image_of):
    back = f"/search/?image={image_of('RED-CIRCLE').pk}&group=photos"
    order = list(dict.fromkeys(skus(page_at(client, urlsplit(back).query))))
    before, after = beside(client, image_of("RED-CIRCLE-2").product, back)
    place = order.index("RED-CIRCLE-2")
    assert after == (order[place + 1], back)
    assert (before and before[0]) == (order[place - 1] if place else None)


def test_what_the_index_does_not_know_to_be_hidden_is_passed_over(client, image_of):
    back = f"/search/?image={image_of('RED-CIRCLE').pk}"
    cards = [card for band in page_at(client, urlsplit(back).query).bands for card in band.cards]
    Product.objects.filter(pk=cards[1].product.pk).update(published=False)  # past the signal: not indexed
    _before, after = beside(client, cards[0].product, back)
    assert after == (cards[2].product.sku, back)


def test_a_colour_that_is_typed_takes_the_place_of_the_chosen_one(client, shop):
    page = page_at(client, "q=orange+circle&color=red")
    assert (page.query.color, skus(page)) == (("orange",), ["ORANGE-CIRCLE"])


@pytest.mark.parametrize("category", ["²", "٣", "9" * 30, "-1"])
def test_a_category_that_is_no_number_is_left_out(client, category, image_of):
    image = add_photo(
        image_of("RED-CIRCLE").product, "stripes", "teal", "new.jpg"
    )  # not indexed: the answer comes early
    assert page_at(client, f"image={image.pk}&category={category}").total == 0
    assert page_at(client, f"category={category}").query.category == ()


def test_words_that_name_a_colour_filter_by_it(client, shop):
    page = page_at(client, "q=orange+circle")
    assert (page.query.canonical, skus(page)) == ("q=circle&color=orange", ["ORANGE-CIRCLE"])
    assert page.colors_from == "“orange”"
    words = page_at(client, urlsplit(page.words_url).query)
    assert (words.query.color, words.words_url) == ((), "")


def test_the_next_page_comes_in_the_place_of_the_pager(client, image_of, settings):
    settings.SEARCH_PAGE_SIZE = 2
    key = image_of("RED-CIRCLE").pk
    second = client.get(f"/search/?image={key}&page=2", headers={"HX-Request": "true", "HX-Target": "more"})
    assert second.templates[0].name == "search/_more.html"
    assert second.context["page"].bands
    assert b"rail" not in second.content
