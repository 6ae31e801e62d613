"""Filters of the product list that staff keep under a name, as tabs."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from gallery.models.users import User

NAME_LENGTH = 60
MOST_VIEWS = 30  # of one person: more than that is no row of tabs


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def seen_by(self, user: "User") -> "SavedViewQuerySet":
        """One's own, and what others share."""
        return self.filter(Q(owner=user) | Q(shared=True)).select_related("owner").order_by("name", "pk")


class SavedView(models.Model):
    """One tab of the product list: a name for a query string."""

    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views")
    query = models.TextField(blank=True, help_text="the canonical query string of the filters")
    shared = models.BooleanField(_("shared with all staff"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="saved_view_name_once"),
            models.CheckConstraint(condition=~Q(name=""), name="saved_view_has_name"),
        ]

    def __str__(self) -> str:
        return self.name
