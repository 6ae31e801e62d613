"""The states that the queue is filtered by, and how many photos are in each."""

from django.db.models import Count
from django.db.models import TextChoices as Choices
from django.utils.translation import gettext_lazy as _

from gallery.models import Image, Report
from gallery.models.images import ImageQuerySet


class State(Choices):
    PENDING = "pending", _("Pending")
    CHANGES_REQUESTED = "changes_requested", _("Changes requested")
    REJECTED = "rejected", _("Rejected")
    REPORTED = "reported", _("Reported")
    TAKEN_DOWN = "taken_down", _("Taken down")

    @property
    def images(self) -> ImageQuerySet:
        return getattr(Image.objects, self.value)()


def counts() -> dict[str, int]:
    """State → photos in it, in three queries."""
    of_status = Image.objects.filter(status__in=["pending", "changes_requested", "rejected"]).order_by()
    found = dict(of_status.values("status").annotate(photos=Count("pk")).values_list("status", "photos"))
    taken_down = Image.objects.taken_down().count()
    return {
        State.PENDING: found.get("pending", 0),
        State.CHANGES_REQUESTED: found.get("changes_requested", 0),
        State.REJECTED: found.get("rejected", 0) - taken_down,
        # Counted from the reports, which are few: asked of the images, each of the catalogue would be looked at.
        State.REPORTED: Report.objects.open().order_by().values("image").distinct().count(),
        State.TAKEN_DOWN: taken_down,
    }
