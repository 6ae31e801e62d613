"""What the browser tests sell: 40 products of drawn shapes, among them eight red circles on various grounds.

The weak line lets one random pair in twenty pass: a few alike among many that are not give a search some matches.
"""

import io

from gallery.intake import add_image
from gallery.models import Category, Image, Product
from gallery.renditions import make_missing_renditions
from tests.catalogue import add_product
from tests.pictures import draw, encode, jpeg

COUNT = 40
GROUNDS = ("white", "#f4f4f4", "beige", "lavender", "honeydew", "mistyrose", "azure", "ivory")
COLORS = ("orange", "blue", "green", "black", "purple", "teal", "gold", "olive")
CHINESE = {"circle": "圆形", "square": "方形", "triangle": "三角形", "stripes": "条纹"}
CATEGORIES = {"circle": "Round", "square": "Angular", "triangle": "Angular/Triangles", "stripes": "Striped"}
CHINESE_CATEGORIES = {"Round": "圆的", "Angular": "有角的", "Triangles": "三角的", "Striped": "条纹的"}
# The very file of the first product: it is found as nearly the same, and the other red circles as similar.
FIRST_PHOTO = jpeg("circle", "red", size=(330, 270))


def add_shop() -> None:
    """Fill the database. The red circles come first, and the cheapest of all is ``CIRCLE-00``."""
    for n, ground in enumerate(GROUNDS):
        product = _product(n, "circle", "red")
        photo = encode(draw("circle", "red", ground, size=(330 + 12 * n, 270)), "JPEG", quality=90)
        add_image(product, io.BytesIO(photo), f"{product.sku}.jpg")
    others = [(shape, color) for color in COLORS for shape in CHINESE]
    for n, (shape, color) in enumerate(others, start=len(GROUNDS)):
        _product(n, shape, color, photos=1 + n % 2, size=(360, 270))
    for category in Category.objects.all():
        category.names = {"zh-hans": CHINESE_CATEGORIES[category.name]}
        category.save()
    make_missing_renditions(Image.objects.all())


def _product(number: int, shape: str, color: str, photos: int = 0, size: tuple[int, int] = (360, 270)) -> Product:
    name = color.capitalize()
    return add_product(
        f"{shape}-{number:02d}".upper(),
        shape,
        color,
        title=f"{name} {shape}",
        translations={"zh-hans": {"title": f"{name} {CHINESE[shape]}"}},
        description=f"A {color} {shape} on paper.",
        category=CATEGORIES[shape],
        brand="Velluto" if number % 3 else "Öst",
        price=f"{5 + number}.50" if number != 20 else None,
        tags=["gift"] if number % 4 == 0 else ["plain"],
        photos=photos,
        size=size,
        availability=Product.Availability.OUT_OF_STOCK if number % 10 == 9 else Product.Availability.IN_STOCK,
        attributes={"size": ["S", "M"] if number % 2 else ["L"]},
    )


def photo(sku: str) -> Image:
    """A product's first photo."""
    return Image.objects.filter(product__sku=sku).order_by("position", "pk")[0]
