"""Files as people send them: of every format, unusual ones, damaged ones and such as are meant to do harm."""

import base64
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

from tests.pictures import draw, encode

FORMATS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF", "gif": "GIF", "tiff": "TIFF"}
# A red disc on white, 64 x 48; nothing among our packages writes HEIC.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9j"
    "AAAAAERAAAEAAQAAAAABoQABAAAAAAAAATUAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/Wlw"
    "cnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AA"
    "AAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAA"
    "QAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWB"
    "AgMFhAAAAT1tZGF0AAABMSgBrxmAxF/FfyMudSqfOXx+v3M7xsMMS64OHs89ZK3GPo7v7PpHXZXEM4BMl2EaXxOAB6AmdfGNOVhGk8Dlidy7"
    "OtHHmsDvP4HRnMm9rDmR2WEBaZ0u++/qcHyrtFRJJVpnYMe5ZBj8sm05wKjkhouMzCnsafo7tfcljfK/d2MJ0520+12vZp85GLXVqS0Dj2/1"
    "+LtiuDdQVIoFOdlim/LOsUt5/Naqw16fwsyPjza6L68JkphYSTsMSnAhfEUek+nNCJ18hw7puetlva7T7iqzGAkxqQJ4Xf1lu+b4ekfKykqV"
    "9exAhP+gGCKx8ntxAHrURKpAPbHoZFryCbTC3QpD0HjXVRAwjaJRkgD/Dvgwh7qwutAJcax3YpFGX6KHIDzxw/4JUFX4wJJJ2uqpIjvA"
)
ENDINGS = {"jpeg": "jpg", "png": "png", "webp": "webp", "avif": "avif", "gif": "gif", "tiff": "tif"}


def of_format(format: str, size: tuple[int, int] = (96, 64)) -> bytes:
    return encode(draw("circle", "red", size=size), FORMATS[format])


def animated(format: str, frames: int) -> bytes:
    """Frames of different colours, red first."""
    colors = ["red", "green", "blue"]
    pictures = [draw("circle", colors[n % 3], size=(48 + n % 2, 32)).resize((48, 32)) for n in range(frames)]
    # Frames that equal the one before would be joined by the encoder.
    for n, picture in enumerate(pictures):
        picture.putpixel((n % 48, n // 48), (255, 255, 0))
    return encode(pictures[0], format, save_all=True, append_images=pictures[1:])


def sixteen_bit_grey() -> bytes:
    """Half of full scale on the left, a quarter on the right, as 16-bit PNG."""
    pixels = np.full((40, 60), 0x8000, np.uint16)
    pixels[:, 30:] = 0x4000
    return encode(Image.fromarray(pixels), "PNG")


def sixteen_bit_color() -> bytes:
    """A 16-bit RGB PNG of one colour, (0x8000, 0x4000, 0x2000); Pillow cannot write one."""
    width, height = 8, 6
    row = b"\0" + struct.pack(">3H", 0x8000, 0x4000, 0x2000) * width
    chunks = [
        (b"IHDR", struct.pack(">2I5B", width, height, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * height)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def png_bomb(side: int = 30_000) -> bytes:
    """A PNG that says it is side x side pixels, in a few bytes."""
    header = struct.pack(">2I5B", side, side, 1, 0, 0, 0, 0)
    packed = zlib.compress(b"\0" * (side // 8 + 1) * 100)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def scan_bomb(scans: int = 5_000) -> bytes:
    """A progressive JPEG whose last scan is repeated: each one is a pass over all pixels."""
    data = encode(draw(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + data[-2:]


def gif_of_many_frames(frames: int) -> bytes:
    """A GIF with the smallest possible frames after the first."""
    data = encode(draw(size=(8, 8)), "GIF")
    frame = b"\x2c" + struct.pack("<4H", 0, 0, 1, 1) + b"\0\x02\x02\x44\x01\0"
    return data[:-1] + frame * (frames - 1) + b";"


def gif_with_comment(size: int) -> bytes:
    """A GIF whose comment comes in pieces of one byte."""
    data = encode(draw(size=(8, 8)), "GIF")
    palette_end = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    return data[:palette_end] + b"\x21\xfe" + b"\x01x" * size + b"\0" + data[palette_end:]


def tiff_with_loop() -> bytes:
    """A TIFF whose first page names itself as the next one."""
    data = bytearray(of_format("tiff"))
    (first,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + entries * 12, first)
    return bytes(data)


def with_orientation(orientation: int, size: tuple[int, int] = (90, 60)) -> bytes:
    """A JPEG with an EXIF orientation: red left half, blue right half as stored."""
    picture = Image.new("RGB", size, "red")
    picture.paste("blue", (size[0] // 2, 0, size[0], size[1]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(picture, "JPEG", quality=95, exif=exif)


def swapped_profile() -> bytes:
    """The sRGB profile with red's and green's primaries exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack_from(">I", profile, 128)
    places = {profile[132 + 12 * n : 136 + 12 * n].decode(): 132 + 12 * n for n in range(count)}
    red, green = places["rXYZ"], places["gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def transparent(format: str = "PNG") -> bytes:
    """A red disc on nothing; the hidden pixels are black."""
    picture = Image.new("RGBA", (80, 80), (0, 0, 0, 0))
    disc = draw("circle", "red", "black", size=(80, 80)).convert("RGBA")
    mask = Image.fromarray((np.asarray(disc)[..., 0] > 0).astype(np.uint8) * 255)
    picture.paste(disc, mask=mask)
    return encode(picture, format, **({"lossless": True} if format == "WEBP" else {}))


def upload(data: bytes, name: str) -> io.BytesIO:
    """A file as Django's test client posts it."""
    file = io.BytesIO(data)
    file.name = name
    return file
