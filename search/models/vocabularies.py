from datetime import datetime
from functools import lru_cache

from django.db import models, transaction
from django.utils import timezone

from search.models.generations import Generation
from search.text_to_picture.vocabulary import Vocabulary


class PictureVocabulary(models.Model):
    """What words look like in one generation. The indexing loop makes it from public images, and makes it anew when
    they have changed."""

    generation = models.OneToOneField(Generation, models.CASCADE, related_name="picture_vocabulary")
    data = models.BinaryField(help_text="search.text_to_picture.vocabulary.Vocabulary, serialised")
    source = models.CharField(max_length=64, help_text="digest of what it was made from")
    seconds = models.FloatField(help_text="that making it took")

    def __str__(self) -> str:
        return f"vocabulary of generation {self.generation_id}"

    @classmethod
    @transaction.atomic
    def store(cls, generation: Generation, vocabulary: Vocabulary, source: str, seconds: float) -> None:
        """Put it in the place of the one before; a generation that was dropped meanwhile gets none."""
        if not Generation.objects.kept().filter(pk=generation.pk).update(vocabulary_at=timezone.now()):
            return
        cls.objects.update_or_create(
            generation=generation, defaults={"data": vocabulary.to_bytes(), "source": source, "seconds": seconds}
        )

    @classmethod
    def of(cls, generation: Generation) -> Vocabulary | None:
        """The generation's vocabulary as of when the generation was read. One statement for each new one."""
        if generation.vocabulary_at is None:
            return None
        return _vocabulary(generation.pk, generation.created_at, generation.vocabulary_at)


# A few megabytes: a process reads each once, however many ask at a time.
@lru_cache(maxsize=2)
def _vocabulary(pk: int, created_at: datetime, made_at: datetime) -> Vocabulary | None:
    data = PictureVocabulary.objects.values_list("data", flat=True).filter(generation=pk).first()
    return None if data is None else Vocabulary.from_bytes(bytes(data))
