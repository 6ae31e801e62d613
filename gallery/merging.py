"""Merging what the catalogue holds twice: one product or photo is kept, and nothing of the other is lost.

Each merge is one transaction. Both rows are locked in the order of their keys, so that of two people who merge at once
one wins and the other one is told; and all that is locked is so in the order of ``ImageQuerySet.lock``.
"""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from gallery import reasons, signals
from gallery.intake import free_name
from gallery.models import CollectionItem, Image, ImageRedirect, Product, ProductRedirect, UploadGroup, User

_FILE_FACTS = (
    "original", "format", "bytes", "width", "height", "frames", "orientation", "has_alpha", "sha256", "perceptual_hash",
    "sharpness", "swatch", "colors", "notes", "original_missing_at",
)  # fmt: skip
# Who may withdraw or replace a file is whoever sent that file: a copy that is merged gives no right to the shop's own.
_OF_THE_FILE = (*_FILE_FACTS, "uploader")
_MODERATION = ("status", "status_reason", "fault", "moderated_by", "moderated_at", "reply", "replied_at")
_FILLED = ("description", "category", "brand", "link")


class MergeRefused(Exception):
    """Nothing was merged; the text is a sentence for a person."""


@transaction.atomic
def merge_products(keep: UUID, drop: UUID, by: User | None, revisions: Mapping[UUID, int] | None = None) -> Product:
    """Bring all that one product has into another one, and let its SKU lead there.

    Photos, tags, attributes, texts in other languages, places in collections and redirects move; what is empty in the
    kept product is filled. Photos of the same bytes become one.

    :param revisions: of the products as the person saw them
    :raises MergeRefused: where one of them is not there any more, or was changed meanwhile
    """
    _lock_groups([keep, drop])
    kept, dropped = _locked_products(keep, drop)
    _refuse_if_changed([kept, dropped], revisions or {})
    _fill_product(kept, dropped)
    kept.tags.add(*(tag.name for tag in dropped.tags.all()))
    _move_images(kept, dropped, by)
    _move_items(kept, dropped)
    UploadGroup.objects.filter(product=dropped).update(product=kept)  # files of it that are still to come
    ProductRedirect.objects.filter(product=dropped).update(product=kept)  # chains stay one step long
    signals.products_merged.send(sender=None, kept=kept.pk, dropped=dropped.pk)
    _delete(dropped, by, reasons.stored(reasons.MERGED_INTO, name=kept.sku))
    ProductRedirect.objects.update_or_create(old_sku=dropped.sku, defaults={"product": kept})
    _save(kept, by, reasons.stored(reasons.MERGED_HERE, name=dropped.sku))
    return kept


@transaction.atomic
def merge_images(keep: UUID, drop: UUID, by: User | None) -> Image:
    """Make one photo of two that show the same: the kept one stays under its key and gets the better of their files.

    The better file is the approved one, so that nobody sees a file that no moderator let through; then one that is in
    storage; then the one with more pixels, the sharper, and the larger one.

    :raises MergeRefused: where one of them is not there any more, or was taken down
    """
    rows = _locked_images([keep, drop])
    if keep == drop or not {keep, drop} <= rows.keys():
        raise MergeRefused(_("One of the photos has been merged or deleted meanwhile. Nothing was changed."))
    signals.announce([keep, drop])  # at once: one after the other they would be locked in another order elsewhere
    kept, dropped = rows[keep], rows[drop]
    if kept.taken_down_at or dropped.taken_down_at:
        raise MergeRefused(_("A photo that was taken down cannot be merged."))
    if _quality(dropped) > _quality(kept):
        for rendition in kept.renditions.all():
            rendition.delete()
        for name in _OF_THE_FILE:
            mine, theirs = getattr(kept, name), getattr(dropped, name)
            setattr(kept, name, theirs)
            setattr(dropped, name, mine)
    _fill_image(kept, dropped)
    _move_references(kept, dropped)
    name = str(dropped)
    kept.revision += 1
    _save(kept, by, reasons.stored(reasons.MERGED_HERE, name=name))
    ImageRedirect.objects.create(old_key=dropped.pk, image=kept, sha256=dropped.sha256)
    signals.images_merged.send(sender=None, kept=kept.pk, dropped=dropped.pk)
    _delete(dropped, by, reasons.stored(reasons.MERGED_INTO, name=kept))
    return kept


def better(one: Image, other: Image) -> Image:
    """The one whose file a merge keeps."""
    return other if _quality(other) > _quality(one) else one


def _quality(image: Image) -> tuple[bool, bool, int, float, int]:
    return (
        image.status == Image.Status.APPROVED,
        image.original_missing_at is None,
        image.width * image.height,
        image.sharpness or 0.0,
        image.bytes,
    )


def lock(photos: Collection[UUID]) -> list[UUID]:
    """Lock all that a merge of these photos and their products changes, for who locks rows that go with it.

    :return: the keys of all photos of the products
    """
    products = set(Image.objects.filter(pk__in=photos).order_by().values_list("product", flat=True))
    _lock_groups(products)
    list(Product.objects.select_for_update().filter(pk__in=products).order_by("pk"))
    keys = Image.objects.filter(product__in=products).order_by().primary_keys()
    _locked_images(keys)
    return keys


def _lock_groups(products: Collection[UUID]) -> None:
    """An upload holds its group while it waits for the product, and a merge changes the group."""
    list(UploadGroup.objects.select_for_update().filter(product__in=products).order_by("pk"))


def _locked_images(keys: Collection[UUID]) -> dict[UUID, Image]:
    """These, and those that are to take their place: they follow them."""
    replacing = Image.objects.filter(replaces__in=keys).order_by().primary_keys()
    return {image.pk: image for image in Image.objects.lock([*keys, *replacing])}


def _locked_products(keep: UUID, drop: UUID) -> tuple[Product, Product]:
    if keep == drop:
        raise MergeRefused(_("A product cannot be merged into itself."))
    locked = Product.objects.select_for_update().filter(pk__in=[keep, drop]).order_by("pk")
    rows = {product.pk: product for product in locked}
    if len(rows) < 2:
        raise MergeRefused(_("One of the products has been merged or deleted meanwhile. Nothing was changed."))
    return rows[keep], rows[drop]


def _refuse_if_changed(products: Iterable[Product], revisions: Mapping[UUID, int]) -> None:
    for product in products:
        if revisions.get(product.pk, product.revision) != product.revision:
            raise MergeRefused(
                _("%(sku)s was changed meanwhile. Look at both again; nothing was merged.") % {"sku": product.sku}
            )


def _fill_product(kept: Product, dropped: Product) -> None:
    for name in _FILLED:
        if not getattr(kept, name):
            setattr(kept, name, getattr(dropped, name))
    if kept.price is None:
        kept.price, kept.currency = dropped.price, dropped.currency or kept.currency
    kept.attributes = united(kept.attributes, dropped.attributes)
    kept.translations = {
        language: {**dropped.translations.get(language, {}), **kept.translations.get(language, {})}
        for language in {**dropped.translations, **kept.translations}
    }
    kept.published = kept.published or dropped.published


def united(one: Mapping[str, list[str]], other: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Attributes of both, each value once, those of the first before the others."""
    return {name: list(dict.fromkeys([*one.get(name, []), *other.get(name, [])])) for name in {**one, **other}}


def _move_images(kept: Product, dropped: Product, by: User | None) -> None:
    """The dropped product's photos behind the kept one's, under names that are free there."""
    keys = Image.objects.filter(product__in=[kept, dropped]).order_by().primary_keys()
    images = sorted(_locked_images(keys).values(), key=lambda image: (image.position, image.pk))
    signals.announce(keys)  # at once, as in ``merge_images``
    photos = [image for image in images if image.product_id == kept.pk]
    moving = [image for image in images if image.product_id == dropped.pk]
    taken = {photo.source_name for photo in photos}
    position = max((photo.position for photo in photos), default=-1)
    for photo in moving:
        position += 1
        photo.product, photo.position = kept, position
        if photo.source_name:
            photo.source_name = free_name(photo.source_name, taken)
            taken.add(photo.source_name)
        photo.revision += 1
        _save(photo, by, reasons.stored(reasons.MOVED, sku=dropped.sku))
    same = {photo.sha256: photo for photo in reversed(photos) if not photo.taken_down_at}
    for photo in moving:
        if photo.sha256 in same and not photo.taken_down_at:
            merge_images(same[photo.sha256].pk, photo.pk, by)


def _move_items(kept: Product, dropped: Product) -> None:
    """Places in collections; a collection that has both keeps the one that it has."""
    has_kept = CollectionItem.objects.filter(product=kept).values("collection")
    CollectionItem.objects.filter(product=dropped).exclude(collection__in=has_kept).update(product=kept)


def _fill_image(kept: Image, dropped: Image) -> None:
    kept.alt_text = kept.alt_text or dropped.alt_text
    kept.position = min(kept.position, dropped.position) if kept.product_id == dropped.product_id else kept.position
    if kept.status != Image.Status.APPROVED and dropped.status == Image.Status.APPROVED:
        for name in _MODERATION:
            setattr(kept, name, getattr(dropped, name))


def _move_references(kept: Image, dropped: Image) -> None:
    dropped.reports.update(image=kept)
    dropped.decisions.update(image=kept, is_final=True)  # kept for the audit; undoing them would be about another photo
    dropped.redirects.update(image=kept)
    CollectionItem.objects.filter(image=dropped).update(image=kept)
    dropped.replacements.exclude(pk=kept.pk).update(replaces=kept, revision=F("revision") + 1)
    if kept.replaces_id == dropped.pk:
        kept.replaces = None
    elif kept.replaces_id is None and dropped.replaces_id != kept.pk:
        kept.replaces_id = dropped.replaces_id


def _save(row: Image | Product, by: User | None, reason: str) -> None:
    row._history_user, row._change_reason = by, reason  # type: ignore[union-attr]  # read by simple-history
    row.save()


def _delete(row: Image | Product, by: User | None, reason: str) -> None:
    row._history_user, row._change_reason = by, reason  # type: ignore[union-attr]
    row.delete()
