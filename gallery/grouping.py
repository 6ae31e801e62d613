"""Files that arrive one by one, in any order and some of them twice, and are photos of one product."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from gallery.intake import StoredFile, record_image
from gallery.models import Image, Product, UploadGroup, User

_KEPT = timedelta(days=2)  # so long a page may be left open before its groups are forgotten


class AlreadyThere(Exception):
    """The group has this very file: it was sent again, as after an answer that never came."""

    def __init__(self, image: Image):
        super().__init__(image)
        self.image = image


def joined(user: User, key: UUID, new_product: Callable[[], Product], tags: list[str]) -> UploadGroup:
    """The person's group of this key, under its lock; whichever file comes first makes it, with its product."""
    groups = UploadGroup.objects.select_for_update(of=("self",)).select_related("product").filter(user=user, key=key)
    found = groups.first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            product = new_product()
            product.tags.set(tags)
            UploadGroup.objects.filter(user=user, created_at__lt=timezone.now() - _KEPT).delete()
            return UploadGroup.objects.create(user=user, key=key, product=product)
    except IntegrityError:  # another file of the group was quicker: its product is the one
        return groups.get()


def add(group: UploadGroup, stored: StoredFile, place: int) -> Image:
    """Record a stored file as the group's photo of this number; the sharpest one is the product's face.

    :raises AlreadyThere: where the group has the file
    """
    product = group.product
    twin = product.images.filter(pk__in=group.places, sha256=stored.facts.sha256).first()
    if twin is not None:
        raise AlreadyThere(twin)
    image = record_image(product, stored, uploader=group.user)
    group.places[str(image.pk)] = place
    group.save(update_fields=["places"])
    face = product.sharpest_photo()
    photos = product.images.order_by("position", "pk").values_list("pk", flat=True)
    order = sorted(photos, key=lambda key: (face is None or key != face.pk, group.places.get(str(key), len(photos))))
    product.arrange(order, group.user)
    image.refresh_from_db()
    return image
