"""An answer as plain values, ready for JSON. Dictionaries are built by hand: this is the hot path."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from gallery.models import TaggedProduct
from gallery.models.products import title_of
from gallery.visibility import Visibility
from search import hydrate
from search.api.parameters import API_NAMES, Asked
from search.ask import Found
from search.engines.base import FACETS
from search.names import Names, most_counted
from search.pictures import unpacked, with_labels
from search.query import Query
from search.recognition import as_json as labels_as_json

IMAGE_WIDTH = 640  # pixels of the renditions that hits link to
_COLUMNS = (
    "id",
    "sha256",
    "width",
    "height",
    "product_id",
    "product__sku",
    "product__title",
    "product__translations",
    "product__category_id",
    "product__brand__name",
    "product__price",
    "product__currency",
)
_LABELS = "embedding_labels"
_EMBEDDING = ("embedding_parts", "embedding_numbers")
# Addresses are resolved once for each answer, with these in the places of key and SKU.
_KEY = UUID(int=0)
_SKU = "-sku-"


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
        "notes": [*found.notes, *filter(None, [found.reading.sentence if found.reading and found.total else ""])],
    }


def hits_of(found: Found, who: Visibility, site: str) -> list[dict[str, Any]]:
    """The hits that the database admits, in two statements: images with products, and the products' tags.

    Rows are plain values: instances of models would cost several times as much as the search.
    """
    if not found.hits or found.generation is None:
        return []
    direction = found.direction
    images = hydrate.images_of(found.hits, who, found.generation.encoder if direction else None)
    images = with_labels(images, found.generation.encoder)
    by_key = {row["id"]: row for row in images.values(*_COLUMNS, _LABELS, *(_EMBEDDING if direction else ()))}
    pairs = [(hit, by_key[hit.key]) for hit in found.hits if hit.key in by_key]
    parts: list[dict[str, float]] = [{} for _pair in pairs]
    if direction:
        embeddings = (unpacked(*(row[column] for column in _EMBEDDING)) for _hit, row in pairs)
        parts = hydrate.cosines(embeddings, direction, found.generation.projection.parts)
    tags = _tags_of({row["product_id"] for _hit, row in pairs})
    file_urls = {format: site + reverse("image-file", args=[_KEY, IMAGE_WIDTH, format]) for format in ("webp", "jpeg")}
    product_url = site + reverse("product", args=[_SKU])
    return [
        {
            "image": {
                "id": str(row["id"]),
                "width": row["width"],
                "height": row["height"],
                "urls": {
                    format: f"{url.replace(str(_KEY), str(row['id']))}?v={row['sha256'][:8]}"
                    for format, url in file_urls.items()
                },
                "labels": labels_as_json(row[_LABELS]),
            },
            "product": {
                "sku": row["product__sku"],
                "title": title_of(row["product__translations"], row["product__title"]),
                "category": _category(found.names, row["product__category_id"]),
                "brand": row["product__brand__name"],
                "price": None if row["product__price"] is None else float(row["product__price"]),
                "currency": row["product__currency"] or None,
                "tags": tags.get(row["product_id"], []),
                "url": product_url.replace(_SKU, row["product__sku"]),
            },
            "similarity": None if hit.similarity is None else round(hit.similarity, 6),
            "parts": {name: round(cosine, 6) for name, cosine in part.items()},
            "band": None if hit.similarity is None else hit.band,
            "photos_matching": hit.photos_matching,
        }
        for (hit, row), part in zip(pairs, parts, strict=True)
    ]


def _tags_of(products: set[UUID]) -> dict[UUID, list[str]]:
    """Product → the names of its tags, in order."""
    tags: dict[UUID, list[str]] = {}
    rows = TaggedProduct.objects.filter(content_object__in=products).order_by("tag__name")
    for product, name in rows.values_list("content_object", "tag__name"):
        tags.setdefault(product, []).append(name)
    return tags


def _category(names: Names, key: int | None) -> str | None:
    category = None if key is None else names.tree.by_id.get(key)
    return category.label if category else None


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
    """The address of the next page. After an image or a vector, the same is posted to it again."""
    if not found.has_next:
        return None
    pairs = found.query.with_(page=found.query.page + 1).pairs
    pairs = [(API_NAMES.get(name, name), value) for name, value in pairs] + [("limit", str(asked.limit))]
    return f"{site}{reverse('api-search')}?{urlencode(pairs)}"
