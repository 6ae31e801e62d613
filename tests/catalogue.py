"""A small catalogue of drawn pictures, made the way the application makes one."""

import io
from collections.abc import Iterable

from gallery.intake import add_image
from gallery.models import Brand, Category, Image, Product
from tests.pictures import draw, encode

SHAPES = ("circle", "square", "triangle", "stripes")
COLORS = ("red", "green", "blue", "orange", "purple", "black")


def add_product(
    sku: str,
    shape: str = "circle",
    color: str = "red",
    *,
    category: str = "Shapes",
    brand: str = "Velluto",
    price: str | None = "10.00",
    tags: Iterable[str] = (),
    photos: int = 1,
    size: tuple[int, int] = (240, 180),
    **facts,
) -> Product:
    """A product with drawn photos; ``facts`` are fields of ``Product``."""
    facts = {"title": f"{color.capitalize()} {shape}", "currency": "EUR" if price else "", "published": True} | facts
    product = Product.objects.create(
        sku=sku,
        category=Category.objects.at_path(category) if category else None,
        brand=Brand.objects.get_or_create(name=brand, defaults={"slug": brand.lower().replace(" ", "-")})[0]
        if brand
        else None,
        price=price,
        **facts,
    )
    if tags:
        product.tags.add(*tags)
    for n in range(photos):
        add_photo(product, shape, color, name=f"{sku}-{n}.jpg", size=(size[0] + 6 * n, size[1]))
    return product


def add_photo(product: Product, shape: str, color: str, name: str, size=(240, 180), **facts) -> Image:
    return add_image(product, io.BytesIO(encode(draw(shape, color, size=size), "JPEG", quality=90)), name, **facts)


def add_products(count: int, prefix: str = "P") -> list[Product]:
    """Products that differ in shape, colour and size, in a fixed order."""
    return [
        add_product(
            f"{prefix}-{n:04d}",
            SHAPES[n % len(SHAPES)],
            COLORS[(n // len(SHAPES)) % len(COLORS)],
            size=(200 + 2 * (n % 40), 180),
            price=f"{5 + n % 50}.50",
        )
        for n in range(count)
    ]
