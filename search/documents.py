"""From records to what an engine holds: one document an image, built from the database alone."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from gallery.models import Category, Image
from gallery.models.categories import CategoryTree
from search.engines.base import Fields
from search.recognition import Stored, codes_of
from search.text import analyse


def images_by_key(keys: Iterable[UUID]) -> dict[UUID, Image]:
    """The images that still exist, with everything that documents need, in a constant number of queries."""
    images = (
        Image.objects.filter(pk__in=list(keys)).select_related("product").prefetch_related("product__tags")  # type: ignore[misc]  # taggit's manager is unknown to the stubs
    )
    return {image.pk: image for image in images}


def category_tree() -> CategoryTree:
    return Category.objects.tree()


def fields_of(image: Image, tree: CategoryTree, labels: Stored = None) -> Fields:
    """What the image's document can be found, filtered, counted and sorted by.

    :param labels: what the generation's encoder named in the image
    """
    product = image.product
    return Fields(
        product=str(product.pk),
        status=image.status,
        published=product.published,
        # What was taken down is not its uploader's to find either, so that it is in no count of theirs.
        uploader=str(image.uploader_id) if image.uploader_id and image.taken_down_at is None else None,
        category=tuple(str(step.pk) for step in tree.ancestors(product.category_id)),
        brand=str(product.brand_id) if product.brand_id else None,
        price=float(product.price) if product.price is not None and product.in_shop_currency else None,
        availability=product.availability,
        color=tuple(image.colors),
        labels=codes_of(labels),
        tags=tuple(tag.slug for tag in product.tags.all()),
        attributes=tuple(f"{name}={value}" for name, values in product.attributes.items() for value in values),
        created=int(product.created_at.timestamp() * 1000),
    )


def words_of(image: Image) -> Mapping[str, str]:
    """Analysed text. Brand and category are not in it: a query finds them by id, so a rename re-indexes nothing."""
    product = image.product
    texts = product.translations.values()
    return {
        "title": analyse(" ".join([product.title, product.sku, *(text.get("title", "") for text in texts)])),
        "tags": analyse(" ".join(tag.name for tag in product.tags.all())),
        "description": analyse(" ".join([product.description, *(text.get("description", "") for text in texts)])),
    }
