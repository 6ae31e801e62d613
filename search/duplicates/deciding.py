"""What staff decide of a pair: merge it into one side, or tell it apart for good."""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from gallery.merging import MergeRefused, merge_images, merge_products
from gallery.models import Image, User
from search.models import DuplicatePair, ProductView
from search.models.duplicates import ordered

Kind, State = DuplicatePair.Kind, DuplicatePair.State


@transaction.atomic
def merge(pair: DuplicatePair, keep: UUID, by: User, revisions: Mapping[UUID, int] | None = None) -> Image:
    """Keep one photo of the pair: its product takes in the other's, and photos that are the same become one.

    :param keep: the key of the photo whose side stays
    :param revisions: of the products as the person saw them
    :return: the photo that stays
    :raises MergeRefused: when somebody was faster
    """
    drop = _open(pair, keep)
    products = dict(Image.objects.filter(pk__in=[keep, drop]).values_list("pk", "product_id"))
    if len(products) < 2:
        raise MergeRefused(_("One of the photos has been merged or deleted meanwhile. Nothing was changed."))
    pair.close_merged(by)
    if products[keep] != products[drop]:
        merge_products(products[keep], products[drop], by, revisions)
    # Photos of the same bytes have become one by then.
    if pair.kind != Kind.SAME_PRODUCT and Image.objects.filter(pk=drop).exists():
        merge_images(keep, drop, by)
    return Image.objects.select_related("product").get(pk=keep)


@transaction.atomic
def tell_apart(pair: DuplicatePair, by: User) -> None:
    """Not a duplicate, for good. Of two products that are told apart no other photos are suggested, either.

    :raises MergeRefused: when somebody was faster
    """
    _open(pair, pair.first)
    pair.tell_apart(by)
    if pair.kind != Kind.SAME_PRODUCT:
        return
    products = dict(Image.objects.filter(pk__in=[pair.first, pair.second]).values_list("pk", "product_id"))
    sides = [list(Image.objects.filter(product=product).values_list("pk", flat=True)) for product in products.values()]
    if len(sides) == 2:
        between = DuplicatePair.objects.filter(kind=Kind.SAME_PRODUCT, state=State.OPEN)
        for other in between.of_images(sides[0]).of_images(sides[1]):
            other.tell_apart(by)


def _open(pair: DuplicatePair, keep: UUID) -> UUID:
    """Lock the pair, and the key of its other photo."""
    current = DuplicatePair.objects.select_for_update().get(pk=pair.pk)
    if current.state != State.OPEN:
        state = {"state": current.get_state_display()}
        raise MergeRefused(_("Somebody has decided this pair already: %(state)s.") % state)
    return current.second if keep == current.first else current.first


def images_merged_received(sender, kept: UUID, dropped: UUID, **kwargs) -> None:
    """Rows that name the dropped photo name the kept one, where it has none of its own."""
    has_kept = ProductView.objects.filter(image=kept).values("user")
    ProductView.objects.filter(image=dropped).exclude(user__in=has_kept).update(image=kept)
    hashes = dict(Image.objects.filter(pk=kept).values_list("pk", "sha256"))
    for pair in DuplicatePair.objects.filter(state=State.OPEN).of_images([dropped]):
        other = pair.second if pair.first == dropped else pair.first
        file = pair.second_sha256 if pair.first == dropped else pair.first_sha256
        first, second = ordered(kept, other)
        if other == kept or DuplicatePair.objects.filter(first=first, second=second).exists():
            pair.delete()
            continue
        pair.first, pair.second = first, second
        sides = (hashes[kept], file) if first == kept else (file, hashes[kept])
        pair.first_sha256, pair.second_sha256 = sides
        pair.save()


def products_merged_received(sender, kept: UUID, **kwargs) -> None:
    """Photos of one product need not be asked about as of one product."""
    photos = list(Image.objects.filter(product=kept).values_list("pk", flat=True))
    suggested = DuplicatePair.objects.filter(kind=Kind.SAME_PRODUCT, state=State.OPEN)
    suggested.filter(first__in=photos, second__in=photos).delete()
