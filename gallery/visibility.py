"""Who asks. Everything that returns images demands one of these three values, so forgetting is impossible."""

from dataclasses import dataclass
from typing import Literal

from django.http import HttpRequest


@dataclass(frozen=True)
class Visibility:
    """What somebody may see.

    ``public``: approved images of published products. ``own``: those and the person's own uploads.
    ``moderation``: everything.
    """

    kind: Literal["public", "own", "moderation"]
    user_id: int | None = None


public = Visibility("public")
moderation = Visibility("moderation")


def of(user) -> Visibility:
    """What this user sees on the shop's pages: the public catalogue and the user's own uploads."""
    return Visibility("own", user.pk) if user.is_authenticated else public


def behind_the_counter(user) -> Visibility:
    """What this user sees on staff pages and on single products: everything for staff and moderators."""
    return moderation if user.is_authenticated and (user.is_catalogue_staff or user.is_moderator) else of(user)


def of_request(request: HttpRequest) -> Visibility:
    return of(request.user)
