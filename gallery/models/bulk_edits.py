"""One change to many products: what it does, which products, and what each of them had before."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.keys import new_key

if TYPE_CHECKING:
    from gallery.models.jobs import Job

DRAFTS_KEPT = timedelta(days=1)
ITEMS_AT_ONCE = 1_000


class BulkEditQuerySet(models.QuerySet["BulkEdit"]):
    def applied(self) -> "BulkEditQuerySet":
        """Those that somebody began."""
        return self.exclude(applied_at=None)

    def purge_drafts(self) -> int:
        """Delete selections that nobody went on with."""
        return self.filter(applied_at=None, created_at__lt=timezone.now() - DRAFTS_KEPT).delete()[0]


class BulkEdit(models.Model):
    """A draft is a selection; applying freezes it into one item per product, which a job works through."""

    class Action(models.TextChoices):
        PRICE = "price", _("Change the price")
        CATEGORY = "category", _("Set the category")
        ADD_TAGS = "add_tags", _("Add tags")
        REMOVE_TAGS = "remove_tags", _("Remove tags")
        AVAILABILITY = "availability", _("Set the availability")
        PUBLISH = "publish", _("Publish")
        HIDE = "hide", _("Hide")

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    action = models.CharField(max_length=12, choices=Action.choices, blank=True)
    parameters = models.JSONField(default=dict, help_text="what the action needs, by name")
    keys = models.JSONField(default=list, help_text="the products that were chosen one by one")
    query = models.TextField(blank=True, help_text="or the filters that all chosen ones match")
    total = models.PositiveIntegerField(default=0, help_text="products when it was applied")
    job = models.ForeignKey("gallery.Job", models.SET_NULL, null=True, blank=True, related_name="+")
    undo_job = models.ForeignKey("gallery.Job", models.SET_NULL, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="bulk_edits"
    )
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    applied_at = models.DateTimeField(null=True, blank=True)

    objects = BulkEditQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("bulk-edit", args=[self.pk])

    @property
    def is_draft(self) -> bool:
        return self.applied_at is None

    @property
    def running(self) -> "Job | None":
        """The job that is at work on it now, forth or back."""
        return next((job for job in (self.undo_job, self.job) if job and job.is_unfinished), None)

    @property
    def ended(self) -> "list[Job]":
        """The jobs that have been at work on it, the first one first."""
        return [job for job in (self.job, self.undo_job) if job and not job.is_unfinished]

    @property
    def can_be_undone(self) -> bool:
        return not self.is_draft and self.running is None and self.items.filter(state="changed").exists()


class BulkEditItem(models.Model):
    """One product of a bulk edit. The row outlives the product, so that a report stays whole."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        CHANGED = "changed", _("Changed")
        SKIPPED = "skipped", _("Left as it was")
        UNDONE = "undone", _("Undone")
        KEPT = "kept", _("Not undone")

    class Reason(models.TextChoices):
        SAME = "same", _("It is so already.")
        NO_PRICE = "no_price", _("It has no price.")
        OTHER_CURRENCY = "other_currency", _("Its price is in another currency.")
        NEGATIVE = "negative", _("Its price would be below zero.")
        TOO_HIGH = "too_high", _("Its price would be too high.")
        GONE = "gone", _("The product is deleted.")
        CHANGED_SINCE = "changed_since", _("Somebody changed it afterwards.")
        CATEGORY_GONE = "category_gone", _("The category that it had is deleted.")
        CANCELLED = "cancelled", _("The bulk edit was cancelled before.")

    edit = models.ForeignKey(BulkEdit, models.CASCADE, related_name="items")
    product = models.ForeignKey("gallery.Product", models.SET_NULL, null=True, related_name="+")
    sku = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=14, choices=Reason.choices, blank=True)
    before: Any = models.JSONField(default=dict, help_text="what the product had, as far as it was changed")
    after: Any = models.JSONField(default=dict, help_text="what the bulk edit gave it")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["edit", "product"], name="bulk_edit_product_once"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "changed", "skipped", "undone", "kept"]),
                name="bulk_edit_item_state_known",
            ),
        ]
        indexes = [models.Index(fields=["edit", "state", "id"], name="bulk_edit_item_state")]

    def __str__(self) -> str:
        return f"{self.sku} {self.state}"
