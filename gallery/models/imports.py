"""A catalogue that somebody sent: the file as it came, the job that checked it, and the one that took it in."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.keys import new_key
from gallery.models.jobs import Job, job_files
from gallery.models.products import validate_currency
from gallery.storage import delete_after_commit

if TYPE_CHECKING:
    from gallery.models.users import User


class CatalogueImportQuerySet(models.QuerySet["CatalogueImport"]):
    def visible_to(self, user: "User") -> "CatalogueImportQuerySet":
        """One's own; all of them for administrators. Their jobs are shared in the same way."""
        return self if user.is_superuser else self.filter(created_by=user)

    def with_jobs(self) -> "CatalogueImportQuerySet":
        return self.select_related("check_job", "import_job")

    def purge(self) -> int:
        """Delete those of long ago, and their files.

        :return: how many
        """
        old = list(self.filter(created_at__lt=timezone.now() - timedelta(days=settings.JOBS_KEPT_DAYS)))
        for one in old:
            one.delete()
        return len(old)


class CatalogueImport(models.Model):
    """First it is checked, which changes nothing; then whoever sent it starts the import itself, or does not."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    file = models.FileField(storage=job_files, max_length=200, blank=True, help_text="empty until a feed is fetched")
    name = models.CharField(max_length=150, help_text="as whoever sent it knows it")
    url = models.CharField(max_length=2000, blank=True, help_text="of a feed")
    currency = models.CharField(_("currency"), max_length=3, blank=True, validators=[validate_currency])
    pictures = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+", help_text="whose archive the photos are in"
    )
    check_job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    import_job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="imports"
    )
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = CatalogueImportQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.CheckConstraint(condition=~Q(file="", url=""), name="import_has_a_source")]

    def __str__(self) -> str:
        return self.name

    def delete(self, *args, **kwargs):
        delete_after_commit(self.file)
        return super().delete(*args, **kwargs)

    @property
    def is_checked(self) -> bool:
        """Whether it may be imported: somebody can see what that would do."""
        return self.check_job is not None and self.check_job.state == Job.State.DONE

    @property
    def is_under_way(self) -> bool:
        return any(job is not None and job.is_unfinished for job in (self.check_job, self.import_job))

    @property
    def archive(self) -> "CatalogueImport | None":
        """The import whose archive holds the photos: this one, or the one that this one corrects."""
        one = self.pictures or self
        return one if str(one.file.name).endswith(".zip") else None
