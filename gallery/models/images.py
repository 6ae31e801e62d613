from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.core.files.storage import storages
from django.db import models, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from gallery import hashes, reasons, signals
from gallery.keys import new_key
from gallery.models.renditions import Rendition
from gallery.visibility import Visibility

REASON_LENGTH = 300
REPLY_LENGTH = 500


def originals():
    return storages["originals"]


class Swatch(models.TextChoices):
    """The 12 colour classes: placeholders while a photo loads, and the colours that the shop is searched by."""

    BLACK = "black", _("Black")
    GREY = "grey", _("Grey")
    WHITE = "white", _("White")
    BEIGE = "beige", _("Beige")
    BROWN = "brown", _("Brown")
    RED = "red", _("Red")
    ORANGE = "orange", _("Orange")
    YELLOW = "yellow", _("Yellow")
    GREEN = "green", _("Green")
    BLUE = "blue", _("Blue")
    PURPLE = "purple", _("Purple")
    PINK = "pink", _("Pink")


class ImageQuerySet(models.QuerySet["Image"]):
    def visible_to(self, who: Visibility) -> "ImageQuerySet":
        if who.kind == "moderation":
            return self
        public = Q(status=Image.Status.APPROVED, product__published=True)
        # What was taken down is gone for its uploader, too: somebody else may have a right to it.
        own = Q(uploader=who.user_id, taken_down_at=None)
        return self.filter(public | own if who.kind == "own" else public)

    def pending(self) -> "ImageQuerySet":
        return self.filter(status=Image.Status.PENDING)

    def changes_requested(self) -> "ImageQuerySet":
        return self.filter(status=Image.Status.CHANGES_REQUESTED)

    def rejected(self) -> "ImageQuerySet":
        return self.filter(status=Image.Status.REJECTED, taken_down_at=None)

    def taken_down(self) -> "ImageQuerySet":
        return self.filter(taken_down_at__isnull=False)  # its negation by exclude() would use no index

    def was_taken_down(self, sha256: str) -> bool:
        """Whether a photo of this very file was taken down, also one that is gone for good: the history knows of it.

        A photo of the file that a moderator has approved since lets it in again.
        """
        gone = Image.history.filter(sha256=sha256, history_type="-", taken_down_at__isnull=False).order_by()
        hidden = Image.objects.filter(sha256=sha256).taken_down().order_by()
        moments = gone.values_list("taken_down_at", flat=True).union(hidden.values_list("taken_down_at", flat=True))
        last = max(moments, default=None)
        if last is None:
            return False
        allowed = Image.objects.filter(sha256=sha256, status=Image.Status.APPROVED, moderated_at__gt=last)
        return not allowed.exists()

    def reported(self) -> "ImageQuerySet":
        """Images with a report that nobody has answered yet."""
        reports = apps.get_model("gallery", "Report")._default_manager
        return self.filter(models.Exists(reports.filter(image=models.OuterRef("pk"), resolved_at=None)))

    def lock(self, keys: Iterable[UUID]) -> "list[Image]":
        """These images, under their locks until the transaction ends.

        Everybody locks in one order, so that nobody waits in a circle: a person, an upload's group, products in the
        order of their keys, images in the order of theirs, and then what refers to them (decisions, pairs, changes).
        Whoever goes on to change an image that these ones replace, or that replaces them, names it here, too.
        """
        return list(self.select_for_update().filter(pk__in=set(keys)).order_by("pk"))

    def with_product(self) -> "ImageQuerySet":
        return self.select_related("product__category", "product__brand")

    def with_people(self) -> "ImageQuerySet":
        """With the product, its category and brand, who sent the image and who decided on it."""
        return self.with_product().select_related("uploader", "moderated_by")

    def without_rendition(self, format: str, width: int) -> "ImageQuerySet":
        """Images whose present file has no rendition of this format and width yet, but for those taken down."""
        made = Rendition.objects.for_pages(format, width).filter(
            image=models.OuterRef("pk"), source_sha256=models.OuterRef("sha256")
        )
        return self.filter(~models.Exists(made), taken_down_at=None)

    def without_original(self) -> "ImageQuerySet":
        """Those whose original was missing from storage when it was last looked for."""
        return self.filter(original_missing_at__isnull=False)

    def note_missing(self) -> int:
        """Note that the originals of these images are not in storage; what was noted before keeps its date."""
        return self.filter(original_missing_at=None).update(original_missing_at=timezone.now())

    def note_found(self) -> int:
        """Note that they are there again."""
        return self.without_original().update(original_missing_at=None)

    def hashed_like(self, hash: str, bits: int = 0) -> dict[UUID, int]:
        """Keys of images whose perceptual hash differs in at most so many bits, with that number, the nearest first.

        One statement that reads only rows with a near band of the hash (``gallery.hashes``).

        :raises ValueError: for more bits than are looked for
        """
        near = Q()
        rows = self.order_by().annotate(**{f"band{n}": hashes.band("perceptual_hash", n) for n in range(hashes.BANDS)})
        for number, values in hashes.probes(hash, bits):
            near |= Q(**{f"band{number}__in": values})
        found = [
            (hashes.distance(hash, other), pk) for pk, other in rows.filter(near).values_list("pk", "perceptual_hash")
        ]
        return {pk: apart for apart, pk in sorted(found) if apart <= bits}

    def move_to(self, product) -> int:
        """Give these images to another product; their documents follow."""
        return self._change(product=product)

    def set_status(self, status: str, by=None, reason: str = "", code: str = "") -> int:
        """Moderate all of these images with one statement.

        An image that ``replaces`` another shows in its stead from its approval on: the other one is withdrawn in the
        same transaction, and comes back when the approval is taken back for another look.

        :param reason: in words, for the uploader and the audit
        :param code: of ``Image.Fault``, where there is one
        """
        decided: dict[str, Any] = {"moderated_by": by, "moderated_at": timezone.now()}
        with transaction.atomic():
            images = self._locked_with_replaced()
            if status in (Image.Status.PENDING, Image.Status.CHANGES_REQUESTED):
                images._replaced_by_approval()._change(by, reasons.REOPENED, status=Image.Status.APPROVED, **decided)
            if status == Image.Status.APPROVED:
                images._to_be_replaced()._change(by, reasons.REPLACED, status=Image.Status.WITHDRAWN, **decided)
                decided["taken_down_at"] = None
            return images._change(by, reason, status=status, status_reason=reason, fault=code, **decided)

    def resubmit(self, by, why: str = "", **values: Any) -> int:
        """Back into the queue by the contributor. What a moderator said, and who, stays to be read there."""
        return self._change(by, why, status=Image.Status.PENDING, **values)

    def retract(self, by) -> int:
        """Taken back by the contributor: no moderator decided this."""
        return self._change(by, reasons.RETRACTED, status=Image.Status.WITHDRAWN)

    def _locked_with_replaced(self) -> "ImageQuerySet":
        """These images by their keys. The ones that they replace are locked with them, for these change, too."""
        keys = self.primary_keys()
        Image.objects.lock([*keys, *Image.objects.replaced_by(keys)])
        return Image.objects.filter(pk__in=keys)

    def replaced_by(self, keys: Iterable[UUID]) -> list[UUID]:
        """Keys of the images that these ones are to take, or have taken, the place of."""
        return self.filter(replacements__in=list(keys)).order_by().primary_keys()

    def _to_be_replaced(self) -> "ImageQuerySet":
        """The live images that these ones, once approved, take the place of."""
        # By keys, here and below: of a subquery SQLite makes a walk through all approved images.
        keys = self.primary_keys()
        return Image.objects.filter(replacements__in=keys, status=Image.Status.APPROVED).exclude(pk__in=keys)

    def _replaced_by_approval(self) -> "ImageQuerySet":
        """The images that the approval of these ones withdrew, and nothing else since: both bear its moment."""
        return Image.objects.filter(
            replacements__in=self.primary_keys(),
            replacements__status=Image.Status.APPROVED,
            replacements__moderated_at=F("moderated_at"),
            status=Image.Status.WITHDRAWN,
            taken_down_at=None,
        )

    def _back_in_their_stead(self) -> "ImageQuerySet":
        """The images that came back when these ones were to be looked at again, and nothing else since."""
        keys = self.primary_keys()
        came_back = Image.objects.filter(replacements__in=keys, replacements__moderated_at=F("moderated_at"))
        return came_back.filter(status=Image.Status.APPROVED).exclude(pk__in=keys)

    @transaction.atomic
    def take_down(self, by=None, reason: str = "", code: str = "") -> int:
        """Hide these images at once and delete what the public was served of them.

        Their originals stay for ``TAKEDOWN_GRACE_DAYS``: until then they can be restored.
        """
        keys, now = self.primary_keys(), timezone.now()
        changed = self._change(
            by,
            reason,
            status=Image.Status.REJECTED,
            moderated_by=by,
            moderated_at=now,
            status_reason=reason,
            fault=code,
            taken_down_at=now,
        )
        Rendition.objects.filter(image__in=keys).delete()
        return changed

    def set_back(self, by, why: str, **values: Any) -> int:
        """Undo a decision: these were the values before it.

        A photo that gave way to them comes back, and one that came back in their stead gives way again.
        """
        with transaction.atomic():
            images = self._locked_with_replaced()
            if values.get("status") in (Image.Status.PENDING, Image.Status.CHANGES_REQUESTED):
                images._replaced_by_approval()._change(by, reasons.REOPENED, status=Image.Status.APPROVED)
            if values.get("status") == Image.Status.APPROVED:
                again = {name: values.get(name) for name in ("moderated_by", "moderated_at")}
                images._back_in_their_stead()._change(by, reasons.REPLACED, status=Image.Status.WITHDRAWN, **again)
            if values.get("taken_down_at"):
                Rendition.objects.filter(image__in=images).delete()  # those that were made since it was restored
            return images._change(by, why, **values)

    def purge_taken_down(self) -> list[str]:
        """Delete for good, with their files, what was taken down longer ago than the grace period.

        :return: the hashes of their files
        """
        due = self.filter(taken_down_at__lt=timezone.now() - timedelta(days=settings.TAKEDOWN_GRACE_DAYS))
        hashes = []
        for key, sha256 in list(due.order_by("pk").values_list("pk", "sha256")):
            # One at a time and asked again under its lock, for it may have been restored meanwhile.
            with transaction.atomic():
                if due.select_for_update().filter(pk=key).primary_keys():
                    due.filter(pk=key).delete()
                    hashes.append(sha256)
        return hashes

    @transaction.atomic
    def _change(self, by=None, why: str = "", **values: Any) -> int:
        keys = self.primary_keys()
        if not keys:
            return 0
        Image.objects.lock(keys)  # one UPDATE would lock them in any order
        changed = Image.objects.filter(pk__in=keys).update(revision=F("revision") + 1, **values)
        images = list(Image.objects.filter(pk__in=keys))
        Image.history.bulk_history_create(
            images, update=True, default_user=by, default_change_reason=why[: reasons.LENGTH], batch_size=500
        )  # the whole reason is in its ``status_reason``
        signals.announce(keys)
        return changed

    @transaction.atomic
    def put_in_order(self, images: "list[Image]", by=None) -> int:
        """Number these images of one product from 0 on.

        :return: how many have another number now
        """
        moved = [image for number, image in enumerate(images) if image.position != number]
        for number, image in enumerate(images):
            image.position = number
        for image in moved:
            image.revision += 1
        Image.objects.bulk_update(moved, ["position", "revision"])
        Image.history.bulk_history_create(moved, update=True, default_user=by, default_change_reason="")
        signals.announce(image.pk for image in moved)
        return len(moved)

    def primary_keys(self) -> list[UUID]:
        return list(self.values_list("pk", flat=True))


class Image(models.Model):
    """One photograph of one product: the untouched original, and the facts that verification found."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting for approval")
        CHANGES_REQUESTED = "changes_requested", _("Changes requested")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Fault(models.TextChoices):
        """Why a photo is rejected or has to change; keys 1 to 6 of the moderation queue, in this order."""

        OTHER_PRODUCT = "other_product", _("It shows something else than the product")
        POOR = "poor", _("It is blurred, too dark, too small or cut off")
        OFFENSIVE = "offensive", _("It is offensive or not safe to look at")
        STOLEN = "stolen", _("It belongs to somebody else")
        DUPLICATE = "duplicate", _("The catalogue has this photo already")
        OTHER = "other", _("Something else")

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    product = models.ForeignKey("gallery.Product", models.CASCADE, related_name="images")
    original = models.FileField(storage=originals, max_length=200)
    source_name = models.CharField(_("file name"), max_length=150, blank=True)
    format = models.CharField(max_length=8)
    bytes = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(help_text="pixels, after orientation")
    height = models.PositiveIntegerField(help_text="pixels, after orientation")
    frames = models.PositiveIntegerField(default=1)
    orientation = models.PositiveSmallIntegerField(default=1, help_text="EXIF orientation, applied on decoding")
    has_alpha = models.BooleanField(default=False)
    sha256 = models.CharField(max_length=64, db_index=True)
    perceptual_hash = models.CharField(max_length=16, db_index=True)
    swatch = models.CharField(max_length=8, choices=Swatch.choices, default=Swatch.GREY)
    colors = models.JSONField(default=list, blank=True, help_text="colour classes of the subject, the largest first")
    notes = models.JSONField(default=list, blank=True, help_text="codes of what verification normalised")
    position = models.PositiveIntegerField(_("position"), default=0)
    alt_text = models.CharField(_("description for people who cannot see it"), max_length=200, blank=True)
    status = models.CharField(_("status"), max_length=20, choices=Status.choices, default=Status.APPROVED)
    status_reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    fault = models.CharField(max_length=14, choices=Fault.choices, blank=True)
    uploader = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="images"
    )
    moderated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    moderated_at = models.DateTimeField(null=True, blank=True, editable=False)
    reply = models.CharField(max_length=REPLY_LENGTH, blank=True, help_text="the contributor's one answer")
    replied_at = models.DateTimeField(null=True, blank=True, editable=False)
    replaces = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="replacements", editable=False
    )
    taken_down_at = models.DateTimeField(
        null=True, blank=True, db_index=True, editable=False, help_text="its files go for good after a grace period"
    )
    sharpness = models.FloatField(
        null=True, editable=False, help_text="variance of the Laplacian of the picture at a fixed size"
    )
    original_missing_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="when its original was found missing from storage"
    )
    revision = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ImageQuerySet.as_manager()
    history = HistoricalRecords(
        excluded_fields=["format", "bytes", "width", "height", "frames", "orientation", "has_alpha", "swatch", "colors",
                         "notes", "perceptual_hash", "sharpness", "original", "original_missing_at", "revision"]
    )  # fmt: skip

    class Meta:
        ordering = ["position", "id"]
        indexes = [
            models.Index(fields=["status", "id"], name="image_by_status"),
            *(
                models.Index(hashes.band("perceptual_hash", number), name=f"image_hash_band_{number}")
                for number in range(hashes.BANDS)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "changes_requested", "approved", "rejected", "withdrawn"]),
                name="image_status_known",
            ),
            models.CheckConstraint(
                condition=Q(taken_down_at=None) | ~Q(status="approved"), name="image_taken_down_is_not_approved"
            ),
            models.CheckConstraint(
                condition=Q(width__gt=0, height__gt=0, bytes__gt=0, frames__gt=0), name="image_not_empty"
            ),
            models.CheckConstraint(condition=~Q(sha256=""), name="image_has_sha256"),
            models.UniqueConstraint(
                fields=["product", "source_name"], condition=~Q(source_name=""), name="image_source_in_product"
            ),
        ]

    def __str__(self) -> str:
        return self.source_name or str(self.pk)

    @property
    def is_public(self) -> bool:
        return self.status == self.Status.APPROVED and self.product.published

    @property
    def alt(self) -> str:
        return self.alt_text or self.product.label

    def url(self, width: int, format: str = "webp") -> str:
        """The application's own address of a rendition; the hash makes a replaced file a new address."""
        return f"{reverse('image-file', args=[self.pk, width, format])}?v={self.sha256[:8]}"

    def approve(self, by, reason: str = "") -> None:
        Image.objects.filter(pk=self.pk).set_status(self.Status.APPROVED, by, reason)
        self.refresh_from_db()

    def reject(self, by, reason: str, code: str = "") -> None:
        Image.objects.filter(pk=self.pk).set_status(self.Status.REJECTED, by, reason, code)
        self.refresh_from_db()

    def ask_for_changes(self, by, reason: str, code: str = "") -> None:
        Image.objects.filter(pk=self.pk).set_status(self.Status.CHANGES_REQUESTED, by, reason, code)
        self.refresh_from_db()

    def take_down(self, by, reason: str, code: str = "") -> None:
        Image.objects.filter(pk=self.pk).take_down(by, reason, code)
        self.refresh_from_db()

    def restore(self, by, reason: str = "") -> None:
        """Show an image again that was taken down."""
        self.approve(by, reason)

    @property
    def was_retracted(self) -> bool:
        """Whether its contributor has taken it back: that is for good, and no moderator decides about it."""
        hidden = self.status == self.Status.WITHDRAWN or self.taken_down_at is not None
        return hidden and self.history.filter(history_change_reason=reasons.RETRACTED, sha256=self.sha256).exists()

    def withdraw(self, by, reason: str = "") -> None:
        Image.objects.filter(pk=self.pk).set_status(self.Status.WITHDRAWN, by, reason)
        self.refresh_from_db()


def announce_images_of(products: Iterable) -> None:
    """Tell the index that something about these products changed."""
    signals.announce(Image.objects.filter(product__in=list(products)).order_by().primary_keys())
