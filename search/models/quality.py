"""What staff said of single results, and what was measured of generations."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Judgement(models.Model):
    """A person's word on one result of one query. Said again, it takes the place of what was said before."""

    query = models.TextField(help_text="the canonical query string, of what counts for the ranking alone")
    digest = models.CharField(max_length=64, editable=False, help_text="SHA-256 of it: it may be too long for an index")
    image = models.ForeignKey("gallery.Image", models.CASCADE, related_name="+", help_text="by which it was shown")
    good = models.BooleanField(_("good result"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["by", "digest", "image"], name="judgement_once")]
        indexes = [
            models.Index(fields=["digest", "at"], name="judgement_of_query"),
            models.Index(fields=["image"], name="judgement_of_image"),
        ]


class QualityRun(models.Model):
    """Figures of one generation on one day. Runs are never changed, and so can be laid side by side for years."""

    generation = models.ForeignKey("search.Generation", models.CASCADE, related_name="quality_runs")
    weights = models.JSONField(help_text="part → weight, as the generation had them then")
    seed = models.IntegerField(default=0, help_text="of the sample of queries, and of the bootstrap")
    started_at = models.DateTimeField(default=timezone.now, db_index=True)
    seconds = models.FloatField(help_text="that measuring took")
    figures = models.JSONField(help_text="task → queries, figures with their intervals, facts; or why there are none")
    groups = models.JSONField(default=dict, help_text="task → category, kind of copy or language → figures")
    worst = models.JSONField(default=dict, help_text="task → the queries that did worst, with their first hits")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-started_at", "-pk"]
        indexes = [models.Index(fields=["generation", "-started_at"], name="quality_run_newest")]

    def __str__(self) -> str:
        return f"run {self.pk} of generation {self.generation_id}"
