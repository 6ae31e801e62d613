from typing import TYPE_CHECKING
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords
from taggit.managers import TaggableManager, _TaggableManager
from taggit.models import ItemBase, TagBase

from gallery import visibility
from gallery.keys import new_key
from gallery.models.categories import localized

if TYPE_CHECKING:
    from gallery.models.images import Image
    from gallery.models.users import User

validate_sku = RegexValidator(
    r"^[A-Za-z0-9._-]{1,64}\Z",
    _(
        "A SKU has 1 to 64 letters (A-Z), digits, dots, hyphens and underscores. "
        "Replace spaces and other characters by a hyphen."
    ),
)
validate_currency = RegexValidator(r"^[A-Z]{3}\Z", _("A currency is three capital letters, like EUR."))


class ProductQuerySet(models.QuerySet["Product"]):
    def visible_to(self, who: visibility.Visibility) -> "ProductQuerySet":
        """Products with something to show: published ones for the public, all of them behind the counter."""
        if who.kind == "moderation":
            return self
        own = Q(images__uploader=who.user_id) if who.kind == "own" else Q(pk__in=[])
        return self.filter(Q(published=True, images__status="approved") | own).distinct()

    def with_facts(self) -> "ProductQuerySet":
        return self.select_related("category", "brand").prefetch_related("tags")

    def with_photos_counted(self) -> "ProductQuerySet":
        """``photo_count``, and the key of the first photo as ``face_id``, each by a query of the row's own."""
        images = apps.get_model("gallery", "Image")._default_manager
        photos = images.filter(product=models.OuterRef("pk")).order_by()
        counted = photos.values("product").annotate(number=models.Count("pk")).values("number")
        return self.annotate(
            photo_count=Coalesce(models.Subquery(counted), 0),
            face_id=models.Subquery(photos.order_by("position", "pk").values("pk")[:1]),
        )


class ProductTag(TagBase):
    class Meta:
        verbose_name = _("tag")


class TaggedProduct(ItemBase):
    """The tag on a product, as a row of its own."""

    tag = models.ForeignKey(ProductTag, models.CASCADE, related_name="tagged")
    content_object = models.ForeignKey("gallery.Product", models.CASCADE, related_name="tagged")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tag", "content_object"], name="product_tag_once")]


def title_of(translations: dict[str, dict[str, str]], title: str) -> str:
    """The title in the active language, from a product's two columns."""
    return localized({code: texts.get("title", "") for code, texts in translations.items()}, title)


class TagsOfProduct(_TaggableManager):
    """taggit prefetches by the raw column, which SQLite holds as text: without this, no tag would find its product."""

    def get_prefetch_querysets(self, instances, querysets=None):
        tags, product_of, *rest = super().get_prefetch_querysets(instances, querysets)

        def key_of(tag) -> UUID:
            key = product_of(tag)
            return key if isinstance(key, UUID) else UUID(key)

        return tags, key_of, *rest


class Product(models.Model):  # type: ignore[django-manager-missing]  # taggit's item base is abstract
    """What is sold. It has any number of images, and none of them without it."""

    class Availability(models.TextChoices):
        IN_STOCK = "in_stock", _("In stock")
        OUT_OF_STOCK = "out_of_stock", _("Out of stock")
        PREORDER = "preorder", _("Pre-order")
        BACKORDER = "backorder", _("Back-order")

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    sku = models.CharField("SKU", max_length=64, unique=True, validators=[validate_sku])
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    translations = models.JSONField(_("texts in other languages"), default=dict, blank=True)
    category = models.ForeignKey("gallery.Category", models.PROTECT, null=True, blank=True, related_name="products")
    brand = models.ForeignKey("gallery.Brand", models.PROTECT, null=True, blank=True, related_name="products")
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True, validators=[validate_currency])
    availability = models.CharField(
        _("availability"), max_length=12, choices=Availability.choices, default=Availability.IN_STOCK
    )
    link = models.URLField(_("link to the shop"), max_length=500, blank=True)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    published = models.BooleanField(_("published"), default=True)
    revision = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(auto_now=True)
    tags = TaggableManager(through=TaggedProduct, manager=TagsOfProduct, blank=True)

    objects = ProductQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["revision"])

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(sku=""), name="product_has_sku"),
            models.CheckConstraint(condition=~Q(title=""), name="product_has_title"),
            models.CheckConstraint(condition=Q(price=None) | Q(price__gte=0), name="product_price_not_negative"),
            models.CheckConstraint(condition=Q(price=None) | ~Q(currency=""), name="product_price_has_currency"),
            models.CheckConstraint(
                condition=Q(availability__in=["in_stock", "out_of_stock", "preorder", "backorder"]),
                name="product_availability_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.title}"

    def save(self, *args, **kwargs) -> None:
        # A revision guards against lost edits: every stored state has its own number.
        if not self._state.adding and kwargs.get("update_fields") is None:
            self.revision = F("revision") + 1
        super().save(*args, **kwargs)
        if not isinstance(self.revision, int):
            self.refresh_from_db(fields=["revision"])

    def get_absolute_url(self) -> str:
        return reverse("product", args=[self.sku])

    @property
    def label(self) -> str:
        """The title in the active language."""
        return title_of(self.translations, self.title)

    @property
    def text(self) -> str:
        """The description in the active language."""
        return localized(
            {code: texts.get("description", "") for code, texts in self.translations.items()}, self.description
        )

    @property
    def in_shop_currency(self) -> bool:
        return self.price is not None and self.currency == settings.SHOP_CURRENCY

    def publish(self) -> None:
        self._set_published(True)

    def hide(self) -> None:
        self._set_published(False)

    @transaction.atomic
    def arrange(self, keys: list[UUID], by: "User | None" = None) -> None:
        """Put the photos into this order, the first of them being the face; those not named follow as they were."""
        # One arrangement at a time, and none while a photo is added.
        Product.objects.select_for_update().get(pk=self.pk)
        rank = {key: number for number, key in enumerate(keys)}
        # In the order of keys, as moderators lock them, who decide on photos without their product.
        locked = self.images.select_for_update().order_by("pk")
        photos = sorted(locked, key=lambda photo: (rank.get(photo.pk, len(rank)), photo.position, photo.pk))
        self.images.all().put_in_order(photos, by)

    def sharpest_photo(self) -> "Image | None":
        """The photo that shows most detail, among those that everybody may see if there are any."""
        sharpest = models.F("sharpness").desc(nulls_last=True)
        photos = self.images.order_by(sharpest, "position", "pk")
        return photos.filter(status="approved").first() or photos.first()

    @transaction.atomic
    def _set_published(self, value: bool) -> None:
        self.published = value
        self.save()


class ProductRedirect(models.Model):
    """The old SKU of a product that was merged into another, so that links go on working."""

    old_sku = models.CharField(max_length=64, unique=True, validators=[validate_sku])
    product = models.ForeignKey(Product, models.CASCADE, related_name="redirects")
