"""System checks of the search settings: each names the variable and says what to do."""

import ipaddress
import re

from django.conf import settings
from django.core.checks import Error, Warning, register
from django.core.checks.messages import CheckMessage
from django.db import DatabaseError, connection

from search.recognition import LEAST_KEPT

DEVICES = ("auto", "cpu", "cuda", "mps")
HALVES = ("auto", "always", "never")
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
def check_encoders(app_configs, **kwargs) -> list[CheckMessage]:
    """Every entry as far as it can be told without loading torch."""
    from search.encoders import EncoderError, encoder_names, get_encoder

    errors: list[CheckMessage] = []
    for name in encoder_names():
        try:
            get_encoder(name)
        except EncoderError as error:
            errors.append(Error(str(error), hint="Mend SEARCH_ENCODERS; see docs/encoders.md.", id="search.E006"))
    if settings.SEARCH_ENCODER not in encoder_names():
        errors.append(
            Error(
                f"SEARCH_ENCODER is {settings.SEARCH_ENCODER!r}.",
                hint=f"Set it to one of: {', '.join(encoder_names())}.",
                id="search.E002",
            )
        )
    for name, values in (("ENCODER_DEVICE", DEVICES), ("ENCODER_HALF", HALVES)):
        if getattr(settings, name) not in values:
            errors.append(
                Error(
                    f"{name} is {getattr(settings, name)!r}.", hint=f"Set it to {', '.join(values)}.", id="search.E007"
                )
            )
    return errors


@register("search")
def check_text_encoder(app_configs, **kwargs) -> list[CheckMessage]:
    """As far as it can be told without loading it. A package that is not installed is no error: words are text then."""
    from search.text_to_picture.encoder import get_text_encoder

    try:
        get_text_encoder()
    except ImportError as error:
        hint = "Leave it out, or set it to nothing to search words as text alone; see docs/words.md."
        return [Error(f"TEXT_ENCODER cannot be used: {error}", hint=hint, id="search.E014")]
    return []


@register("search")
def check_region_detector(app_configs, **kwargs) -> list[CheckMessage]:
    """As far as it can be told without loading torch."""
    from search.encoders import EncoderError
    from search.regions import finder

    try:
        finder()
    except EncoderError as error:
        return [Error(str(error), hint="Mend REGION_DETECTOR; see docs/regions.md.", id="search.E012")]
    return []


@register("search")
def check_index_options(app_configs, **kwargs) -> list[CheckMessage]:
    from search.engines.index_settings import SCRIPT, BadIndexSettings, IndexSettings

    try:
        parsed = IndexSettings.parse(settings.SEARCH_INDEX_OPTIONS)
    except BadIndexSettings as error:
        return [Error(f"SEARCH_INDEX_OPTIONS: {error}", hint="See docs/engines.md.", id="search.E008")]
    if parsed.type != SCRIPT or settings.SEARCH_URL.startswith("embedded"):
        return []
    return [
        Warning(
            "SEARCH_INDEX_OPTIONS asks for script_score.",
            hint="It reads every vector for every search, and the cluster must allow scripts (painless). The type flat "
            "is exact, too, and needs no scripts.",
            id="search.W002",
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
            ("LINK_AT_ONCE", 1),
        )
        if getattr(settings, name) < least
    ]
    if settings.SEARCH_WINDOW > 10_000:  # what Elasticsearch returns at most
        errors.append(Error("SEARCH_WINDOW is above 10000.", hint="Set it to 10000 or less.", id="search.E005"))
    return errors


@register("search")
def check_recognition(app_configs, **kwargs) -> list[CheckMessage]:
    if LEAST_KEPT <= settings.RECOGNITION_CONFIDENCE <= 1:
        return []
    return [
        Error(
            f"RECOGNITION_CONFIDENCE is {settings.RECOGNITION_CONFIDENCE:g}.",
            hint=f"Set it from {LEAST_KEPT:g} (whatever the network says) to 1 (next to nothing).",
            id="search.E013",
        )
    ]


@register("search")
def check_safety(app_configs, **kwargs) -> list[CheckMessage]:
    if 0 <= settings.SAFETY_THRESHOLD <= 1:
        return []
    return [
        Error(
            f"SAFETY_THRESHOLD is {settings.SAFETY_THRESHOLD:g}.",
            hint="Set it from 0 (every photo opens covered) to 1 (next to none).",
            id="search.E014",
        )
    ]


@register("search")
def check_links(app_configs, **kwargs) -> list[CheckMessage]:
    errors: list[CheckMessage] = []
    if not 0 < settings.LINK_SECONDS <= 60:
        errors.append(
            Error(
                f"LINK_SECONDS is {settings.LINK_SECONDS:g}.",
                hint="Set it to more than 0 and at most 60: a web thread waits so long for a picture.",
                id="search.E009",
            )
        )
    if not settings.LINK_PORTS or not all(0 < port < 65_536 for port in settings.LINK_PORTS):
        errors.append(
            Error(
                f"LINK_PORTS is {settings.LINK_PORTS}.",
                hint="Set it to port numbers with commas between them, 80,443 as a rule. LINK_SEARCH=false turns links "
                "off.",
                id="search.E010",
            )
        )
    for network in settings.LINK_REFUSED_NETWORKS:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            errors.append(
                Error(
                    f"LINK_REFUSED_NETWORKS: {error}.",
                    hint="Write networks like 203.0.113.0/24 or 2001:db8::/32, with commas between them.",
                    id="search.E011",
                )
            )
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
