"""What was seen in image files for moderators: one row a file and method, so nothing is looked at twice."""

from django.db import models


class SafetyScore(models.Model):
    """How unsafe a file is to look at: 0 (not at all) to 1, as one model says."""

    sha256 = models.CharField(max_length=64)
    model = models.CharField(max_length=40)
    score = models.FloatField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sha256", "model"], name="safety_score_once")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} {self.score:.3f}"


class FoundFaces(models.Model):
    """Where faces seem to be in a file: boxes as shares of the picture, left, top, width and height. Never whose."""

    sha256 = models.CharField(max_length=64)
    method = models.CharField(max_length=40)
    boxes = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sha256", "method"], name="found_faces_once")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]}: {len(self.boxes)}"
