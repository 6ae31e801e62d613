from datetime import timedelta

from django.conf import settings
from django.core.files.storage import storages
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def rendition_storage():
    return storages["renditions"]


class RenditionQuerySet(models.QuerySet["Rendition"]):
    def for_pages(self, format: str, width: int) -> "RenditionQuerySet":
        """Files as pages show them."""
        return self.filter(format=format, width=width, quality=settings.RENDITION_QUALITY[format])

    def purge(self) -> int:
        """Delete exported files, and such as pages no more show, that were made long ago.

        :return: how many
        """
        pages = Q()
        for format, quality in settings.RENDITION_QUALITY.items():
            pages |= Q(format=format, quality=quality, width__in=settings.RENDITION_WIDTHS)
        oldest = timezone.now() - timedelta(days=settings.EXPORTS_KEPT_DAYS)
        return self.filter(created_at__lt=oldest).exclude(pages).delete()[0]


class Rendition(models.Model):
    """A file made from an original, without any metadata of it: for a page, or because somebody asked for it."""

    class Format(models.TextChoices):
        WEBP = "webp", "WebP"
        JPEG = "jpeg", "JPEG"
        AVIF = "avif", "AVIF"
        PNG = "png", "PNG"
        LOSSLESS = "webp-lossless", _("WebP, lossless")

    EXACT = (Format.PNG, Format.LOSSLESS)  # every pixel is kept: there is no quality to choose
    EXACT_QUALITY = 100

    image = models.ForeignKey("gallery.Image", models.CASCADE, related_name="renditions")
    source_sha256 = models.CharField(max_length=64)
    format = models.CharField(max_length=16, choices=Format.choices)
    quality = models.PositiveSmallIntegerField(default=EXACT_QUALITY, help_text="1 to 100, as encoders have it")
    width = models.PositiveIntegerField(help_text="pixels asked for; the file is never wider than the original")
    bytes = models.PositiveBigIntegerField()
    ssim = models.FloatField(
        null=True, blank=True, help_text="likeness to the scaled original, 1 for the same; of exported files alone"
    )
    file = models.FileField(storage=rendition_storage, max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RenditionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "format", "width", "quality"], name="rendition_once"),
            models.CheckConstraint(
                condition=Q(format__in=["webp", "jpeg", "avif", "png", "webp-lossless"]), name="rendition_format_known"
            ),
            models.CheckConstraint(condition=Q(width__gt=0, bytes__gt=0), name="rendition_not_empty"),
            models.CheckConstraint(condition=Q(quality__gte=1, quality__lte=100), name="rendition_quality_in_range"),
        ]

    @property
    def export_url(self) -> str:
        return reverse("exported-file", args=[self.image_id, self.width, self.quality, self.format])
