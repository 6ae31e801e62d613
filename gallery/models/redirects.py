"""What is left of a photo that was merged into another."""

from collections.abc import Iterable
from uuid import UUID

from django.db import models


class ImageRedirectQuerySet(models.QuerySet["ImageRedirect"]):
    def resolve(self, keys: Iterable[UUID]) -> dict[UUID, UUID]:
        """Of these keys, those of merged photos, each with the key of the photo that stands for it."""
        return dict(self.filter(old_key__in=list(keys)).values_list("old_key", "image_id"))


class ImageRedirect(models.Model):
    """The key of a photo that was merged into another, so that addresses and kept searches go on working, and the hash
    of the file that was let go for a better one, so that an import does not bring it back."""

    old_key = models.UUIDField(unique=True)
    image = models.ForeignKey("gallery.Image", models.CASCADE, related_name="redirects")
    sha256 = models.CharField(max_length=64, db_index=True, help_text="of the file that was not kept")

    objects = ImageRedirectQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.old_key} → {self.image_id}"
