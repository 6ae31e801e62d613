"""Reports of photos, through their address."""

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from gallery.models import Image, Report
from tests.catalogue import add_product

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_counts_of_other_tests():
    cache.clear()


@pytest.fixture
def image() -> Image:
    return add_product("DRESS", photos=2).images.order_by("position", "pk")[0]


def send(client: Client, image: Image, reason: str = "wrong", note: str = ""):
    return client.post(reverse("report", args=[image.pk]), {"reason": reason, "note": note})


def test_a_visitor_reports_a_photo(client, image):
    assert reverse("report", args=[image.pk]) in client.get("/products/DRESS/").content.decode()
    page = client.get(reverse("report", args=[image.pk]))
    assert (page.status_code, len(page.context["photos"])) == (200, 2)
    response = client.post(
        reverse("report", args=[image.pk]), {"reason": "stolen", "note": "My own photo."}, follow=True
    )
    assert response.redirect_chain == [("/products/DRESS/", 302)]
    assert "A moderator will look" in response.content.decode()
    report = Report.objects.get()
    assert (report.image, report.reason, report.note, report.user) == (image, "stolen", "My own photo.", None)
    assert report.session_key == client.session.session_key
    assert report.resolved_at is None


def test_of_a_person_the_account_is_kept_and_no_session(client, image, shopper, moderator):
    client.force_login(shopper)
    send(client, image)
    report = Report.objects.get()
    assert (report.user, report.session_key) == (shopper, "")
    report.resolve(by=moderator)
    assert (Report.objects.open().count(), Report.objects.get().resolved_by) == (0, moderator)
    shopper.delete()
    assert Report.objects.get().user is None


def test_reporting_again_adds_to_what_was_said(client, image):
    send(client, image)
    send(client, image, note="It shows a shoe.")
    send(client, image)
    assert Report.objects.get().note == "It shows a shoe."
    send(client, image, "offensive")
    send(Client(), image)
    assert Report.objects.count() == 3


@pytest.mark.parametrize("data", [{}, {"reason": "boring"}, {"reason": "wrong", "note": "x" * 501}])
def test_what_is_no_report(client, image, data):
    response = client.post(reverse("report", args=[image.pk]), data)
    assert response.status_code == 422
    assert response.context["form"].errors
    assert not Report.objects.exists()


def test_a_photo_that_is_not_shown_cannot_be_reported(client, image, shopper):
    image.product.hide()
    client.force_login(shopper)
    assert client.get(reverse("report", args=[image.pk])).status_code == 404
    assert send(client, image).status_code == 404


def test_reports_are_bounded(image, settings, monkeypatch):
    monkeypatch.setattr("gallery.models.reports.MOST_OPEN", 3)
    for _visitor in range(5):
        assert send(Client(), image).status_code == 302
    assert Report.objects.count() == 3
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] | {"report": "6/hour"}
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}
    assert send(Client(), image).status_code == 302
    response = send(Client(), image)
    assert response.status_code == 429
    assert "too many reports" in response.content.decode()
