"""System checks of the search settings: each names the variable and says what to do."""

import re

from django.conf import settings
from django.core.checks import Error, Warning, register
from django.core.checks.messages import CheckMessage
from django.db import DatabaseError, connection

KNOWN_SCHEMES = ("embedded:", "elasticsearch://", "elasticsearch+http://", "elasticsearch+https://")


@register("search")
def check_search_url(app_configs, **kwargs) -> list[CheckMessage]:
    if settings.SEARCH_URL.startswith(KNOWN_SCHEMES):
        return []
    return [
        Error(
            "SEARCH_URL names no engine that is known.",
            hint="Set it to embedded: or to elasticsearch://user:password@host:9200 (elasticsearch+https:// for TLS).",
            id="search.E001",
        )
    ]


@register("search")
def check_index_prefix(app_configs, **kwargs) -> list[CheckMessage]:
    if re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,99}", settings.SEARCH_INDEX_PREFIX):
        return []
    return [
        Error(
            f"SEARCH_INDEX_PREFIX is {settings.SEARCH_INDEX_PREFIX!r}.",
            hint="Set it to small letters, digits, hyphens and underscores: Elasticsearch takes no others.",
            id="search.E004",
        )
    ]


@register("search")
def check_encoder(app_configs, **kwargs) -> list[CheckMessage]:
    from search.encoders import ENCODERS

    if settings.SEARCH_ENCODER in ENCODERS:
        return []
    return [
        Error(
            f"SEARCH_ENCODER is {settings.SEARCH_ENCODER!r}.",
            hint=f"Set it to one of: {', '.join(ENCODERS)}.",
            id="search.E002",
        )
    ]


@register("search")
def check_numbers(app_configs, **kwargs) -> list[CheckMessage]:
    errors: list[CheckMessage] = [
        Error(f"{name} is {getattr(settings, name)}.", hint=f"Set it to {least} or more.", id="search.E003")
        for name, least in (
            ("SEARCH_WINDOW", 1),
            ("SEARCH_PAGE_SIZE", 1),
            ("SEARCH_FIT_AT", 2),
            ("SEARCH_BATCH", 1),
            ("SEARCH_LEASE_SECONDS", 1),
            ("SEARCH_MAX_ATTEMPTS", 1),
            ("TORCH_THREADS", 1),
        )
        if getattr(settings, name) < least
    ]
    if settings.SEARCH_WINDOW > 10_000:  # what Elasticsearch returns at most
        errors.append(Error("SEARCH_WINDOW is above 10000.", hint="Set it to 10000 or less.", id="search.E005"))
    return errors


@register("search", "database")
def check_embedded_size(app_configs, databases=None, **kwargs) -> list[CheckMessage]:
    from search.models import Placement

    if not databases or not settings.SEARCH_URL.startswith("embedded"):
        return []
    try:
        images = Placement.objects.filter(generation__state="live").count()
    except DatabaseError:  # before the first migration
        connection.close_if_unusable_or_obsolete()
        return []
    if images <= settings.EMBEDDED_WARN_AT:
        return []
    return [
        Warning(
            f"The embedded engine holds {images:,} images.",
            hint="Move to Elasticsearch: set SEARCH_URL and let the indexing loop fill it (docs/engines.md).",
            id="search.W001",
        )
    ]
