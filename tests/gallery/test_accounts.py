"""Signing in, signing up and passwords, through their addresses."""

import re

import pytest
from django.conf import settings as project
from django.core import mail
from django.core.cache import cache
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse

from gallery.models import Role, User
from tests.catalogue import add_product

pytestmark = pytest.mark.django_db
PASSWORD = "a long password"
NEW = {
    "username": "mina",
    "email": "mina@example.com",
    "password1": "seven grey herons",
    "password2": "seven grey herons",
}


@pytest.fixture(autouse=True)
def _quick_and_unthrottled(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


def text_of(response) -> str:
    return response.content.decode()


# --- Signing in -------------------------------------------------------------------------------------------


def test_both_names_of_the_addresses_lead_to_the_same_pages():
    assert reverse("login") == reverse("account_login") == "/accounts/login/"
    assert reverse("logout") == reverse("account_logout") == "/accounts/logout/"


@pytest.mark.parametrize("name", ["shopper", "shopper@example.com", "SHOPPER@example.com"])
def test_one_signs_in_by_name_or_address_and_comes_back(client, shopper, name):
    answer = client.post("/accounts/login/", {"login": name, "password": PASSWORD, "next": "/collections/"})
    assert answer.url == "/collections/"
    assert client.get("/collections/").status_code == 200
    assert not client.session.get_expire_at_browser_close()


def test_a_page_elsewhere_is_not_led_to(client, shopper):
    form = {"login": "shopper", "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert client.post("/accounts/login/", form).url == "/"


def test_a_wrong_password_is_told_without_saying_which_part_is_wrong(client, shopper):
    for name in ("shopper", "nobody", "shopper@example.com"):
        answer = client.post("/accounts/login/", {"login": name, "password": "wrong"})
        assert answer.status_code == 200
        assert "do not go together" in text_of(answer)


def test_guessing_is_stopped(client, shopper):
    for _try in range(5):
        client.post("/accounts/login/", {"login": "shopper", "password": "wrong"})
    answer = client.post("/accounts/login/", {"login": "shopper", "password": PASSWORD})
    assert "too many wrong passwords" in text_of(answer)
    assert not client.session.get("_auth_user_id")


def test_whoever_may_not_see_a_page_is_told_so_where_they_can_change_who_they_are(client, shopper):
    client.force_login(shopper)
    assert "may not see that page" in text_of(client.get("/accounts/login/?next=/upload/"))
    assert "may not see that page" not in text_of(client.get("/accounts/login/"))


def test_signing_out_takes_a_click(client, shopper):
    client.force_login(shopper)
    assert "Sign out" in text_of(client.get("/accounts/logout/"))
    assert client.get("/collections/").status_code == 200
    assert client.post("/accounts/logout/").url == "/"
    assert client.get("/collections/").status_code == 302


def test_administrators_sign_in_at_the_same_page(client):
    User.objects.create_superuser("root", "root@example.com", PASSWORD)
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2F"
    answer = client.post("/accounts/login/", {"login": "root", "password": PASSWORD, "next": "/admin/"}, follow=True)
    assert answer.redirect_chain == [("/admin/", 302)]


# --- Signing up -------------------------------------------------------------------------------------------


def test_a_new_account_is_a_shoppers(client):
    answer = client.post("/accounts/signup/", NEW | {"next": "/collections/"})
    assert answer.url == "/collections/"
    user = User.objects.get(username="mina")
    assert user.roles == {Role.SHOPPER}
    assert not user.is_staff and not user.is_superuser
    assert client.get("/collections/").status_code == 200


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"username": "shopper"}, "already exists"),
        ({"email": "shopper@example.com"}, "There is an account with this e-mail address"),
        ({"password1": "1234", "password2": "1234"}, "too short"),
        ({"password2": "something else"}, "same password"),
        ({"email": "nowhere"}, "valid email address"),
        ({"username": "a b"}, "valid username"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(client, shopper, wrong, told):
    answer = client.post("/accounts/signup/", NEW | wrong)
    assert answer.status_code == 200
    assert told in text_of(answer)
    assert User.objects.count() == 1


def test_a_role_cannot_be_asked_for(client):
    client.post("/accounts/signup/", NEW | {"groups": "staff", "is_staff": "on", "is_superuser": "on", "role": "staff"})
    user = User.objects.get(username="mina")
    assert (user.roles, user.is_staff, user.is_superuser) == ({Role.SHOPPER}, False, False)


def test_a_site_may_make_its_accounts_itself(client, settings):
    settings.SIGNUP_OPEN = False
    assert "No new accounts" in text_of(client.get("/accounts/signup/"))
    client.post("/accounts/signup/", NEW)
    assert not User.objects.exists()
    assert "/accounts/signup/" not in text_of(client.get("/accounts/login/"))


def test_many_accounts_from_one_address_are_stopped(client):
    for number in range(20):
        client.post("/accounts/signup/", {"username": f"n{number}"})
    answer = client.post("/accounts/signup/", NEW)
    assert answer.status_code == 429
    assert "Too many tries" in text_of(answer)
    assert not User.objects.exists()


def test_an_address_is_confirmed_by_a_letter(client, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    client.post("/accounts/signup/", NEW)
    letter = mail.outbox[0]
    assert letter.subject == "[Contact Sheet] Confirm your e-mail address"
    assert letter.to == ["mina@example.com"]
    link = re.search(r"http://testserver(/accounts/confirm-email/\S+)", letter.body)[1]
    assert "mina@example.com" in text_of(client.get(link))
    client.post(link)
    assert User.objects.get().emailaddress_set.get().verified


def test_a_site_may_demand_the_confirmation(client, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    answer = client.post("/accounts/signup/", NEW, follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/confirm-email/"
    assert client.get("/collections/").status_code == 302
    link = re.search(r"http://testserver(/accounts/confirm-email/\S+)", mail.outbox[0].body)[1]
    client.post(link)
    client.post("/accounts/login/", {"login": "mina", "password": NEW["password1"]})
    assert client.get("/collections/").status_code == 200


def test_a_mail_server_that_is_down_costs_the_letter_alone(client, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    answer = client.post("/accounts/signup/", NEW, follow=True)
    assert "could not be sent" in text_of(answer)
    assert User.objects.get().roles == {Role.SHOPPER}


# --- Passwords --------------------------------------------------------------------------------------------


def test_a_forgotten_password_is_reset_by_a_letter(client, shopper):
    client.post("/accounts/password/reset/", {"email": "shopper@example.com"})
    link = re.search(r"http://testserver(\S+/password/reset/key/\S+)", mail.outbox[0].body)[1]
    page = client.get(link, follow=True)
    assert "Choose a new password" in text_of(page)
    form = {"password1": "seven grey herons", "password2": "seven grey herons"}
    answer = client.post(page.redirect_chain[-1][0], form, follow=True)
    assert "The password is changed" in text_of(answer)
    shopper.refresh_from_db()
    assert shopper.check_password("seven grey herons")
    assert "no longer works" in text_of(Client().get(link, follow=True)), "a link works once"


def test_nobody_learns_which_addresses_have_accounts(client, shopper):
    pages = [
        text_of(client.post("/accounts/password/reset/", {"email": address}, follow=True))
        for address in ("shopper@example.com", "nobody@example.com")
    ]
    assert pages[0].count("a letter with a link") == pages[1].count("a letter with a link") == 1


def test_a_password_is_changed_by_whoever_knows_it(client, shopper):
    client.force_login(shopper)
    form = {"oldpassword": "wrong", "password1": "seven grey herons", "password2": "seven grey herons"}
    assert "not your present password" in text_of(client.post("/accounts/password/change/", form))
    client.post("/accounts/password/change/", form | {"oldpassword": PASSWORD})
    shopper.refresh_from_db()
    assert shopper.check_password("seven grey herons")
    assert client.get("/collections/").status_code == 200, "and stays signed in"


def test_without_mail_the_site_says_whom_to_ask(client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert "sends no e-mail" in text_of(client.get("/accounts/password/reset/"))
    assert "Forgot" not in text_of(client.get("/accounts/login/"))


def test_an_address_is_changed_once_the_new_one_is_confirmed(client, shopper):
    client.force_login(shopper)
    client.post("/accounts/email/", {"email": "new@example.com", "action_add": ""})
    page = text_of(client.get("/accounts/email/"))
    assert "Not confirmed yet" in page and "new@example.com" in page
    letter = next(letter for letter in mail.outbox if letter.to == ["new@example.com"])
    client.post(re.search(r"http://testserver(/accounts/confirm-email/\S+)", letter.body)[1])
    shopper.refresh_from_db()
    assert shopper.email == "new@example.com"


@pytest.mark.parametrize(
    "name",
    [
        "login", "logout", "signup", "password/change", "password/set", "password/reset", "password/reset/done",
        "password/reset/key/done", "confirm-email", "confirm-email/nothing", "email", "reauthenticate", "inactive",
    ],
)  # fmt: skip
def test_every_page_of_an_account_is_ours(client, shopper, name):
    if name in ("password/set",):
        shopper.set_unusable_password()
        shopper.save()
    if name in ("logout", "password/change", "password/set", "email", "reauthenticate"):
        client.force_login(shopper)
    answer = client.get(f"/accounts/{name}/")
    assert answer.status_code == 200
    assert 'class="site-header' in text_of(answer)


def test_a_product_leads_visitors_to_sign_in_and_back(client):
    add_product("DRESS")
    answer = client.get("/accounts/login/?next=/products/DRESS/")
    assert 'name="next" value="/products/DRESS/"' in text_of(answer)
    assert "/accounts/signup/?next=/products/DRESS/" in text_of(answer)


def test_settings_that_cannot_be_are_named(settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "perhaps"
    assert "gallery.E005" in {error.id for error in run_checks(tags=["gallery"])}
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert "gallery.E006" in {error.id for error in run_checks(tags=["gallery"])}
    assert project.LOGIN_URL == "login"
