from django.core.files.storage import storages
from django.db import models
from django.db.models import Q


def rendition_storage():
    return storages["renditions"]


class Rendition(models.Model):
    """A file made from an original for a page, without any metadata of the original."""

    class Format(models.TextChoices):
        WEBP = "webp", "WebP"
        JPEG = "jpeg", "JPEG"

    image = models.ForeignKey("gallery.Image", models.CASCADE, related_name="renditions")
    source_sha256 = models.CharField(max_length=64)
    format = models.CharField(max_length=8, choices=Format.choices)
    width = models.PositiveIntegerField(help_text="pixels asked for; the file is never wider than the original")
    bytes = models.PositiveBigIntegerField()
    file = models.FileField(storage=rendition_storage, max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "format", "width"], name="rendition_once"),
            models.CheckConstraint(condition=Q(format__in=["webp", "jpeg"]), name="rendition_format_known"),
            models.CheckConstraint(condition=Q(width__gt=0, bytes__gt=0), name="rendition_not_empty"),
        ]
