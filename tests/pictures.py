"""Pictures drawn in memory for tests."""

import io

from PIL import Image, ImageDraw


def draw(shape: str = "circle", color: str = "red", ground: str = "white", size: tuple[int, int] = (240, 180)):
    """A shape (circle, square, stripes or triangle) on a ground, as an RGB Pillow image."""
    picture = Image.new("RGB", size, ground)
    pen = ImageDraw.Draw(picture)
    w, h = size
    box = (w // 5, h // 5, w - w // 5, h - h // 5)
    if shape == "circle":
        pen.ellipse(box, fill=color)
    elif shape == "square":
        pen.rectangle(box, fill=color)
    elif shape == "triangle":
        pen.polygon([(w // 2, box[1]), (box[0], box[3]), (box[2], box[3])], fill=color)
    elif shape == "stripes":
        for x in range(0, w, max(4, w // 10)):
            pen.rectangle((x, 0, x + max(2, w // 20), h), fill=color)
    else:
        raise ValueError(f"no shape named {shape}")
    return picture


def encode(picture: Image.Image, format: str = "JPEG", **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def jpeg(shape: str = "circle", color: str = "red", ground: str = "white", size: tuple[int, int] = (240, 180)) -> bytes:
    return encode(draw(shape, color, ground, size), "JPEG", quality=90)
