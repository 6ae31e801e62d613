from datetime import datetime
from functools import lru_cache

from django.db import models

from search.models.generations import Generation
from search.outside.crowd import LEAST_PHOTOS, Crowd, Spread


class OutsideCrowd(models.Model):
    """What photos from other worlds have in common, for one encoder: sums alone. The indexing loop adds to it."""

    encoder = models.CharField(max_length=100, unique=True, help_text="the encoder's name and version")
    photos = models.FloatField(default=0.0, help_text="that the sums are worth")
    data = models.BinaryField(help_text="search.outside.crowd.Crowd, serialised")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"photos unlike the catalogue, by {self.encoder}"

    @classmethod
    def spread_for(cls, generation: Generation) -> Spread | None:
        """Seen by a generation; None while too few photos have come. One statement for each new one."""
        known = cls.objects.filter(encoder=generation.encoder, photos__gte=LEAST_PHOTOS)
        updated_at = known.values_list("updated_at", flat=True).first()
        return None if updated_at is None else _spread(generation.pk, generation.created_at, updated_at)


# A megabyte, made from several (ten at most) in a tenth of a second: a process does it once after each update.
@lru_cache(maxsize=2)
def _spread(pk: int, created_at: datetime, updated_at: datetime) -> Spread | None:
    generation = Generation.objects.defer("projection_data", "scale_data").get(pk=pk)
    data = OutsideCrowd.objects.values_list("data", flat=True).filter(encoder=generation.encoder).first()
    return None if data is None else Crowd.from_bytes(bytes(data)).seen_by(generation.projection)
