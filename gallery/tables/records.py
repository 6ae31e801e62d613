"""A product and its photo as the cells of a row: column → text, as an import would read it."""

from collections.abc import Iterable, Mapping

from gallery.filenames import JUNK
from gallery.models import Category, Image, Product
from gallery.models.categories import CategoryTree, joined_path
from gallery.tables.cells import cleaned, joined

Cells = dict[str, str]


def product_cells(product: Product, tree: CategoryTree) -> Cells:
    """All that a table says of the product; tags and redirects are read from what was prefetched."""
    cells = {
        "sku": product.sku,
        "title": product.title,
        "description": product.description,
        "category": "",
        "brand": product.brand.name if product.brand else "",
        "price": "" if product.price is None else f"{product.price:.2f}",
        "currency": product.currency,
        "availability": product.availability,
        "tags": joined(sorted(tag.name for tag in product.tags.all())),
        "link": product.link,
        "published": "yes" if product.published else "no",
        "old_skus": joined(sorted(redirect.old_sku for redirect in product.redirects.all())),
    }
    path = tree.ancestors(product.category_id)
    if path:
        cells["category"] = joined_path(step.name for step in path)
        cells |= {f"category:{language}": text for language, text in _translated_path(path).items()}
    for name, values in product.attributes.items():
        cells[f"attr:{cleaned(name)}"] = joined(values if isinstance(values, list) else [values])
    for language, texts in product.translations.items():
        for column in ("title", "description"):
            cells[f"{column}:{language.lower()}"] = texts.get(column, "")
    return {column: cleaned(text) for column, text in cells.items()}


def image_cells(image: Image) -> Cells:
    return {
        "file": file_of(image),
        "alt": cleaned(image.alt_text),
        "position": str(image.position),
    }


def file_of(image: Image) -> str:
    """Where the original lies in an archive: ``photos/<sku>/<file name>``, distinct and the same every time."""
    sku = image.product.sku
    if sku.startswith(".") or sku in JUNK:  # these would be left out on unpacking; no SKU has a "%"
        sku = f"%{ord(sku[0]):02X}{sku[1:]}"
    return f"photos/{sku}/{image.source_name}"


def columns_of(rows: Iterable[Mapping[str, str]], first: Iterable[str]) -> list[str]:
    """The given columns, then those of attributes and translations that say something anywhere, sorted."""
    fixed = list(first)
    others = {column for row in rows for column, text in row.items() if text}
    return fixed + sorted(others.difference(fixed))


def _translated_path(path: list[Category]) -> dict[str, str]:
    """Language → the path in it. A step without a name in it keeps its own, unless only the last one has a name."""
    languages = {language for step in path for language, name in step.names.items() if name}
    paths = {}
    for language in languages:
        named = [step for step in path if step.names.get(language)]
        steps = path[-1:] if named == path[-1:] else path
        paths[language.lower()] = joined_path(step.names.get(language) or step.name for step in steps)
    return paths
