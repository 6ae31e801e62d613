"""How sharp a picture is: the variance of its Laplacian (Pech-Pacheco et al., 2000)."""

from PIL import Image, ImageFilter, ImageStat

# Pixels of the longer side that is looked at: figures of pictures of different sizes can then be compared.
SIDE = 256
_LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


def sharpness(picture: Image.Image) -> float:
    """Variance of the Laplacian of the grey picture at most ``SIDE`` pixels long; 0 for an even surface.

    :param picture: RGB, of any size
    """
    grey = picture.convert("L")
    grey.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
    if min(grey.size) < 3:
        return 0.0
    # Pillow leaves the outermost pixels as they were: they would count as edges.
    inner = (1, 1, grey.width - 1, grey.height - 1)
    return round(ImageStat.Stat(grey.filter(_LAPLACIAN).crop(inner)).var[0], 2)
