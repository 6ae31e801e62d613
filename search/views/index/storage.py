"""Files in figures: what originals take, what is served in their place, and originals that are missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Sum

from gallery.models import Image, Rendition

SHOWN = 24  # missing photos


@dataclass(frozen=True)
class Served:
    """All files of one format, quality and width beside the originals of the same photos."""

    label: str
    quality: int
    width: int
    files: int
    bytes: int
    originals: int  # bytes

    @property
    def saved(self) -> int:
        """Percent; below 0 where such files are larger than the originals."""
        return round(100 * (1 - self.bytes / self.originals)) if self.originals else 0

    @property
    def average(self) -> float:
        return self.bytes / self.files


@dataclass(frozen=True)
class StorageFigures:
    images: int
    originals: int  # bytes
    served: Sequence[Served]
    missing: int
    missing_images: Sequence[Image]

    @property
    def renditions(self) -> int:
        """Bytes."""
        return sum(one.bytes for one in self.served)

    @property
    def more_missing(self) -> int:
        return self.missing - len(self.missing_images)


def storage_figures() -> StorageFigures:
    """Three statements."""
    images = Image.objects.aggregate(images=Count("pk"), originals=Sum("bytes"), missing=Count("original_missing_at"))
    made = (
        Rendition.objects.filter(source_sha256=F("image__sha256"))
        .values("format", "quality", "width")
        .annotate(files=Count("pk"), size=Sum("bytes"), originals=Sum("image__bytes"))
        .order_by("format", "width", "quality")
    )
    served = [
        Served(
            str(Rendition.Format(row["format"]).label),
            row["quality"],
            row["width"],
            row["files"],
            row["size"],
            row["originals"],
        )
        for row in made
    ]
    missing = Image.objects.without_original().select_related("product").order_by("-original_missing_at", "pk")
    return StorageFigures(
        images["images"],
        images["originals"] or 0,
        served,
        images["missing"],
        list(missing[:SHOWN]) if images["missing"] else [],
    )
