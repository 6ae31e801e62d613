"""Which photo comes next, so that two moderators never look at the same one."""

from collections.abc import Collection
from uuid import UUID

from gallery.models import Claim, Image, User


def offered(by: User, without: Collection[UUID] = (), most: int = 1) -> list[Image]:
    """The pending photos that have waited longest and that nobody else looks at; they are claimed for this moderator.

    :param without: keys of those that are at hand already, or were skipped
    """
    taken = Claim.objects.of_others(by).values("image")
    free = Image.objects.pending().exclude(pk__in=taken).exclude(pk__in=list(without)).order_by("pk")
    while True:
        keys = list(free.values_list("pk", flat=True)[:most])
        mine = Claim.objects.take(keys, by)
        # Where another moderator was quicker, the next ones are tried.
        if len(mine) == len(keys):
            found = Image.objects.with_people().in_bulk(keys)
            return [found[key] for key in keys if key in found]
