"""What a projection that was tuned on the catalogue's own labels was worth on products that it had not seen."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Tuning(models.Model):
    """One training and its held-out figures. The generations that are built with its projection refer to it.

    A tuning that was refused has no generation: its figures say why.
    """

    class Verdict(models.TextChoices):
        BETTER = "better"
        NOT_BETTER = "not-better"
        FIRST_ROW_WORSE = "first-row-worse"
        UNSEEN_WORSE = "unseen-worse"

    job = models.OneToOneField("gallery.Job", models.SET_NULL, null=True, blank=True, related_name="+")
    encoder = models.CharField(
        max_length=100, help_text="the name and version of the encoder whose embeddings it reads"
    )
    verdict = models.CharField(max_length=20, choices=Verdict.choices)
    figures = models.JSONField(help_text="search.tuning.figures.Figures, of products that were held out")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=["better", "not-better", "first-row-worse", "unseen-worse"]),
                name="tuning_verdict_known",
            )
        ]

    def __str__(self) -> str:
        return f"tuning {self.pk} ({self.verdict})"

    @property
    def is_better(self) -> bool:
        return self.verdict == self.Verdict.BETTER
