"""The settings that a backup tells of, so that a restored shop can be set up alike. Never a secret."""

from typing import Any

from django.conf import settings

# Values of these say what the data means, or how the shop behaves; none can hold a password.
TOLD = (
    "SITE_NAME",
    "SHOP_CURRENCY",
    "LANGUAGE_CODE",
    "TIME_ZONE",
    "SEARCH_ENCODER",
    "SEARCH_INDEX_OPTIONS",
    "SEARCH_DEEP_DIMENSIONS",
    "SEARCH_FIT_AT",
    "SEARCH_WINDOW",
    "SEARCH_PAGE_SIZE",
    "RECOGNITION_CONFIDENCE",
    "RENDITION_WIDTHS",
    "RENDITION_QUALITY",
    "MAX_IMAGE_BYTES",
    "MAX_IMAGE_PIXELS",
    "MAX_UPLOAD_FILES",
    "QUERY_PHOTO_HOURS",
)


def told() -> dict[str, Any]:
    return {name: _plain(getattr(settings, name)) for name in TOLD}


def differences(then: dict[str, Any]) -> list[str]:
    """A sentence for each setting that is another one here than where the backup was made."""
    now = told()
    return [
        f"{name} was {then[name]!r} where the backup was made, and is {now[name]!r} here."
        for name in TOLD
        if name in then and then[name] != now[name]
    ]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
