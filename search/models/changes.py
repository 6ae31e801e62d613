"""What changed, and what of it has been written where."""

from django.db import models
from django.db.models import Q


class Change(models.Model):
    """One row per image key: a version that only grows, and a mark for deletion. It outlives the image."""

    key = models.UUIDField(primary_key=True)
    version = models.PositiveBigIntegerField(default=1)
    deleted = models.BooleanField(default=False)
    changed_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key} v{self.version}{' deleted' if self.deleted else ''}"


class Placement(models.Model):
    """One row per (generation, image key): what was written there, and how trying went.

    ``behind`` repeats ``version < change.version`` so that the indexing loop finds its work in a small partial
    index. It is only ever set while the change's row is locked; ``index status`` counts by the join.
    """

    generation = models.ForeignKey("search.Generation", models.CASCADE, related_name="placements")
    key = models.UUIDField()
    version = models.PositiveBigIntegerField(default=0, help_text="the version last written; 0 for none")
    behind = models.BooleanField(default=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True, help_text="why the last attempt failed")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["generation", "key"], name="placement_once"),
        ]
        indexes = [
            models.Index(fields=["generation", "key"], condition=Q(behind=True), name="placement_behind"),
            models.Index(fields=["key"], name="placement_key"),
        ]

    def __str__(self) -> str:
        return f"{self.key} in {self.generation_id} at v{self.version}"
