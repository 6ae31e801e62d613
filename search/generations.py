"""The life of generations: the first, the fitted one, one on another engine; building, promotion, dropping."""

import logging
from collections.abc import Mapping
from datetime import timedelta

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from search.encoders import get_encoder
from search.engines import configured_name, get_engine
from search.indexing.embedding import stacked
from search.models import Change, Embedding, Generation, Placement
from search.projection import Projection
from search.similarity import SimilarityScale

logger = logging.getLogger(__name__)

CALIBRATE_AT = 50  # images; below, similarities of random pairs say little
_CALIBRATION_SAMPLE = 2_000
_LONG_IMPORT = 20  # times ``SEARCH_FIT_AT``: so many images are a fair sample though more are coming


class GenerationError(Exception):
    """What was asked of a generation cannot be done; the text says why and what to do."""


def create_generation(
    projection: Projection,
    *,
    encoder: str,
    weights: Mapping[str, float],
    engine: str | None = None,
    sample_size: int = 0,
    promote_when_ready: bool = False,
    note: str = "",
) -> Generation:
    """Make an empty index and ask the indexing loop to fill it.

    :raises EngineUnavailable: when the engine cannot be reached; nothing is left behind then
    """
    generation = Generation.objects.create(
        engine=engine or configured_name(),
        encoder=encoder,
        projection_data=projection.to_bytes(),
        weights=dict(weights),
        index_options=settings.SEARCH_INDEX_OPTIONS,
        sample_size=sample_size,
        promote_when_ready=promote_when_ready,
        note=note,
    )
    try:
        get_engine(generation.engine).create(generation.spec)
    except Exception:
        generation.delete()
        raise
    place_missing(generation)
    return generation


def place_missing(generation: Generation) -> int:
    """Give every change that has no placement in this generation one, by a single statement."""
    change, placement = Change._meta.db_table, Placement._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {placement} (generation_id, key, version, behind, attempts, reason) "  # noqa: S608
            f"SELECT %s, c.key, 0, %s, 0, '' FROM {change} c "
            f"WHERE NOT EXISTS (SELECT 1 FROM {placement} p WHERE p.generation_id = %s AND p.key = c.key) "
            "ON CONFLICT DO NOTHING",
            [generation.pk, True, generation.pk],
        )
        return cursor.rowcount


def ensure_first() -> Generation:
    """The live generation; on an empty site the first one, whose identity projection needs no images."""
    live = Generation.objects.live()
    if live is not None:
        return live
    encoder = get_encoder(settings.SEARCH_ENCODER)
    generation = create_generation(
        Projection.identity(encoder.dimensions),
        encoder=encoder.identity,
        weights=encoder.default_weights,
        note="The first: no projection, so that the first upload is searchable.",
    )
    _go_live(generation)  # while it is still empty: each upload is searchable as soon as it is in
    return generation


def follow_the_engine() -> Generation | None:
    """When another engine was configured, build the live generation's twin there; it takes over when it is full."""
    live = Generation.objects.live()
    if live is None or live.engine == configured_name() or _is_building(configured_name()):
        return None
    logger.info("The engine is now %s: building a new generation there.", configured_name())
    return twin(live, engine=configured_name(), note=f"Moved from {live.engine} to {configured_name()}.")


def twin(generation: Generation, *, engine: str | None = None, note: str = "") -> Generation:
    """A new generation with the same encoder, projection and weights, promoted by itself when it is full."""
    copy = create_generation(
        generation.projection,
        encoder=generation.encoder,
        weights=generation.weights,
        engine=engine,
        sample_size=generation.sample_size,
        promote_when_ready=True,
        note=note,
    )
    if generation.scale.is_calibrated:
        copy.calibrate(generation.scale)
    return copy


def replace_lost(generation: Generation) -> None:
    """A generation whose index was deleted by hand: the live one gets a twin that takes over, others are dropped."""
    if generation.state != Generation.State.LIVE:
        drop(generation)
    elif not _is_building(generation.engine):
        twin(generation, engine=generation.engine, note=f"Replaces generation {generation.pk}, whose index was lost.")


def _is_building(engine: str) -> bool:
    return Generation.objects.filter(
        state__in=[Generation.State.BUILDING, Generation.State.READY], engine=engine, promote_when_ready=True
    ).exists()


def sample_embeddings(encoder: str, size: int, seed: int = 0) -> dict[str, np.ndarray]:
    """A random sample of stored embeddings: part name → ``(n, d)`` float32, NaN rows for missing parts.

    Random, never the first ones: a catalogue is imported category by category, and axes that are fitted on its
    beginning describe only that.
    """
    keys = np.array(
        Embedding.objects.filter(encoder=encoder).order_by("pk").values_list("pk", flat=True), dtype=np.int64
    )
    chosen = np.random.default_rng(seed).permutation(keys)[:size].tolist()
    rows = []
    for start in range(0, len(chosen), 500):
        rows += [row.vectors for row in Embedding.objects.filter(pk__in=chosen[start : start + 500])]
    return stacked(rows, get_encoder(encoder.rpartition("@")[0]).dimensions)


def fitted(encoder: str) -> tuple[Projection, int]:
    """A projection fitted on a random sample of what is stored, and the size of that sample.

    :raises GenerationError: when fewer than two images have been embedded
    """
    samples = sample_embeddings(encoder, settings.SEARCH_FIT_SAMPLE)
    n = len(next(iter(samples.values())))
    if n < 2:
        raise GenerationError(f"Only {n} images are embedded with {encoder}. Index some images first.")
    complete = {name: rows[~np.isnan(rows).any(axis=1)] for name, rows in samples.items()}
    return Projection.fit(complete, {"deep": settings.SEARCH_DEEP_DIMENSIONS}), n


def build(*, promote_when_ready: bool = False, note: str = "") -> Generation:
    """Fit a projection on the configured encoder's embeddings and start building a generation with it."""
    encoder = get_encoder(settings.SEARCH_ENCODER)
    if Embedding.objects.filter(encoder=encoder.identity).count() < 2:
        projection, size = Projection.identity(encoder.dimensions), 0
    else:
        projection, size = fitted(encoder.identity)
    return create_generation(
        projection,
        encoder=encoder.identity,
        weights=encoder.default_weights,
        sample_size=size,
        promote_when_ready=promote_when_ready,
        note=note,
    )


def fit_the_next() -> Generation | None:
    """Once there are images enough, build the fitted generation that follows the first.

    It waits until nothing is waiting to be indexed: in the middle of an import only the first categories are there,
    and axes fitted on them serve the others badly. A very long import is not waited for.
    """
    live = Generation.objects.live()
    if live is None or live.sample_size or _is_building(configured_name()):
        return None
    embedded = Embedding.objects.filter(encoder=live.encoder).count()
    if embedded < settings.SEARCH_FIT_AT:
        return None
    waiting = live.placements.filter(behind=True, attempts__lt=settings.SEARCH_MAX_ATTEMPTS).exists()
    if waiting and embedded < _LONG_IMPORT * settings.SEARCH_FIT_AT:
        return None
    logger.info("%d images are embedded: fitting the next generation.", embedded)
    return build(promote_when_ready=True, note="Fitted by itself when there were images enough.")


def calibrate(generation: Generation) -> bool:
    """Measure the similarities of random pairs for the weak line and the bands, where there are images enough."""
    if generation.calibrated_at or Embedding.objects.filter(encoder=generation.encoder).count() < CALIBRATE_AT:
        return False
    samples = sample_embeddings(generation.encoder, _CALIBRATION_SAMPLE, seed=1)
    n = len(next(iter(samples.values())))
    projected = [
        generation.projection.project({name: rows[i] for name, rows in samples.items() if not np.isnan(rows[i, 0])})
        for i in range(n)
    ]
    generation.calibrate(SimilarityScale.measure(stacked(projected, generation.projection.names)))
    return True


def finish_building() -> list[Generation]:
    """Full generations become ready, and those that were meant to are promoted."""
    finished = []
    for generation in Generation.objects.filter(state=Generation.State.BUILDING):
        place_missing(generation)
        waiting = generation.placements.filter(behind=True, attempts__lt=settings.SEARCH_MAX_ATTEMPTS)
        if not waiting.exists():
            calibrate(generation)
            Generation.objects.filter(pk=generation.pk, state=Generation.State.BUILDING).update(
                state=Generation.State.READY
            )
            finished.append(generation)
    for generation in Generation.objects.filter(state=Generation.State.READY, promote_when_ready=True):
        promote(generation)
    return finished


def promote(generation: Generation) -> None:
    """Let this generation answer from now on.

    :raises GenerationError: when it is still being built or was dropped
    :raises EngineUnavailable: when its engine cannot be reached; the live generation is untouched then
    """
    generation.refresh_from_db()
    if generation.state not in (Generation.State.READY, Generation.State.RETIRED, Generation.State.LIVE):
        raise GenerationError(
            f"Generation {generation.pk} is {generation.state}. Only a ready or retired one can be promoted; "
            "see: manage.py index status"
        )
    _go_live(generation)


def _go_live(generation: Generation) -> None:
    before = Generation.objects.live()
    engine = get_engine(generation.engine)
    engine.refresh(generation.pk)
    generation.promote()
    logger.info("Generation %d is live.", generation.pk)
    engine.set_live(generation.pk)
    if before and before.engine == generation.engine and not engine.exists(before.pk):
        drop(before)  # its index was lost, or lies in a cluster that is no longer ours: nobody can go back to it


def drop_superseded() -> int:
    """Drop unfitted generations some time after a fitted one took over: nobody would go back to them."""
    oldest = timezone.now() - timedelta(hours=settings.SEARCH_KEEP_RETIRED_HOURS)
    superseded = Generation.objects.filter(
        state=Generation.State.RETIRED, sample_size=0, retired_at__lt=oldest, engine=configured_name()
    )
    for generation in superseded:
        drop(generation)
    return len(superseded)


def drop(generation: Generation) -> None:
    """Delete a generation's index. Its row stays as history.

    :raises GenerationError: for the live generation
    """
    with transaction.atomic():
        dropped = (
            Generation.objects.filter(pk=generation.pk)
            .exclude(state=Generation.State.LIVE)
            .update(state=Generation.State.DROPPED, projection_data=b"", scale_data=b"")
        )
        if not dropped:
            raise GenerationError(f"Generation {generation.pk} is live. Promote another one first.")
        Placement.objects.filter(generation=generation).delete()
    get_engine(generation.engine).drop(generation.pk)
