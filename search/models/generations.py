from datetime import datetime
from functools import lru_cache

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from search.engines import reachable_names
from search.engines.base import IndexSpec
from search.engines.index_settings import IndexSettings
from search.projection import Projection
from search.similarity import SimilarityScale

_NEWEST_SHARE = 0.2  # of the newest batch in moving averages


class GenerationQuerySet(models.QuerySet["Generation"]):
    def live(self) -> "Generation | None":
        """The one that answers, without its large columns: ``projection`` and ``scale`` are kept by the process."""
        return self.filter(state=Generation.State.LIVE).defer("projection_data", "scale_data").first()

    def kept(self) -> "GenerationQuerySet":
        """Generations that the indexing loop keeps up to date: all that could be asked, or asked again."""
        return self.filter(state__in=Generation.KEPT)

    def reachable(self) -> "GenerationQuerySet":
        """Those in engines that the settings say how to reach."""
        return self.filter(engine__in=reachable_names())


class Generation(models.Model):
    """Encoder + projection + default weights + index settings = one physical index. Exactly one is live."""

    class State(models.TextChoices):
        BUILDING = "building"
        READY = "ready"
        LIVE = "live"
        RETIRED = "retired"
        DROPPED = "dropped"

    KEPT = (State.BUILDING, State.READY, State.LIVE, State.RETIRED)

    state = models.CharField(max_length=10, choices=State.choices, default=State.BUILDING)
    engine = models.CharField(max_length=20, help_text="embedded or elasticsearch")
    encoder = models.CharField(max_length=100, help_text="the encoder's name and version")
    projection_data = models.BinaryField(help_text="search.projection.Projection, serialised")
    weights = models.JSONField(help_text="default weight of each part; they sum to 1")
    index_options = models.JSONField(default=dict)
    scale_data = models.BinaryField(default=bytes, help_text="search.similarity.SimilarityScale, serialised")
    calibrated_at = models.DateTimeField(null=True, blank=True)
    scale_photos = models.PositiveIntegerField(default=0, help_text="embedded images when the scale was measured")
    scale_shares = models.JSONField(
        default=dict, blank=True, help_text="kind of known pair → band → share at or above it, at the default weights"
    )
    sample_size = models.PositiveIntegerField(default=0, help_text="images that the projection was fitted on")
    promote_when_ready = models.BooleanField(default=False)
    paused = models.BooleanField(default=False, help_text="not filled until it is resumed; only while it is built")
    preparing = models.BooleanField(default=False, help_text="the sample for its projection is being embedded")
    dimension = models.PositiveIntegerField(default=0, help_text="length of the indexed vectors")
    to_embed = models.PositiveIntegerField(default=0, help_text="files without an embedding when building began")
    seconds_per_document = models.FloatField(null=True, blank=True, help_text="to write one; a moving average")
    seconds_per_embedding = models.FloatField(null=True, blank=True, help_text="to make one; a moving average")
    reconcile_requested = models.BooleanField(default=False, help_text="the indexing loop compares it next")
    reconciled_at = models.DateTimeField(null=True, blank=True)
    differences = models.JSONField(null=True, blank=True, help_text="kind of difference → images, when last compared")
    quality = models.JSONField(null=True, blank=True, help_text="what manage.py quality last measured")
    vocabulary_at = models.DateTimeField(null=True, blank=True, help_text="when what words look like was learnt")
    tuning = models.ForeignKey(
        "search.Tuning",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="generations",
        help_text="the training that its projection comes from; none where no label had a say",
    )
    embedded_revision = models.PositiveBigIntegerField(default=0, help_text="last revision in the embedded engine")
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    promoted_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = GenerationQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="live"), name="one_live_generation"),
            models.CheckConstraint(
                condition=Q(state__in=["building", "ready", "live", "retired", "dropped"]),
                name="generation_state_known",
            ),
            models.CheckConstraint(
                condition=Q(engine__in=["embedded", "elasticsearch"]), name="generation_engine_known"
            ),
        ]

    def __str__(self) -> str:
        return f"generation {self.pk} ({self.state}, {self.engine})"

    @property
    def projection(self) -> Projection:
        return _projection(self.pk, self.created_at)

    @property
    def scale(self) -> SimilarityScale:
        return _scale(self.pk, self.created_at, self.calibrated_at)

    @property
    def spec(self) -> IndexSpec:
        return IndexSpec(self.pk, self.dimension, self.index_settings)

    @property
    def index_settings(self) -> IndexSettings:
        return IndexSettings.parse(self.index_options)

    def note_speed(
        self, *, documents: int = 0, writing_seconds: float = 0.0, embedded: int = 0, embedding_seconds: float = 0.0
    ) -> None:
        """Remember how long a batch took, for estimates of what is left."""
        changes = {}
        for field, count, seconds in (
            ("seconds_per_document", documents, writing_seconds),
            ("seconds_per_embedding", embedded, embedding_seconds),
        ):
            if count:
                before = getattr(self, field)
                share = _NEWEST_SHARE if before is not None else 1.0
                changes[field] = (1 - share) * (before or 0.0) + share * seconds / count
        if changes:
            Generation.objects.filter(pk=self.pk).update(**changes)

    def calibrate(self, scale: SimilarityScale, photos: int = 0) -> None:
        """:param photos: embedded images that there were"""
        self.scale_data, self.calibrated_at = scale.to_bytes(), timezone.now()
        self.scale_shares, self.scale_photos = scale.shares(self.weights), photos
        self.save(update_fields=["scale_data", "calibrated_at", "scale_shares", "scale_photos"])

    @transaction.atomic
    def promote(self) -> None:
        """Make this the one that answers. The old live one is retired in the same commit.

        What was begun before this one does not take over from it by itself any more.
        """
        now = timezone.now()
        Generation.objects.filter(pk__lt=self.pk, promote_when_ready=True).update(promote_when_ready=False)
        Generation.objects.filter(state=self.State.LIVE).exclude(pk=self.pk).update(
            state=self.State.RETIRED, retired_at=now
        )
        Generation.objects.filter(pk=self.pk).update(
            state=self.State.LIVE, promoted_at=now, retired_at=None, promote_when_ready=False
        )
        self.refresh_from_db()


# A projection is a megabyte and never changes: a process reads it once. The time of creation is part of the key, as a
# restored database may give an old number to a new generation.
@lru_cache(maxsize=8)
def _projection(pk: int, created_at: datetime) -> Projection:
    """
    :raises ValueError: for a generation whose projection is still to be fitted, or that was dropped
    """
    data = bytes(Generation.objects.values_list("projection_data", flat=True).get(pk=pk))
    if not data:
        raise ValueError(f"Generation {pk} has no projection: it is not fitted yet, or was dropped.")
    return Projection.from_bytes(data)


@lru_cache(maxsize=8)
def _scale(pk: int, created_at: datetime, calibrated_at: datetime | None) -> SimilarityScale:
    return SimilarityScale.from_bytes(bytes(Generation.objects.values_list("scale_data", flat=True).get(pk=pk)))
