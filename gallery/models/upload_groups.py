"""Files that were sent as one product: each arrives on its own, some of them twice."""

from django.conf import settings
from django.db import models


class UploadGroup(models.Model):
    """The product that the first file of a group made, and the place that each photo was given by whoever sent them."""

    key = models.UUIDField(help_text="made by the page that sends the files")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    product = models.ForeignKey("gallery.Product", models.CASCADE, related_name="+")
    places = models.JSONField(default=dict, help_text="image → its number in the group")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="upload_group_once")]

    def __str__(self) -> str:
        return str(self.key)
