"""An answer as plain values, ready for JSON. Dictionaries are built by hand: this is the hot path."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from gallery.models import Image
from gallery.visibility import Visibility
from search import hydrate
from search.api.parameters import API_NAMES, Asked
from search.ask import Found
from search.engines.base import FACETS
from search.names import Names, most_counted
from search.query import Query

IMAGE_WIDTH = 640  # pixels of the renditions that hits link to
_COLUMNS = (
    "id",
    "sha256",
    "width",
    "height",
    "product__sku",
    "product__title",
    "product__translations",
    "product__category_id",
    "product__price",
    "product__currency",
    "product__brand__name",
)


def as_json(found: Found, asked: Asked, who: Visibility, site: str) -> dict[str, Any]:
    """The body of an answer, but for ``took_ms``. ``site`` is what addresses begin with: scheme and host."""
    return {
        "hits": hits_of(found, who, site),
        "facets": facets_of(found),
        "total": found.total,
        "total_is_lower_bound": found.full,
        "query": found.query.canonical,
        "generation": found.generation.pk if found.generation else None,
        "next": _next(found, asked, site),
        "notes": list(found.notes),
    }


def hits_of(found: Found, who: Visibility, site: str) -> list[dict[str, Any]]:
    """The hits that the database admits, in two statements: images with products, and the products' tags."""
    if not found.hits or found.generation is None:
        return []
    images = hydrate.images_of(found.hits, who, found.generation.encoder if found.direction else None)
    images = images.only(*_COLUMNS).prefetch_related("product__tags")  # type: ignore[misc]
    pairs = hydrate.admitted(found.hits, images)
    parts = hydrate.cosines([image for _hit, image in pairs], found.direction, found.generation.projection.parts)
    return [
        {
            "image": _image(image, site),
            "product": _product(image, found.names, site),
            "similarity": None if hit.similarity is None else round(hit.similarity, 6),
            "parts": {name: round(cosine, 6) for name, cosine in part.items()},
            "band": None if hit.similarity is None else hit.band,
            "photos_matching": hit.photos_matching,
        }
        for (hit, image), part in zip(pairs, parts, strict=True)
    ]


def _image(image: Image, site: str) -> dict[str, Any]:
    return {
        "id": str(image.pk),
        "width": image.width,
        "height": image.height,
        "urls": {format: f"{site}{image.url(IMAGE_WIDTH, format)}" for format in ("webp", "jpeg")},
    }


def _product(image: Image, names: Names, site: str) -> dict[str, Any]:
    product = image.product
    category = names.tree.by_id.get(product.category_id) if product.category_id else None
    return {
        "sku": product.sku,
        "title": product.label,
        "category": category.label if category else None,
        "brand": product.brand.label if product.brand else None,
        "price": None if product.price is None else float(product.price),
        "currency": product.currency or None,
        "tags": sorted(tag.name for tag in product.tags.all()),
        "url": f"{site}{product.get_absolute_url()}",
    }


def facets_of(found: Found) -> dict[str, Any]:
    """Counts with names; attributes grouped by their name."""
    query, names, counts = found.query, found.names, found.facets.counts
    facets: dict[str, Any] = {
        facet: _values(facet, counts.get(facet, {}), query, names) for facet in FACETS if facet != "attributes"
    }
    attributes: dict[str, list[dict[str, Any]]] = {}
    for pair, count in sorted(counts.get("attributes", {}).items(), key=lambda item: (-item[1], item[0])):
        name, _equals, label = pair.partition("=")
        attributes.setdefault(name, []).append({"value": pair, "label": label, "count": count})
    price = found.facets.price
    return facets | {
        "attributes": attributes,
        "price": {"lowest": price.lowest, "highest": price.highest, "counts": list(price.counts)} if price else None,
    }


def _values(facet: str, counted: Mapping[str, int], query: Query, names: Names) -> list[dict[str, Any]]:
    """Most products first. Of brands and tags only those are offered whose names have been read."""
    offered = most_counted(counted, getattr(query, facet)) if facet in ("brand", "tags") else counted
    values = [
        {"value": value, "label": label, "count": counted[value]}
        for value in offered
        if value in counted and (label := names.label(facet, value)) is not None
    ]
    return sorted(values, key=lambda value: (-value["count"], value["label"]))


def _next(found: Found, asked: Asked, site: str) -> str | None:
    """The address of the next page. After an uploaded image, the same image is posted to it again."""
    if not found.has_next:
        return None
    pairs = found.query.with_(page=found.query.page + 1).pairs
    pairs = [(API_NAMES.get(name, name), value) for name, value in pairs] + [("limit", str(asked.limit))]
    return f"{site}{reverse('api-search')}?{urlencode(pairs)}"
