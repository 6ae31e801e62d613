"""The scheduled sweep: files that no row names, left by a crash between storing a file and writing its row."""

from gallery.models import Image, Rendition
from gallery.storage import sweep_unnamed_files


def sweep_files() -> int:
    """Delete originals and renditions that no row has named for the grace period.

    :return: how many files were deleted
    """
    return sweep_unnamed_files("originals", Image.objects.values_list("original", flat=True)) + sweep_unnamed_files(
        "renditions", Rendition.objects.values_list("file", flat=True)
    )
