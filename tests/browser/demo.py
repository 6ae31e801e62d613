"""The first stickers of the demonstration and its sample photographs: what a new user meets on the home page."""

from django.conf import settings

from gallery.demo import loading
from gallery.demo.catalogue import Catalogue
from gallery.demo.packages import Packages
from gallery.demo.samples import write_samples
from gallery.models import Image
from gallery.renditions import make_missing_renditions

COUNT = 120  # stickers: enough for a scale of similarity of their own


def add_demo() -> None:
    packages = Packages(settings.BASE_DIR / "node_modules")
    write_samples(settings.DATA_DIR / "samples", packages.render)
    catalogue = Catalogue(packages)
    loading.make_categories()
    stickers = catalogue.stickers[:COUNT]
    faults: list[str] = []
    loading.load(catalogue, settings.DATA_DIR / "demo", stickers, report=faults.append, advance=lambda: None)
    assert faults == []
    make_missing_renditions(Image.objects.all())
