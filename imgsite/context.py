"""What every page knows of the site."""

from django.conf import settings
from django.http import HttpRequest

from gallery.accounts.mail import sends_mail


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "SITE_NAME": settings.SITE_NAME,
        "DEBUG": settings.DEBUG,
        "LANGUAGES_OFFERED": settings.LANGUAGES,
        "LINK_SEARCH": settings.LINK_SEARCH,
        "SIGNUP_OPEN": settings.SIGNUP_OPEN,
        "SENDS_MAIL": sends_mail(),
    }
