"""The scheduled sweep: files that no row names, left by a crash between storing a file and writing its row."""

from itertools import chain

from gallery.models import CatalogueImport, Image, Job, Rendition
from gallery.storage import sweep_unnamed_files


def sweep_files() -> int:
    """Delete originals, renditions and what was imported or exported that no row has named for the grace period.

    :return: how many files were deleted
    """
    swept = sweep_unnamed_files("originals", Image.objects.values_list("original", flat=True))
    swept += sweep_unnamed_files("renditions", Rendition.objects.values_list("file", flat=True))
    for folder in ("imports", "exports", "reports"):
        named = chain(
            CatalogueImport.objects.values_list("file", flat=True), Job.objects.values_list("report", flat=True)
        )
        swept += sweep_unnamed_files("default", named, folder)
    return swept
