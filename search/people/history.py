"""What is recorded: searches and looked-at products, of people who agreed; of visitors what their session holds."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from gallery.models import Image
from search.models import ProductView, SearchRecord
from search.models.history import MOST_SEARCHES, MOST_VIEWS, QUERY_LENGTH, digest_of
from search.people.consent import keeps_history, still_agrees
from search.query import Query

SESSION_KEY = "viewed"  # in the session of a visitor who is not signed in: keys of images, the newest first
MOST_IN_SESSION = 20
SOON = timedelta(minutes=30)  # a product that is opened later after a search was found otherwise


def record_search(request: HttpRequest, query: Query, total: int, *, full: bool = False) -> None:
    """Keep a search of a person who agreed to it. Three statements; none for everybody else.

    Only the first page counts, whether weaker matches are shown does not, and looking at everything is no search.

    :param total: products that matched, a lower bound where ``full``
    """
    canonical = query.with_(weaker=False).canonical
    if not keeps_history(request.user) or query.page > 1 or not canonical or len(canonical) > QUERY_LENGTH:
        return
    if not still_agrees(request.user):  # encoding a photo takes long enough for a change of mind
        return
    record = SearchRecord(
        user=request.user,
        query=canonical,
        digest=digest_of(canonical),
        total=total,
        full=full,
        created_at=timezone.now(),
    )
    SearchRecord.objects.bulk_create(
        [record],
        update_conflicts=True,
        unique_fields=["user", "digest"],
        update_fields=["total", "full", "created_at"],
    )
    SearchRecord.objects.trim(request.user, MOST_SEARCHES)


def record_view(request: HttpRequest, image: Image) -> None:
    """Keep that somebody looked at the product of this photo: with a person who agreed, else in a visitor's session.

    With it goes the search that the person made just before: a search that is made again moves, so that later nobody
    could tell which it was. Of a person who is signed in and did not agree nothing is kept anywhere.
    """
    if keeps_history(request.user):
        now = timezone.now()
        recent = SearchRecord.objects.filter(user=request.user, created_at__gt=now - SOON)
        search = recent.order_by("-created_at", "-pk").first()
        view = ProductView(user=request.user, image=image, search=search, created_at=now)
        ProductView.objects.bulk_create(
            [view],
            update_conflicts=True,
            unique_fields=["user", "image"],
            # Opened once more without a search, it was still found by the earlier one.
            update_fields=["created_at", "search"] if search else ["created_at"],
        )
        ProductView.objects.trim(request.user, MOST_VIEWS)
    elif not request.user.is_authenticated:
        seen = [key for key in request.session.get(SESSION_KEY, []) if key != str(image.pk)]
        request.session[SESSION_KEY] = [str(image.pk), *seen][:MOST_IN_SESSION]


def viewed(request: HttpRequest, most: int) -> Sequence[UUID]:
    """Keys of the images that were looked at, the newest first."""
    if keeps_history(request.user):
        views = ProductView.objects.filter(user=request.user).order_by("-created_at", "-pk")
        return list(views.values_list("image", flat=True)[:most])
    if request.user.is_authenticated:
        return []
    return [UUID(key) for key in request.session.get(SESSION_KEY, [])[:most]]


def forget_session(request: HttpRequest) -> None:
    """What a visitor looked at before signing in does not become part of the account."""
    request.session.pop(SESSION_KEY, None)
