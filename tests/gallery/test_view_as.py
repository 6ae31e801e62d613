"""The switch between the demo's accounts: in debug and from this machine alone."""

import pytest
from django.test import Client

from gallery.demo.accounts import ACCOUNTS, make_accounts
from gallery.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _demo(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.DEBUG = True
    make_accounts()


def signed_in(client: Client) -> str:
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).username if key else ""


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.role)
@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_a_click_makes_one_each_role(account, address):
    client = Client(REMOTE_ADDR=address)
    page = client.get("/search/").content.decode()
    assert f"/demo/view-as/{account.role}/" in page
    answer = client.post(f"/demo/view-as/{account.role}/", {"next": "/collections/"})
    assert answer.url == "/collections/"
    assert signed_in(client) == account.username
    assert client.get("/").wsgi_request.user.roles >= {account.role}


def test_the_administrator_enters_the_administration(client):
    client.post("/demo/view-as/administrator/")
    assert client.get("/admin/").status_code == 200
    client.post("/demo/view-as/staff/")
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    ("debug", "headers"),
    [
        (False, {}),
        (True, {"REMOTE_ADDR": "192.0.2.7"}),
        (True, {"REMOTE_ADDR": "10.0.0.2"}),
        (True, {"REMOTE_ADDR": ""}),
        (True, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}),
        (True, {"HTTP_FORWARDED": "for=127.0.0.1"}),
        (True, {"HTTP_X_REAL_IP": "127.0.0.1"}),
        (True, {"HTTP_X_FORWARDED_HOST": "localhost"}),
        (True, {"HTTP_VIA": "1.1 proxy"}),
    ],
)
def test_elsewhere_there_is_no_such_address(settings, debug, headers):
    settings.DEBUG = debug
    client = Client(**headers)
    assert "view-as" not in client.get("/accounts/login/").content.decode()
    for account in ACCOUNTS:
        assert client.post(f"/demo/view-as/{account.role}/").status_code == 404
        assert client.get(f"/demo/view-as/{account.role}/").status_code == 404
    assert signed_in(client) == ""


def test_other_sites_cannot_click_it():
    client = Client(enforce_csrf_checks=True)
    assert client.post("/demo/view-as/administrator/").status_code == 403
    assert client.get("/demo/view-as/administrator/").status_code == 405
    assert signed_in(client) == ""


@pytest.mark.parametrize("role", ["root", "superuser", "Staff"])
def test_there_are_no_other_roles(client, role):
    assert client.post(f"/demo/view-as/{role}/").status_code == 404


def test_an_account_of_that_name_that_is_somebodys_is_not_entered(client):
    User.objects.filter(username="staff").update(email="real@shop.example")
    assert client.post("/demo/view-as/staff/").status_code == 404
    assert signed_in(client) == ""


def test_an_account_of_that_name_that_is_somebodys_gets_no_role():
    real = User.objects.get(username="staff")
    User.objects.filter(pk=real.pk).update(email="real@shop.example")
    real.groups.clear()
    make_accounts()
    assert User.objects.get(pk=real.pk).roles == frozenset()


def test_it_leads_nowhere_else(client):
    assert client.post("/demo/view-as/staff/", {"next": "https://elsewhere.example/"}).url == "/"
