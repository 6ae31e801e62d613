"""The staff page of the index: what it says in every state, and what its buttons do."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from gallery.models import Image, Product, Role, User
from search import generations
from search.engines import get_engine
from search.models import Change, Generation
from search.views.index import words
from tests.catalogue import add_product, add_products

pytestmark = pytest.mark.django_db
LITE0 = "efficientnet-lite0"
CHOICES = {"encoder": LITE0, "type": "flat", "m": "16", "ef_construction": "100", "oversample": "2"}


@pytest.fixture
def desk(staff, client_of) -> Client:
    """A browser in which staff are signed in."""
    return client_of(staff)


@pytest.fixture
def second(shop, index) -> Generation:
    """Another encoder's generation, ready beside the live one."""
    generation = generations.build(encoder=LITE0)
    index()
    generation.refresh_from_db()
    assert generation.state == "ready"
    return generation


def text_of(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def press(desk: Client, generation: Generation, verb: str, **fields: object) -> list[str]:
    """Press a button of the page; the messages that it answers with."""
    name = "index-retry" if verb == "retry" else "index-act"
    arguments = [generation.pk] if verb == "retry" else [generation.pk, verb]
    response = desk.post(reverse(name, args=arguments), fields, follow=True)
    assert response.redirect_chain == [(reverse("index"), 302)]
    generation.refresh_from_db()
    return [str(message) for message in response.context["messages"]]


def damage(products: list[Product]) -> dict[str, bytes]:
    """Overwrite the products' originals; what was in them before, by file name."""
    before = {}
    for image in Image.objects.filter(product__in=products):
        storage, name = image.original.storage, str(image.original.name)
        with storage.open(name, "rb") as file:
            before[name] = file.read()
        with storage.open(name, "wb") as file:
            file.write(b"damaged")
    return before


# --- Who may look -------------------------------------------------------------------------------------


def test_strangers_are_sent_to_sign_in_and_come_back(shop, client_of):
    answer = client_of().get(reverse("index"))
    assert (answer.status_code, answer["Location"]) == (302, f"{reverse('login')}?next=/index/")


def test_a_fragment_takes_the_whole_page_to_the_sign_in(shop, client_of):
    live = Generation.objects.live()
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/index/"}
    answer = client_of().get(reverse("index-figures", args=[live.pk]), headers=headers)
    assert answer["HX-Redirect"] == f"{reverse('login')}?next=/index/"


@pytest.mark.parametrize("role", [Role.SHOPPER, Role.MODERATOR])
def test_others_are_refused(shop, client_of, role):
    user = User.objects.create_user("other", "other@example.com", "x")
    user.groups.add(Group.objects.get(name=role))
    client = client_of(user)
    live = Generation.objects.live()
    for name, arguments in (("index", []), ("index-build", []), ("index-compare", []), ("index-failed", [live.pk])):
        assert client.get(reverse(name, args=arguments)).status_code == 403
    assert client.post(reverse("index-build"), CHOICES).status_code == 403
    assert client.post(reverse("index-act", args=[live.pk, "reconcile"])).status_code == 403
    assert client.post(reverse("index-retry", args=[live.pk])).status_code == 403
    assert not Generation.objects.exclude(pk=live.pk).exists()


def test_buttons_want_post(shop, desk):
    assert desk.get(reverse("index-act", args=[Generation.objects.live().pk, "drop"])).status_code == 405


def test_staff_find_the_page_in_their_menu(shop, desk):
    assert f'href="{reverse("index")}"' in text_of(desk.get("/"))


# --- What the page says -------------------------------------------------------------------------------


def test_an_empty_site_says_how_to_begin(desk):
    assert "manage.py index run" in text_of(desk.get(reverse("index")))


def test_the_live_generation_and_the_ones_beside_it(second, desk):
    live = Generation.objects.live()
    text = text_of(desk.get(reverse("index")))
    assert f"Generation {live.pk}" in text
    assert live.encoder in text
    assert "8 images are kept in the database" in text
    assert "Not known until the index has been compared" not in text, "the loop compares when it begins"
    assert f"Generation {second.pk}" in text
    assert "Ready" in text
    assert reverse("index-act", args=[second.pk, "promote"]) in text


def test_what_waits_is_told_with_its_age(shop, desk):
    add_product("NEW")
    text = text_of(desk.get(reverse("index")))
    assert "The oldest for less than a minute." in text
    assert "hx-get" in text, "the figures are asked for again while they move"


def test_dropped_generations_are_history(second, desk):
    press(desk, second, "drop")
    text = text_of(desk.get(reverse("index")))
    assert "Dropped" in text
    assert second.encoder in text
    assert reverse("index-act", args=[second.pk, "promote"]) not in text


# --- Building -----------------------------------------------------------------------------------------


def test_the_plan_is_shown_before_anything_begins(shop, desk):
    text = text_of(desk.get(reverse("index-build"), CHOICES))
    assert "8 files" in text
    assert "not known: this encoder has not been used here yet" in text
    assert "it waits until it is promoted" in text
    assert Generation.objects.count() == 1
    stored = Generation.objects.live().encoder.rpartition("@")[0]
    text = text_of(desk.get(reverse("index-build"), CHOICES | {"encoder": stored, "promote": "on"}))
    assert "is stored" in text
    assert "it takes over by itself" in text


def test_who_asked_for_a_generation_is_said_in_the_language_of_the_reader(shop, desk, staff):
    desk.post(reverse("index-build"), CHOICES, headers={"accept-language": "zh-hans"})
    for language, said in (("en", f"Asked for by {staff.username}."), ("zh-hans", f"由 {staff.username} 发起。")):
        assert said in text_of(desk.get(reverse("index"), headers={"accept-language": language}))


def test_a_build_with_chosen_settings(shop, desk, index):
    answer = desk.post(reverse("index-build"), CHOICES | {"promote": "on"}, follow=True)
    assert "is being built" in text_of(answer)
    built = Generation.objects.get(state="building")
    assert (built.index_settings.type, built.promote_when_ready) == ("flat", True)
    assert built.encoder.startswith(LITE0)
    index()
    assert Generation.objects.live() == built


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"encoder": "resnet-9000"}, "resnet-9000"),
        ({"m": "1"}, "2"),
        ({"oversample": "99"}, "10"),
        ({"type": "hsnw"}, "hsnw"),
    ],
)
def test_what_cannot_be_built_is_said_and_nothing_happens(shop, desk, wrong, words):
    planned = desk.get(reverse("index-build"), CHOICES | wrong)
    begun = desk.post(reverse("index-build"), CHOICES | wrong)
    assert (planned.status_code, begun.status_code) == (200, 400)
    for answer in (planned, begun):
        assert words in answer.content.decode()
        assert "Start building" not in answer.content.decode()
    assert Generation.objects.get().state == "live"


def test_an_encoder_that_cannot_be_set_up_is_a_plain_message(shop, desk, settings):
    settings.SEARCH_ENCODERS = settings.SEARCH_ENCODERS | {"gone": {"BACKEND": "nowhere.Network"}}
    answer = desk.post(reverse("index-build"), CHOICES | {"encoder": "gone"})
    assert answer.status_code == 400
    assert "BACKEND cannot be imported" in answer.content.decode()
    assert Generation.objects.get().state == "live"


def test_an_engine_that_is_down_begins_nothing(shop, desk, settings):
    settings.SEARCH_URL = "elasticsearch://127.0.0.1:9"
    answer = desk.post(reverse("index-build"), CHOICES)
    assert answer.status_code == 503
    assert "No connection to Elasticsearch" in answer.content.decode()
    assert Generation.objects.get().state == "live"


# --- Buttons ------------------------------------------------------------------------------------------


def test_promote_go_back_and_drop(second, desk):
    first = Generation.objects.live()
    assert press(desk, second, "promote") == [f"Generation {second.pk} answers searches now."]
    assert Generation.objects.live() == second
    assert "Go back to this one" in text_of(desk.get(reverse("index")))
    press(desk, first, "promote")
    assert Generation.objects.live() == first
    (refused,) = press(desk, second, "drop")
    assert "live until a moment ago" in refused
    Generation.objects.filter(pk=second.pk).update(retired_at=timezone.now() - timedelta(hours=1))
    assert press(desk, second, "drop") == [f"Generation {second.pk} is dropped."]
    assert second.state == "dropped"


def test_pause_resume_and_cancel(shop, desk, index):
    building = generations.build(encoder=LITE0)
    assert "Being built" in text_of(desk.get(reverse("index")))
    press(desk, building, "pause")
    assert building.paused
    assert "Resume" in text_of(desk.get(reverse("index")))
    press(desk, building, "resume")
    assert not building.paused
    press(desk, building, "cancel")
    assert building.state == "dropped"


def test_what_cannot_be_done_is_a_message_and_the_live_one_stays(shop, desk):
    live = Generation.objects.live()
    building = generations.build(encoder=LITE0)
    assert "Only a ready or retired one" in press(desk, building, "promote")[0]
    assert "is live" in press(desk, live, "drop")[0]
    assert "not being built" in press(desk, live, "pause")[0]
    assert Generation.objects.live() == live


def test_comparing_with_the_database_is_left_to_the_loop(shop, desk, index):
    live = Generation.objects.live()
    assert "compares generation" in press(desk, live, "reconcile")[0]
    assert live.reconcile_requested
    text = text_of(desk.get(reverse("index")))
    assert "The indexing loop does it next." in text
    live.documents.all().delete()
    index()
    text = text_of(desk.get(reverse("index")))
    assert "8 differences, repaired" in text


def test_an_unknown_button_or_generation(shop, desk):
    live = Generation.objects.live()
    assert desk.post(reverse("index-act", args=[live.pk, "explode"])).status_code == 404
    assert desk.post(reverse("index-act", args=[99, "promote"])).status_code == 404
    assert desk.post(reverse("index-retry", args=[live.pk]), {"key": "nonsense"}).status_code == 404


def test_buttons_lead_nowhere_else(shop, desk):
    live = Generation.objects.live()
    answer = desk.post(reverse("index-retry", args=[live.pk]), {"next": "https://example.com/"})
    assert answer["Location"] == reverse("index")


# --- What failed --------------------------------------------------------------------------------------


def test_failures_are_gathered_by_reason_and_tried_again(shop, desk, index):
    products = add_products(27)
    before = damage(products[:26])
    index()
    text = text_of(desk.get(reverse("index")))
    assert "it is damaged. Upload it again." in text
    assert "and 2 more" in text
    assert text.count('class="frame"') == 24
    assert products[0].get_absolute_url() in text
    for name, content in before.items():
        with Image.objects.first().original.storage.open(name, "wb") as file:
            file.write(content)
    live = Generation.objects.live()
    key = products[0].images.get().pk
    assert press(desk, live, "retry", key=key) == ["The indexing loop tries again now."]
    index()
    assert live.placements.exclude(reason="").count() == 25
    reason = live.placements.exclude(reason="").values_list("reason", flat=True)[0]
    assert press(desk, live, "retry", reason=reason) == ["The indexing loop tries again now."]
    index()
    assert "Not in the index, and why" not in text_of(desk.get(reverse("index")))
    assert press(desk, live, "retry") == ["There was nothing left to try again."]


def test_failures_of_a_generation_that_is_being_built(shop, desk, index):
    damage(shop[:1])
    building = generations.build(encoder=LITE0)
    index()
    building.refresh_from_db()
    text = text_of(desk.get(reverse("index-failed", args=[building.pk])))
    assert "it is damaged" in text
    assert shop[0].get_absolute_url() in text
    assert reverse("index-failed", args=[building.pk]) in text_of(desk.get(reverse("index")))


def test_what_is_being_worked_on_has_not_failed(shop, desk):
    live = Generation.objects.live()
    leased = timezone.now() + timedelta(minutes=1)
    live.placements.update(behind=True, claimed_until=leased, reason="The indexing process stopped while it worked.")
    assert "Nothing has failed here." in text_of(desk.get(reverse("index-failed", args=[live.pk])))


def test_no_query_per_photo(shop, desk, index):
    def queries(address: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert desk.get(address).status_code == 200
        return len(captured)

    damage([add_product("ONE", "stripes", "purple")])
    index()
    few = queries(reverse("index"))
    damage(add_products(20))
    index()
    assert queries(reverse("index")) == few
    assert few < 40


# --- Trouble ------------------------------------------------------------------------------------------


def test_an_engine_that_is_down_breaks_no_page(second, desk, engine_down):
    text = text_of(desk.get(reverse("index")))
    assert "No connection to Elasticsearch" in text
    assert "Start the engine again, or correct SEARCH_URL." in text
    assert f"Generation {second.pk}" in text
    comparison = text_of(desk.get(reverse("index-compare")))
    assert "gives no results" in comparison


def test_a_lost_index_breaks_no_page(second, desk):
    live = Generation.objects.live()
    for generation in (live, second):
        get_engine(generation.engine).drop(generation.pk)
    text = text_of(desk.get(reverse("index")))
    assert "builds a replacement by itself" in text
    assert "gives it up by itself" in text
    assert "gives no results" in text_of(desk.get(reverse("index-compare")))
    assert "has gone" in press(desk, second, "promote")[0]
    assert Generation.objects.live() == live


def test_an_engine_that_is_not_used_any_more(second, desk):
    Generation.objects.filter(pk=second.pk).update(engine="elasticsearch")
    text = text_of(desk.get(reverse("index")))
    assert "which SEARCH_URL names now" in text


def test_an_encoder_that_has_gone(shop, desk):
    Generation.objects.update(encoder="some-encoder@7")
    text = text_of(desk.get(reverse("index")))
    assert "New photos cannot be taken in" in text
    assert "some-encoder@7 is not installed" in text


def test_nobody_at_work(shop, desk):
    add_product("NEW")
    long_ago = timezone.now() - timedelta(hours=2)
    Change.objects.update(changed_at=long_ago)
    text = text_of(desk.get(reverse("index")))
    assert "The oldest for 2" in text
    assert "Is the indexing loop running?" not in text, "a new generation has had no time to take in old photos"
    Generation.objects.update(created_at=long_ago)
    assert "Is the indexing loop running?" in text_of(desk.get(reverse("index")))


# --- Figures that move --------------------------------------------------------------------------------


def test_figures_are_asked_for_again_until_they_stand_still(shop, desk, index):
    building = generations.build(encoder=LITE0)
    address = reverse("index-figures", args=[building.pk])
    text = text_of(desk.get(address, {"state": "building"}))
    assert "<progress" in text
    assert "<html" not in text
    assert "hx-trigger" in text
    index()
    assert desk.get(address, {"state": "building"})["HX-Refresh"] == "true"


def test_the_figures_of_the_live_one(shop, desk, index):
    live = Generation.objects.live()
    address = reverse("index-figures", args=[live.pk])
    add_product("NEW")
    assert "Waiting" in text_of(desk.get(address, {"state": "live"}))
    index()
    assert desk.get(address, {"state": "live"})["HX-Refresh"] == "true"


# --- Comparing ----------------------------------------------------------------------------------------


@pytest.fixture
def compare(desk) -> Callable[..., dict]:
    def get(**parameters: object) -> dict:
        answer = desk.get(reverse("index-compare"), parameters)
        assert answer.status_code == 200
        return answer.context

    return get


def test_the_live_one_stands_left_and_the_newest_other_right(second, compare):
    seen = compare()
    assert (seen["left"], seen["right"]) == (Generation.objects.live(), second)
    comparison = seen["comparison"]
    assert len(comparison.samples) == 6
    for sample in comparison.samples:
        assert sample.image not in [result.image for result in (*sample.left, *sample.right)]
        products = [[result.image.product_id for result in side] for side in (sample.left, sample.right)]
        assert all(len(set(side)) == len(side) <= 6 for side in products)
        assert sample.shared == len(set(products[0]) & set(products[1]))


def test_a_draw_can_be_repeated(second, compare):
    def drawn(seed: int) -> list:
        return [sample.image.pk for sample in compare(seed=seed)["comparison"].samples]

    assert drawn(3) == drawn(3)
    assert any(drawn(seed) != drawn(3) for seed in range(4, 8))


def test_one_photo_of_a_product(second, compare, desk, image_of):
    image = image_of("RED-CIRCLE")
    (sample,) = compare(image=image.pk)["comparison"].samples
    assert sample.image == image
    text = text_of(desk.get(reverse("index-compare"), {"image": image.pk}))
    assert f"{sample.shared} of {sample.shown} the same" in text
    beside_the_product = text_of(desk.get(reverse("index-states", args=[image.product_id])))
    assert f"{reverse('index-compare')}?image={image.pk}" in beside_the_product


def test_a_generation_is_like_itself(shop, index, compare):
    twin = generations.build()
    index()
    again = generations.build()
    index()
    comparison = compare(left=twin.pk, right=again.pk)["comparison"]
    assert comparison.shared == comparison.shown > 0


def test_photos_that_an_encoder_has_not_seen_are_passed_over(second, compare, desk):
    image = add_product("NEW", "stripes", "purple").images.get()
    seen = compare(image=image.pk)["comparison"]
    assert (list(seen.samples), seen.passed_over) == ([], 1)
    assert "1 photo was passed over" in text_of(desk.get(reverse("index-compare"), {"image": image.pk}))


def test_a_generation_that_is_not_fitted_yet_cannot_be_asked(shop, compare, desk):
    building = generations.build(encoder=LITE0)
    assert building.preparing
    seen = compare(right=building.pk)
    assert "still being fitted" in seen["comparison"].right_trouble


def test_there_may_be_nothing_to_compare(shop, desk):
    assert "There is only one generation" in text_of(desk.get(reverse("index-compare")))


@pytest.mark.parametrize("wrong", [{"right": "99"}, {"left": "x"}, {"seed": "-1"}, {"seed": "9" * 30}, {"image": "x"}])
def test_parameters_that_mean_nothing(second, desk, wrong):
    text = text_of(desk.get(reverse("index-compare"), wrong))
    assert f"Generation {second.pk}" in text
    if "right" in wrong or "left" in wrong:
        assert "could be asked" in text


def test_measured_figures_stand_side_by_side(second, desk, compare, index):
    add_products(12)
    index()
    text = text_of(desk.get(reverse("index-compare")))
    assert f"manage.py quality --task category --generation {second.pk}" in text
    assert "has not been measured" in text
    call_command("quality", "--task", "category", "--generation", str(second.pk))
    figures = compare()["figures"]
    assert figures[0].left == "–"
    assert figures[0].right.endswith("%")
    call_command("quality", "--task", "category")
    figures = compare()["figures"]
    assert all(figure.left != "–" for figure in figures)
    assert "was measured less than a minute ago" in text_of(desk.get(reverse("index-compare")))


def test_a_comparison_takes_a_fixed_number_of_queries(second, desk, index):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            desk.get(reverse("index-compare"))
        return len(captured)

    queries()  # the engine reads its rows once
    few = queries()
    add_products(30)
    index()
    queries()
    assert queries() <= few


# --- Words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3, "less than a minute"),
        (50, "about 1 minute"),
        (600, "about 10 minutes"),
        (5_300, "about 88 minutes"),
        (7_300, "about 2 hours"),
    ],
)
def test_estimates_are_no_more_exact_than_they_deserve(seconds, said):
    assert words.duration(seconds) == said
