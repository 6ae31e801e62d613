"""What a signed-in person searched for and looked at, kept only with consent, and the searches saved by name."""

import hashlib
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.keys import new_key

MOST_SEARCHES = 500  # of one person; the oldest go first
MOST_VIEWS = 500
MOST_SAVED = 100
NAME_LENGTH = 80
QUERY_LENGTH = 8_000  # characters of a canonical query string that are worth keeping


class OfPerson(models.Manager["Any"]):
    """Rows of which each person has a bounded number."""

    def trim(self, user: Any, most: int) -> None:
        """Delete the person's oldest rows beyond so many."""
        old = self.filter(user=user).order_by("-created_at", "-pk").values("pk")[most:]
        self.filter(pk__in=old).delete()


class SearchRecord(models.Model):
    """A search that somebody made. One that is made again moves to the top."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="searches")
    query = models.TextField(help_text="the canonical query string, without the page")
    digest = models.CharField(max_length=64, editable=False, help_text="SHA-256 of it: it may be too long for an index")
    total = models.PositiveIntegerField(help_text="products that matched")
    full = models.BooleanField(default=False, help_text="the total is a lower bound")
    created_at = models.DateTimeField(default=timezone.now)

    objects = OfPerson()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="search_record_once")]
        indexes = [models.Index(fields=["user", "-created_at"], name="search_record_newest")]


class ProductView(models.Model):
    """A photo whose product page somebody opened."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    image = models.ForeignKey("gallery.Image", models.CASCADE, related_name="+")
    search = models.ForeignKey(
        SearchRecord,
        models.SET_NULL,
        null=True,
        related_name="+",
        help_text="the person's last one, if just made",
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = OfPerson()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "image"], name="product_view_once")]
        indexes = [models.Index(fields=["user", "-created_at"], name="product_view_newest")]


class SavedSearch(models.Model):
    """A search that somebody keeps under a name."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_searches")
    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    query = models.TextField(help_text="the canonical query string, without the page")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="saved_search_name_of_user"),
            models.CheckConstraint(condition=~Q(name=""), name="saved_search_has_name"),
        ]


def digest_of(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()
