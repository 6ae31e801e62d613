from collections.abc import Iterable

import numpy as np
from django.db import models


class EmbeddingQuerySet(models.QuerySet["Embedding"]):
    def by_hash(self, encoder: str, hashes: Iterable[str]) -> "dict[str, Embedding]":
        return {row.sha256: row for row in self.filter(encoder=encoder, sha256__in=set(hashes))}


class EncodedPicture(models.Model):
    """The named parts that an encoder gave for one picture.

    ``parts`` maps a part's name to ``[start, end]`` in ``numbers`` (little-endian float32). A part that the encoder
    could not give (a blank photo has no shape) is absent.
    """

    encoder = models.CharField(max_length=100, help_text="the encoder's name and version")
    parts = models.JSONField()
    numbers = models.BinaryField()
    # [code of a class, confidence from 0 to 1], the most confident first; None where the encoder names nothing.
    labels = models.JSONField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def vectors(self) -> dict[str, np.ndarray]:
        """Part name → ``(d,)`` float32, as the encoder gave it: of unit length, not centred."""
        numbers = np.frombuffer(self.numbers, dtype="<f4")
        return {name: numbers[start:end] for name, (start, end) in self.parts.items()}

    @vectors.setter
    def vectors(self, vectors: dict[str, np.ndarray]) -> None:
        self.parts, start = {}, 0
        for name, vector in vectors.items():
            self.parts[name] = [start, start + len(vector)]
            start += len(vector)
        self.numbers = b"".join(np.ascontiguousarray(vector, dtype="<f4").tobytes() for vector in vectors.values())


class Embedding(EncodedPicture):
    """What one encoder said of one image file. Rebuilding an index reads these and never runs a model."""

    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EmbeddingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["encoder", "sha256"], name="embedding_once")]


class RegionEmbedding(EncodedPicture):
    """What an encoder said of a part of a catalogue photo that somebody searched with; kept for a while, not indexed.

    ``crop`` is as in URLs: left, top, width and height in thousandths of the upright picture.
    """

    sha256 = models.CharField(max_length=64)
    crop = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["encoder", "sha256", "crop"], name="region_embedding_once")]


class SuggestedRegions(models.Model):
    """Where objects seem to be in a catalogue photo: boxes as ``RegionEmbedding.crop``, the likeliest first."""

    sha256 = models.CharField(max_length=64, unique=True)
    method = models.CharField(max_length=40)
    crops = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
