"""What a moderator of the demonstration finds to do: photos that wait, and products that are there twice.

Made of the shop's own stickers, always the same: twelve photos by three people, among them two that are nearly photos
of the catalogue, one out of focus and one in a wrong category; and three stickers that were imported again under
another SKU, with the same or a re-encoded picture. What is there already is left as it is.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, cast

import numpy as np
from django.contrib.auth.models import Group
from django.utils import timezone
from PIL import Image as Pillow
from PIL import ImageFilter

from gallery.demo import artwork
from gallery.demo.artwork import Colour, Ground
from gallery.demo.catalogue import Catalogue, Sticker
from gallery.demo.packages import plain
from gallery.demo.shop import CATEGORIES
from gallery.intake import add_image
from gallery.models import Category, Image, Product, Role, User

# The first has the demo's password; nobody can sign in as the others.
CONTRIBUTORS = ("shopper", "mina", "jonas")
_SIDE = 720  # pixels
_COPIES_AGE = timedelta(days=200)  # so that they are not among the newest


@dataclass(frozen=True)
class Waiting:
    """One photo that waits: a sticker on a ground, by a contributor, for a product."""

    code: str
    by: str
    file: str
    ground: Ground
    colour: Colour
    angle: float
    for_code: str = ""  # another product, by mistake
    change: str = ""


WAITING = (
    Waiting("1f98a", "mina", "fox-on-my-laptop.jpg", artwork.card, (92, 104, 122), 9),
    Waiting("1f334", "jonas", "palm_window.jpg", artwork.stripes, (150, 190, 204), -12),
    Waiting("1f9c1", "shopper", "cupcake lunchbox.jpg", artwork.gingham, (196, 120, 132), 6),
    Waiting("1f6f5", "mina", "scooter-helmet.jpg", artwork.wood, (150, 112, 80), -8),
    Waiting("1f3a7", "jonas", "IMG_2041.jpg", artwork.dots, (96, 120, 100), 14),
    Waiting("1f392", "shopper", "backpack.jpg", artwork.ruled, (80, 110, 130), -5),
    Waiting("1f951", "mina", "avocado-fridge.jpg", artwork.card, (228, 226, 220), 11),
    # Nearly what the catalogue has: smaller, and saved again.
    Waiting("1f34e", "jonas", "apple-again.jpg", artwork.card, (0, 0, 0), 0, change="smaller"),
    Waiting("1f695", "mina", "taxi (1).jpg", artwork.card, (0, 0, 0), 0, change="coarser"),
    Waiting("1f337", "shopper", "tulip-quick.jpg", artwork.wood, (176, 128, 88), 4, change="blurred"),
    # It shows a lemon, and was sent for the blue book.
    Waiting("1f34b", "jonas", "book.jpg", artwork.gingham, (98, 138, 178), 7, for_code="1f4d8"),
)
# A suggestion of a product that the shop does not have, put where it does not belong.
SUGGESTED = Waiting("1f34f", "shopper", "Green apple sticker.jpg", artwork.stripes, (186, 196, 160), 10)
SUGGESTED_SKU, SUGGESTED_CATEGORY = "green-apple-sticker", "vehicles"
# Sticker → what became of its picture when it was imported a second time.
COPIES = {"1f34e": "same", "1f4d8": "coarser", "1f34b": "smaller"}


def seed(catalogue: Catalogue) -> tuple[int, int]:
    """Add what is missing of the waiting photos and the copies; their products must be loaded.

    :return: how many photos wait, and how many products are copies
    """
    people = {name: _person(name) for name in CONTRIBUTORS}
    by_code = {plain(sticker.code): sticker for sticker in catalogue.stickers}
    for waiting in WAITING:
        product = Product.objects.get(sku=by_code[waiting.for_code or waiting.code].sku)
        _add(catalogue, by_code[waiting.code], waiting, product, people[waiting.by])
    suggested, _created = Product.objects.get_or_create(
        sku=SUGGESTED_SKU,
        defaults={
            "title": "Green apple sticker",
            "published": False,
            "category": _category(SUGGESTED_CATEGORY),
        },
    )
    _add(catalogue, by_code[SUGGESTED.code], SUGGESTED, suggested, people[SUGGESTED.by])
    for code, change in COPIES.items():
        _copy(by_code[code], change)
    return len(WAITING) + 1, len(COPIES)


def _person(name: str) -> User:
    user, created = User.objects.get_or_create(username=name, defaults={"email": f"{name}@example.com"})
    if created:
        user.set_unusable_password()
        user.save()
    user.groups.add(Group.objects.get(name=Role.SHOPPER))
    return user


def _category(slug: str) -> Category:
    return Category.objects.get(parent=None, name=CATEGORIES[slug][0])


def _add(catalogue: Catalogue, sticker: Sticker, waiting: Waiting, product: Product, by: User) -> None:
    if product.images.filter(uploader=by, source_name=waiting.file).exists():
        return
    if waiting.change in _AGAIN:
        content = _AGAIN[waiting.change](_last_picture(product))
    else:
        content = _photograph(catalogue, sticker, waiting)
    add_image(product, io.BytesIO(content), waiting.file, uploader=by, status=Image.Status.PENDING)


def _photograph(catalogue: Catalogue, sticker: Sticker, waiting: Waiting) -> bytes:
    chance = np.random.default_rng(int(plain(waiting.code).split("-")[0], 16))
    scene = waiting.ground((_SIDE, _SIDE), waiting.colour, chance)
    cut = artwork.die_cut(catalogue.packages.render(sticker.code), round(_SIDE * 0.62))
    scene = artwork.lit(artwork.lay(scene, cut, (0.5, 0.5), waiting.angle), random=chance)
    if waiting.change == "blurred":
        scene = scene.filter(ImageFilter.GaussianBlur(11))
    return _saved(scene, 84)


def _last_picture(product: Product) -> Pillow.Image:
    """The photograph that the shop itself has of a product: its last one, if there are several."""
    image = product.images.filter(uploader=None, status=Image.Status.APPROVED).order_by("-position", "-pk")[0]
    with image.original.open("rb") as file, Pillow.open(file) as picture:
        return picture.convert("RGB")


def _smaller(picture: Pillow.Image) -> bytes:
    return _saved(picture.resize((picture.width * 7 // 10, picture.height * 7 // 10), Pillow.Resampling.LANCZOS), 82)


def _coarser(picture: Pillow.Image) -> bytes:
    return _saved(picture, 58)


_AGAIN: dict[str, Callable[[Pillow.Image], bytes]] = {"smaller": _smaller, "coarser": _coarser}


def _saved(picture: Pillow.Image, quality: int) -> bytes:
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=quality)
    return content.getvalue()


def _copy(sticker: Sticker, change: str) -> None:
    """The product once more, as a second supplier's list might have it, with the shop's photograph."""
    first = Product.objects.get(sku=sticker.sku)
    copy, created = Product.objects.get_or_create(
        sku=f"{sticker.sku}-B",
        defaults={
            "title": first.title,
            "translations": first.translations,
            "description": first.description,
            "category": first.category,
            "brand": first.brand,
            "price": first.price,
            "currency": first.currency,
            "attributes": first.attributes,
        },
    )
    if created:
        Product.objects.filter(pk=copy.pk).update(created_at=timezone.now() - _COPIES_AGE)
    if copy.images.exists():
        return
    if change == "same":
        image = first.images.filter(uploader=None).order_by("-position", "-pk")[0]
        with image.original.open("rb") as file:
            add_image(copy, cast(BinaryIO, file), image.source_name)
    else:
        add_image(copy, io.BytesIO(_AGAIN[change](_last_picture(first))), f"{sticker.sku.lower()}-b.jpg")
