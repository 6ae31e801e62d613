"""A scan of the whole catalogue as a job, and the look at what came in lately by the indexing loop."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gallery import jobs
from gallery.jobs import JobError, Run
from gallery.models import Image, Job, User
from search.engines.base import EngineError
from search.models import DuplicateLook, Generation, Placement

KIND = "duplicate-scan"
_BATCH = 16  # photos; a step must not take long
_LATELY = timedelta(days=1)  # what came earlier is a scan's to look at


@jobs.kind(KIND, gettext_lazy("Scan for duplicates"))
def scan(run: Run) -> Mapping[str, Any]:
    """Compare every photo with the catalogue, in the order of keys: what is added meanwhile comes last."""
    from search.duplicates.finding import Finder  # scikit-image takes a while to load

    generation = Generation.objects.live()
    if generation is None:
        raise JobError(_("Nothing is indexed yet. Scan again when the photos are in the index."))
    finder = Finder(generation)
    after, done, found = run.resume.get("after"), run.resume.get("done", 0), run.resume.get("found", 0)
    run.step(done, total=Image.objects.count(), at_once=True)
    while keys := _next_keys(after):
        try:
            found += finder.look_at(keys)
        except EngineError as error:
            message = _("The search engine does not answer. Scan again later: %(error)s")
            raise JobError(message % {"error": error}) from error
        DuplicateLook.objects.note(keys)
        after, done = str(keys[-1]), done + len(keys)
        run.step(done, says=_found(found), resume={"after": after, "done": done, "found": found})
    run.step(done, total=done, says=_found(found), at_once=True)
    return {"found": found}


def _next_keys(after: str | None) -> list[UUID]:
    images = Image.objects.order_by("pk")
    rest = images.filter(pk__gt=UUID(after)) if after else images
    return list(rest.values_list("pk", flat=True)[:_BATCH])


def _found(number: int) -> str:
    if not number:
        return _("Nothing new so far.")
    return ngettext("%(n)d new pair.", "%(n)d new pairs.", number) % {"n": number}


def start_scan(by: User | None) -> Job:
    """The scan that is under way, or a new one."""
    return jobs.start_alone(KIND, by) or Job.objects.filter(kind=KIND).latest("created_at")


def last_scan() -> Job | None:
    return Job.objects.filter(kind=KIND).order_by("-created_at").first()


def look_at_new() -> int:
    """Compare a few photos that came in lately and are in the live index by now.

    :return: how many were looked at
    :raises EngineError: when the engine does not answer
    """
    generation = Generation.objects.live()
    if generation is None:
        return 0
    looked = DuplicateLook.objects.filter(key=OuterRef("pk"), sha256=OuterRef("sha256"))
    placed = Placement.objects.filter(generation=generation, key=OuterRef("pk"), version__gt=0, behind=False)
    new = Image.objects.filter(~Exists(looked), Exists(placed), pk__gt=_key_at(timezone.now() - _LATELY))
    keys = list(new.order_by("pk").values_list("pk", flat=True)[:_BATCH])
    if keys:
        from search.duplicates.finding import Finder  # as above

        Finder(generation).look_at(keys)
        DuplicateLook.objects.note(keys)
    return len(keys)


def _key_at(moment: datetime) -> UUID:
    """Below every key that is made from this moment on: keys begin with their time (UUIDv7), and are indexed."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
