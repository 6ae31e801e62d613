"""What every page knows of the site."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "SITE_NAME": settings.SITE_NAME,
        "DEBUG": settings.DEBUG,
        "LANGUAGES_OFFERED": settings.LANGUAGES,
        "LINK_SEARCH": settings.LINK_SEARCH,
    }
