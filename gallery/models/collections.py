"""What people put aside: named collections of products, each private to its owner."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Window
from django.db.models.functions import Coalesce, RowNumber
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from gallery.keys import new_key
from gallery.models.images import Image
from gallery.visibility import Visibility

if TYPE_CHECKING:
    from gallery.models.users import User

MOST_COLLECTIONS = 100  # of one person
MOST_ITEMS = 500  # in one collection
KEPT_AFTER_DELETION = timedelta(hours=24)
NAME_LENGTH = 80


class TooMany(Exception):
    """A bound is reached; the text is a sentence for a person that says what to do."""


class CollectionQuerySet(models.QuerySet["Collection"]):
    def of(self, owner: "User") -> "CollectionQuerySet":
        """The person's collections that are not deleted: the first is the one that saving goes to."""
        return self.filter(owner=owner, deleted_at=None).order_by("-is_default", "name", "pk")

    def restorable(self, owner: "User") -> "CollectionQuerySet":
        """Those that the person deleted, but not long ago; the last one first."""
        return self.filter(owner=owner, deleted_at__gt=timezone.now() - KEPT_AFTER_DELETION).order_by("-deleted_at")

    def with_sizes(self) -> "CollectionQuerySet":
        """Adds ``size``: how many products were saved in each."""
        return self.annotate(size=Count("items"))

    def choices(self, owner: "User", image: Image) -> "list[Collection]":
        """All of the person's, each with ``contains``: whether the image's product is in it. One query."""
        inside = CollectionItem.objects.filter(collection=OuterRef("pk"), product=image.product_id)
        return list(self.of(owner).annotate(contains=Exists(inside)))

    def default_of(self, owner: "User") -> "Collection":
        """Where saving goes without a choice. It is made on the first save."""
        found, _created = self.get_or_create(owner=owner, is_default=True, deleted_at=None)
        return found

    def start(self, owner: "User", name: str) -> "Collection":
        """Make a collection.

        :raises TooMany: when the person has as many as there may be
        :raises django.db.IntegrityError: when the person has one of this name
        """
        if self.of(owner).count() >= MOST_COLLECTIONS:
            raise TooMany(
                gettext("You have %(n)d collections, which is the most. Delete one first.") % {"n": MOST_COLLECTIONS}
            )
        with transaction.atomic():
            return self.create(owner=owner, name=name)

    def free_name(self, owner: "User", wanted: str) -> str:
        """The name, with a number where the person has a collection of this name."""
        taken = {collection.label for collection in self.of(owner)}
        name, number = wanted, 1
        while name in taken:
            number += 1
            ending = f" {number}"
            name = wanted[: NAME_LENGTH - len(ending)] + ending
        return name

    def purge(self) -> int:
        """Delete for good what was deleted long ago.

        :return: how many collections have gone
        """
        expired = self.filter(deleted_at__lte=timezone.now() - KEPT_AFTER_DELETION)
        return expired.delete()[1].get(Collection._meta.label, 0)


class Collection(models.Model):
    """Products that somebody put aside under a name. Only the owner sees it."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="collections")
    name = models.CharField(_("name"), max_length=NAME_LENGTH, blank=True)
    is_default = models.BooleanField(default=False, help_text="saving without a choice goes here")
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True, db_index=True, help_text="it can still be restored")

    objects = CollectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"], condition=Q(deleted_at=None), name="collection_name_of_owner"
            ),
            models.UniqueConstraint(
                fields=["owner"], condition=Q(deleted_at=None, is_default=True), name="collection_default_once"
            ),
            models.CheckConstraint(condition=~Q(name="") | Q(is_default=True), name="collection_has_name"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name; where saving goes without a choice is called "Saved" in the reader's language, until renamed."""
        return self.name or gettext("Saved")

    def add(self, image: Image) -> None:
        """Put the image's product in; one that is there already stays where it is.

        :raises TooMany: when the collection is full
        """
        if self.items.filter(product=image.product_id).exists():
            return
        if self.items.count() >= MOST_ITEMS:
            raise TooMany(
                gettext("“%(name)s” holds %(n)d products, which is the most. Remove some, or use another collection.")
                % {"name": self.label, "n": MOST_ITEMS}
            )
        CollectionItem.objects.bulk_create(
            [CollectionItem(collection=self, product_id=image.product_id, image=image)], ignore_conflicts=True
        )

    def remove(self, image: Image) -> None:
        self.items.filter(product=image.product_id).delete()

    def rename(self, name: str) -> None:
        """:raises django.db.IntegrityError: when the owner has another one of this name"""
        self.name = name
        with transaction.atomic():
            self.save(update_fields=["name"])

    def discard(self) -> None:
        """Delete it in such a way that it can be restored for a while."""
        self.deleted_at = timezone.now()
        self.save(update_fields=["deleted_at"])

    def restore(self) -> None:
        """Take the deletion back. The name gets a number where another collection has it by now.

        :raises TooMany: when the person has as many as there may be
        """
        others = Collection.objects.of(self.owner)
        if others.count() >= MOST_COLLECTIONS:
            raise TooMany(gettext("You have too many collections to restore this one. Delete another one first."))
        self.is_default = self.is_default and not others.filter(is_default=True).exists()
        if self.name or not self.is_default:
            self.name = Collection.objects.free_name(self.owner, self.label)
        self.deleted_at = None
        self.save(update_fields=["name", "is_default", "deleted_at"])


class CollectionItemQuerySet(models.QuerySet["CollectionItem"]):
    def shown_to(self, who: Visibility) -> "models.QuerySet[Any]":
        """Adds ``shown_image``: the saved photo if it is visible, else the product's first visible one, else None."""
        visible = Image.objects.visible_to(who).filter(product=OuterRef("product")).order_by("position", "pk")
        saved = visible.filter(pk=OuterRef("image"))
        shown = Coalesce(Subquery(saved.values("pk")[:1]), Subquery(visible.values("pk")[:1]))
        return self.annotate(shown_image=shown).order_by("-created_at", "-pk")

    def newest_of_each(self, number: int) -> "CollectionItemQuerySet":
        """Only the last few of each collection."""
        place = Window(RowNumber(), partition_by=F("collection"), order_by=[F("created_at").desc(), F("pk").desc()])
        first = self.annotate(place=place).filter(place__lte=number)
        return CollectionItem.objects.filter(pk__in=first.values("pk"))


class CollectionItem(models.Model):
    """One product in a collection, and the photo of it that was saved."""

    collection = models.ForeignKey(Collection, models.CASCADE, related_name="items")
    product = models.ForeignKey("gallery.Product", models.CASCADE, related_name="saved_in")
    image = models.ForeignKey("gallery.Image", models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CollectionItemQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["collection", "product"], name="collection_item_once")]
