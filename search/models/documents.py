from django.db import models


class EmbeddedDocument(models.Model):
    """The embedded engine's index: one row per (generation, image key). A deleted document stays as a mark, so
    that a process that reads only newer revisions learns of it."""

    generation = models.ForeignKey("search.Generation", models.CASCADE, related_name="documents")
    key = models.UUIDField()
    version = models.PositiveBigIntegerField()
    revision = models.PositiveBigIntegerField()
    deleted = models.BooleanField(default=False)
    vector = models.BinaryField(null=True, help_text="little-endian float32 of unit length")
    fields = models.JSONField(default=dict, help_text="search.documents.Fields, for filters, facets and sorting")
    words = models.JSONField(default=dict, help_text="analysed text by field")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["generation", "key"], name="document_once")]
        indexes = [models.Index(fields=["generation", "revision"], name="document_revision")]
