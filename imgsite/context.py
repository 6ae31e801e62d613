"""What every page knows of the site."""

from django.conf import settings
from django.http import HttpRequest

from gallery.accounts.mail import sends_mail
from gallery.demo.accounts import ACCOUNTS, may_switch


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "SITE_NAME": settings.SITE_NAME,
        "DEBUG": settings.DEBUG,
        "LANGUAGES_OFFERED": settings.LANGUAGES,
        "LINK_SEARCH": settings.LINK_SEARCH,
        "SIGNUP_OPEN": settings.SIGNUP_OPEN,
        "SENDS_MAIL": sends_mail(),
        "VIEW_AS": [account.role for account in ACCOUNTS] if may_switch(request) else [],
    }
