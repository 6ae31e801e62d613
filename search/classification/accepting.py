"""What people answer to a suggestion. Each answer holds for the product as it was shown, and for no later one."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from gallery.models import Category, Product, User
from gallery.models.products import ProductTag
from search.models import LabelConfirmed
from search.reasons import CATEGORY_ACCEPTED, TAGS_ACCEPTED


class Edited(Exception):
    """Somebody has edited the product since it was shown, or it has gone."""


@transaction.atomic
def put_into(product: UUID, category: Category, revision: int) -> Product:
    """Set the product's category.

    :param revision: of the product as it was shown
    :raises Edited: nothing is changed then
    """
    shown = _as_shown(product, revision)
    shown.category = category
    _save(shown, CATEGORY_ACCEPTED)
    return shown


@transaction.atomic
def add_tags(product: UUID, tags: Iterable[ProductTag], revision: int) -> Product:
    """Give the product these tags beside its own.

    :raises Edited: nothing is changed then
    """
    shown = _as_shown(product, revision)
    shown.tags.add(*tags)
    # A new revision: whoever still sees it without the tags must not write it back.
    _save(shown, TAGS_ACCEPTED)
    return shown


@transaction.atomic
def keep(product: UUID, category: Category, by: User) -> None:
    """The product is where it belongs: it is not doubted again while it is there."""
    LabelConfirmed.objects.get_or_create(product_id=product, category=category, defaults={"by": by})


def confirmed_labels_follow(sender, kept: UUID, dropped: UUID, **kwargs) -> None:
    """What was confirmed of a product that is merged into another one is confirmed of that one."""
    known = LabelConfirmed.objects.filter(product=kept).values("category")
    LabelConfirmed.objects.filter(product=dropped).exclude(category__in=known).update(product=kept)


def _save(product: Product, why: str) -> None:
    setattr(product, "_change_reason", why)  # noqa: B010  (where the history looks for it)
    product.save()


def _as_shown(product: UUID, revision: int) -> Product:
    shown = Product.objects.select_for_update().filter(pk=product, revision=revision).first()
    if shown is None:
        raise Edited
    return shown
