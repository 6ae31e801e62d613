"""What staff decide of a pair: merge it into one side, or tell it apart for good."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.merging import MergeRefused, lock, merge_images, merge_products
from gallery.models import Image, ImageRedirect, User
from search.models import DuplicatePair, ProductView
from search.models.duplicates import ordered

Kind, State = DuplicatePair.Kind, DuplicatePair.State
_WAITING = (Image.Status.PENDING, Image.Status.CHANGES_REQUESTED)
_REFUSED = (Image.Status.REJECTED, Image.Status.WITHDRAWN)


@dataclass(frozen=True)
class Merged:
    image: Image  # the photo that stays
    closed: bool  # whether it took along one that waited for a moderator


def closes(pair: DuplicatePair, kept: Image, dropped: Image) -> bool:
    """Whether a merge leaves nothing but a refused photo of one that waits, without anybody's decision."""
    return pair.kind != Kind.SAME_PRODUCT and kept.status in _REFUSED and dropped.status in _WAITING


@transaction.atomic
def merge(pair: DuplicatePair, keep: UUID, by: User, revisions: Mapping[UUID, int] | None = None) -> Merged:
    """Keep one photo of the pair: its product takes in the other's, and photos that are the same become one.

    :param keep: the key of the photo whose side stays
    :param revisions: of the products as the person saw them
    :raises MergeRefused: when somebody was faster
    """
    # Before the pair, for whoever merges photos changes their pairs after them.
    photos = lock([pair.first, pair.second])
    list(DuplicatePair.objects.select_for_update().of_images(photos).order_by("pk"))
    drop = _open(pair, keep)
    images = Image.objects.in_bulk([keep, drop])
    if len(images) < 2:
        raise MergeRefused(_("One of the photos has been merged or deleted meanwhile. Nothing was changed."))
    closed = closes(pair, images[keep], images[drop])
    products = {key: image.product_id for key, image in images.items()}
    pair.close_merged(by)
    if products[keep] != products[drop]:
        merge_products(products[keep], products[drop], by, revisions)
    # Photos of the same bytes have become one by then.
    if pair.kind != Kind.SAME_PRODUCT and Image.objects.filter(pk=drop).exists():
        merge_images(keep, drop, by)
    return Merged(Image.objects.select_related("product").get(pk=keep), closed)


@transaction.atomic
def tell_apart(pair: DuplicatePair, by: User) -> None:
    """Not a duplicate, for good. Of two products that are told apart no other photos are suggested, either.

    :raises MergeRefused: when somebody was faster
    """
    others = _others_between(pair) if pair.kind == Kind.SAME_PRODUCT else []
    locked = list(DuplicatePair.objects.select_for_update().filter(pk__in=[pair.pk, *others]).order_by("pk"))
    _open(pair, pair.first)
    now = timezone.now()
    pair.tell_apart(by, now)
    for other in locked:
        if other.pk != pair.pk and other.state == State.OPEN:
            other.tell_apart(by, now)


def _others_between(pair: DuplicatePair) -> list[int]:
    """Keys of the other open pairs of photos of the two products."""
    products = Image.objects.filter(pk__in=[pair.first, pair.second]).values_list("product", flat=True)
    sides = [list(Image.objects.filter(product=product).values_list("pk", flat=True)) for product in set(products)]
    if len(sides) < 2:
        return []
    between = DuplicatePair.objects.filter(kind=Kind.SAME_PRODUCT, state=State.OPEN).exclude(pk=pair.pk)
    return list(between.of_images(sides[0]).of_images(sides[1]).values_list("pk", flat=True))


def _open(pair: DuplicatePair, keep: UUID) -> UUID:
    """Lock the pair, and the key of its other photo."""
    current = DuplicatePair.objects.select_for_update().filter(pk=pair.pk).first()
    if current is None:
        raise MergeRefused(_("Somebody has decided this pair already."))
    if current.state != State.OPEN:
        state = {"state": current.get_state_display()}
        raise MergeRefused(_("Somebody has decided this pair already: %(state)s.") % state)
    return current.second if keep == current.first else current.first


def images_merged_received(sender, kept: UUID, dropped: UUID, **kwargs) -> None:
    """Rows that name the dropped photo name the kept one, where it has none of its own.

    What was told apart stays as it was decided: of these two files, under whatever keys.
    """
    has_kept = ProductView.objects.filter(image=kept).values("user")
    ProductView.objects.filter(image=dropped).exclude(user__in=has_kept).update(image=kept)
    sha256 = Image.objects.values_list("sha256", flat=True).get(pk=kept)  # it may be the dropped one's file by now
    merged = {sha256, ImageRedirect.objects.values_list("sha256", flat=True).get(old_key=dropped)}
    pairs = DuplicatePair.objects.select_for_update().of_images([kept, dropped]).filter(state=State.OPEN)
    for pair in pairs.order_by("pk"):
        asked = pair.first_sha256 if pair.first in (kept, dropped) else pair.second_sha256
        if asked in merged:
            _follow(pair, kept, dropped, sha256)
        else:  # about a file that neither photo has any more
            pair.delete()


def _follow(pair: DuplicatePair, kept: UUID, dropped: UUID, sha256: str) -> None:
    """Let a question about one of two merged photos be one about the kept photo, whose file this is."""
    is_first = pair.first in (kept, dropped)
    other, file = (pair.second, pair.second_sha256) if is_first else (pair.first, pair.first_sha256)
    files = frozenset((sha256, file))
    if other in (kept, dropped) or files in DuplicatePair.objects.told_apart(files):
        pair.delete()
        return
    first, second = ordered(kept, other)
    known = DuplicatePair.objects.filter(first=first, second=second).exclude(pk=pair.pk).first()
    if known is not None:
        if known.state != State.NOT_DUPLICATE:
            pair.delete()
            return
        DuplicatePair.objects.leave_to_files({(first, second)})  # it was decided of other files than are asked about
    if pair.kind == Kind.EXACT and len(files) > 1:
        pair.kind, pair.relation = Kind.SAME_PHOTO, "same"
    pair.first, pair.second = first, second
    pair.first_sha256, pair.second_sha256 = (sha256, file) if first == kept else (file, sha256)
    pair.save()


def products_merged_received(sender, kept: UUID, **kwargs) -> None:
    """Photos of one product need not be asked about as of one product."""
    photos = list(Image.objects.filter(product=kept).values_list("pk", flat=True))
    suggested = DuplicatePair.objects.filter(kind=Kind.SAME_PRODUCT, state=State.OPEN)
    suggested.filter(first__in=photos, second__in=photos).delete()
