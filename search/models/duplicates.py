"""Pairs of photos that may be one, and what somebody decided of them, for good."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.keys import new_key
from gallery.models import Image

if TYPE_CHECKING:
    from gallery.models import User

Files = frozenset[str]  # SHA-256 of the two files of a pair; one for two photos of the same bytes


def ordered(one: UUID, other: UUID) -> tuple[UUID, UUID]:
    return (one, other) if one < other else (other, one)


class DuplicatePairQuerySet(models.QuerySet["DuplicatePair"]):
    def open(self) -> "DuplicatePairQuerySet":
        """To be decided, of photos that are there with the files that were compared."""
        return self.filter(
            Exists(Image.objects.filter(pk=OuterRef("first"), sha256=OuterRef("first_sha256"))),
            Exists(Image.objects.filter(pk=OuterRef("second"), sha256=OuterRef("second_sha256"))),
            state=DuplicatePair.State.OPEN,
        )

    def of_images(self, keys: Iterable[UUID]) -> "DuplicatePairQuerySet":
        keys = list(keys)
        return self.filter(Q(first__in=keys) | Q(second__in=keys))

    def leave_to_files(self, keys: Collection[tuple[UUID, UUID]]) -> None:
        """Of the pairs of these photos, which have other files by now, keep those that were told apart.

        What was decided holds for the files: it goes on under keys that are no photo's.
        """
        apart = self.filter(state=DuplicatePair.State.NOT_DUPLICATE, first__in={first for first, _second in keys})
        for pair in apart.select_for_update().order_by("pk"):
            if (pair.first, pair.second) in keys:
                pair.first, pair.second = ordered(new_key(), new_key())
                pair.save(update_fields=["first", "second"])

    def told_apart(self, hashes: Iterable[str]) -> set[Files]:
        """Of these files, the pairs that somebody called no duplicates, under whatever keys."""
        hashes = list(hashes)
        apart = self.filter(state=DuplicatePair.State.NOT_DUPLICATE, first_sha256__in=hashes, second_sha256__in=hashes)
        return {frozenset(pair) for pair in apart.values_list("first_sha256", "second_sha256")}


class DuplicatePair(models.Model):
    """Two photos of the catalogue by their keys, the smaller one first, and what they are to each other.

    It outlives the photos: that somebody told two files apart holds when they are uploaded again.
    """

    class Kind(models.TextChoices):
        EXACT = "exact", _("Same file")
        SAME_PHOTO = "same_photo", _("Same photo")
        SAME_PRODUCT = "same_product", _("Perhaps the same product")

    class State(models.TextChoices):
        OPEN = "open", _("To decide")
        MERGED = "merged", _("Merged")
        NOT_DUPLICATE = "not_duplicate", _("Not a duplicate")

    first = models.UUIDField()
    second = models.UUIDField(db_index=True)
    first_sha256 = models.CharField(max_length=64, help_text="of the file that was compared")
    second_sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    relation = models.CharField(max_length=13, blank=True, help_text="of search.duplicates.pixels, for the same photo")
    score = models.FloatField(help_text="at most 1; comparable within the kind")
    state = models.CharField(max_length=13, choices=State.choices, default=State.OPEN)
    found_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = DuplicatePairQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="duplicate_pair_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="duplicate_pair_ordered"),
            models.CheckConstraint(
                condition=Q(kind__in=["exact", "same_photo", "same_product"]), name="duplicate_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "merged", "not_duplicate"]), name="duplicate_state_known"
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "-score", "id"], condition=Q(state="open"), name="duplicate_open"),
            models.Index(fields=["first_sha256"], condition=Q(state="not_duplicate"), name="duplicate_told_apart"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.first}, {self.second}"

    def tell_apart(self, by: "User", at: datetime | None = None) -> None:
        """Not a duplicate, and never asked again.

        :param at: the moment of a decision on several pairs, by which one of them takes all back
        """
        self._decide(self.State.NOT_DUPLICATE, by, at)

    @transaction.atomic
    def reopen(self) -> None:
        """Take back that it is none, and with it the pairs that were told apart by the same decision."""
        if self.state != self.State.NOT_DUPLICATE:
            return
        decided = DuplicatePair.objects.filter(state=self.state, decided_by=self.decided_by, decided_at=self.decided_at)
        if self.kind == self.Kind.SAME_PRODUCT and self.decided_at:
            for other in decided.filter(kind=self.kind).select_for_update().order_by("pk"):  # as everybody locks them
                other._decide(self.State.OPEN, None)
        self._decide(self.State.OPEN, None)

    def close_merged(self, by: "User") -> None:
        self._decide(self.State.MERGED, by)

    def _decide(self, state: str, by: "User | None", at: datetime | None = None) -> None:
        self.state, self.decided_by, self.decided_at = state, by, (at or timezone.now()) if by else None
        self.save(update_fields=["state", "decided_by", "decided_at"])


class DuplicateLookQuerySet(models.QuerySet["DuplicateLook"]):
    def note(self, keys: Iterable[UUID]) -> None:
        """These photos have been compared, with the files that they have now."""
        images = Image.objects.filter(pk__in=list(keys)).values_list("pk", "sha256")
        self.bulk_create(
            [self.model(key=key, sha256=sha256) for key, sha256 in images],
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=["sha256"],
        )


class DuplicateLook(models.Model):
    """A photo has been compared with the catalogue, with this file."""

    key = models.UUIDField(primary_key=True)
    sha256 = models.CharField(max_length=64)

    objects = DuplicateLookQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.key)
