from datetime import timedelta

from django.conf import settings
from django.core.files.storage import storages
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.keys import new_key
from search.models.embeddings import EncodedPicture
from search.visitors import visitor_of


def query_storage():
    return storages["queries"]


def expiry():
    return timezone.now() + timedelta(hours=settings.QUERY_PHOTO_HOURS)


class QueryPhotoQuerySet(models.QuerySet["QueryPhoto"]):
    def of_request(self, request, share: str = "") -> "QueryPhotoQuerySet":
        """Photos that this visitor or this user sent and that have not expired.

        :param share: tokens with a dot between; the photos that their owners shared under them are there too
        """
        owner = models.Q(visitor=visitor_of(request) or "-")
        if request.user.is_authenticated:
            owner |= models.Q(user=request.user)
        if tokens := [token for token in share.split(".") if token]:
            owner |= models.Q(share_token__in=tokens)
        return self.filter(owner, expires_at__gt=timezone.now())

    def expired(self) -> "QueryPhotoQuerySet":
        return self.filter(expires_at__lte=timezone.now())


class QueryPhoto(models.Model):
    """A picture somebody searched with: private to the visitor or user, never indexed, gone after a day."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    visitor = models.CharField(max_length=40, blank=True, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True)
    file = models.FileField(storage=query_storage, max_length=200)
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), default=expiry, db_index=True)
    # Whoever has it may look at the photo until it expires; empty while the photo is not shared.
    share_token = models.CharField(max_length=43, blank=True)
    regions = models.JSONField(null=True, blank=True)  # suggested crops, likeliest first; None before they are sought

    objects = QueryPhotoQuerySet.as_manager()

    def belongs_to(self, request) -> bool:
        """Whether this visitor or this user sent it; else it is seen because it was shared."""
        by_user = self.user_id is not None and self.user_id == request.user.pk
        return by_user or (bool(self.visitor) and self.visitor == visitor_of(request))


class QueryEmbedding(EncodedPicture):
    """What an encoder said of a query photo; deleted with it. ``crop`` is empty for the whole picture."""

    photo = models.ForeignKey(QueryPhoto, models.CASCADE, related_name="embeddings")
    crop = models.CharField(max_length=40, blank=True)
    is_counted = models.BooleanField(default=False, help_text="search.outside.learning has looked at it")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["photo", "crop", "encoder"], name="query_embedding_once")]
