"""Looking at files once: what the models said is kept by the file's hash."""

import logging
from dataclasses import dataclass

from django.conf import settings

from gallery.buckets import FAULTS
from gallery.models import Image
from gallery.pictures import open_upright
from search.models import FoundFaces, SafetyScore
from search.safety import faces, nudity

logger = logging.getLogger(__name__)

_DECODE_PIXELS = 256


@dataclass(frozen=True)
class Looks:
    """``unsafe`` and ``faces`` are None where they are not known: the file or the model cannot be read."""

    unsafe: float | None
    faces: int | None

    @property
    def is_covered(self) -> bool:
        """Whether the photo opens blurred: it may be unsafe, or nobody knows."""
        return self.unsafe is None or self.unsafe >= settings.SAFETY_THRESHOLD


def looks_of(image: Image) -> Looks:
    """What is known of the image's file; what is not is looked at now, outside any transaction."""
    score = SafetyScore.objects.filter(sha256=image.sha256, model=nudity.MODEL).first()
    found = FoundFaces.objects.filter(sha256=image.sha256, method=faces.METHOD).first()
    if score is None or found is None:
        try:
            with image.original.storage.open(str(image.original.name), "rb") as file:
                picture = open_upright(file, at_least=_DECODE_PIXELS)
            score = score or _scored(image, picture)
            found = found or _found(image, picture)
        except (OSError, ValueError, nudity.SafetyError, *FAULTS) as error:
            logger.warning("Image %s was not looked at: %s", image.pk, error)
    return Looks(score.score if score else None, len(found.boxes) if found else None)


def _scored(image: Image, picture) -> SafetyScore:
    score = nudity.unsafe(picture)
    # Another process may have looked at the same file meanwhile: it says the same.
    row, _made = SafetyScore.objects.get_or_create(
        sha256=image.sha256, model=nudity.MODEL, defaults={"score": round(score, 4)}
    )
    return row


def _found(image: Image, picture) -> FoundFaces:
    boxes = [[round(number, 4) for number in box] for box in faces.faces_in(picture)]
    row, _made = FoundFaces.objects.get_or_create(sha256=image.sha256, method=faces.METHOD, defaults={"boxes": boxes})
    return row
