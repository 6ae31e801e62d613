"""Which saves and deletes change what an index says of an image: each handler only names the keys. And what every
database has after its migrations.
"""

from django.apps import apps
from django.contrib.auth.models import Group
from django.db.models.signals import m2m_changed, post_delete, post_migrate, post_save

from gallery import signals
from gallery.models import Category, Image, Product, Role, TaggedProduct
from gallery.models.images import announce_images_of
from gallery.storage import delete_after_commit


def image_saved(sender, instance: Image, raw: bool = False, **kwargs) -> None:
    if not raw:
        signals.announce([instance.pk])


def image_deleted(sender, instance: Image, **kwargs) -> None:
    signals.announce([instance.pk])
    delete_after_commit(instance.original)


def rendition_deleted(sender, instance, **kwargs) -> None:
    delete_after_commit(instance.file)


def product_saved(sender, instance: Product, created: bool, raw: bool = False, **kwargs) -> None:
    if not raw and not created:
        announce_images_of([instance.pk])


def tags_changed(sender, instance, action: str, **kwargs) -> None:
    if action.startswith("post_") and isinstance(instance, Product):
        announce_images_of([instance.pk])


def category_saved(sender, instance: Category, created: bool, raw: bool = False, **kwargs) -> None:
    # Documents hold the ids of all ancestors: a move changes them, a rename does not (and costs only a re-read).
    if not raw and not created:
        announce_images_of(
            Product.objects.filter(category__in=Category.objects.tree().descendants(instance.pk)).order_by()
        )


def make_roles(sender, using: str, **kwargs) -> None:
    """After every migration and every flush: without their groups, nobody could be given a role."""
    for name in Role.values:
        Group.objects.using(using).get_or_create(name=name)


def connect() -> None:
    post_migrate.connect(make_roles, sender=apps.get_app_config("gallery"))
    post_save.connect(image_saved, sender=Image)
    post_delete.connect(image_deleted, sender=Image)
    post_delete.connect(rendition_deleted, sender=Image.renditions.rel.related_model)
    post_save.connect(product_saved, sender=Product)
    m2m_changed.connect(tags_changed, sender=TaggedProduct)
    post_save.connect(category_saved, sender=Category)
