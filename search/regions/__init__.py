"""Where objects seem to be in a picture: boxes that people may search with."""

from search.regions.finding import Finder, finder, suggest
from search.regions.storing import of_image, of_photo

__all__ = ["Finder", "finder", "of_image", "of_photo", "suggest"]
