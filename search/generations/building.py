"""Making generations: what a build would cost, an empty index, and its twin elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from gallery.models import Image
from search.encoders import EncoderError, get_encoder
from search.encoders.base import Encoder
from search.engines import configured_name, get_engine
from search.engines.index_settings import BadIndexSettings, IndexSettings
from search.generations import samples
from search.generations.errors import GenerationError
from search.generations.fitting import fitted
from search.models import Change, Generation, Placement, Tuning
from search.projection import Projection

FEWEST_TO_FIT = 2  # images


@dataclass(frozen=True)
class BuildPlan:
    """What building a generation would take."""

    encoder: str  # its identity
    images: int
    to_embed: int  # files that the encoder has to be run on; for all others its answer is stored
    seconds: float | None  # an estimate from what earlier generations took; None where there is nothing to go by


def plan(encoder: str | None = None) -> BuildPlan:
    """
    :param encoder: a name of ``SEARCH_ENCODERS``; ``SEARCH_ENCODER`` if not given
    :raises GenerationError: when that encoder cannot be used
    """
    identity = encoder_named(encoder).identity
    images, to_embed = Image.objects.count(), samples.count_to_embed(identity)
    before = Generation.objects.order_by("-pk")
    writing = before.exclude(seconds_per_document=None).values_list("seconds_per_document", flat=True).first()
    embedding = before.filter(encoder=identity).exclude(seconds_per_embedding=None)
    each = embedding.values_list("seconds_per_embedding", flat=True).first()
    known = writing is not None and (each is not None or not to_embed)
    seconds = images * (writing or 0.0) + to_embed * (each or 0.0) if known else None
    return BuildPlan(identity, images, to_embed, seconds)


def encoder_named(name: str | None) -> Encoder:
    """
    :raises GenerationError: when there is no such encoder or its settings are wrong
    """
    try:
        return get_encoder(name or settings.SEARCH_ENCODER)
    except EncoderError as error:
        raise GenerationError(str(error)) from error


def build(
    *,
    encoder: str | None = None,
    index: IndexSettings | None = None,
    promote_when_ready: bool = False,
    note: str = "",
) -> Generation:
    """Begin a generation beside the live one, with a projection fitted on a random sample of the catalogue.

    Where the sample is embedded already it is fitted at once; otherwise the indexing loop embeds the sample first.

    :param encoder: a name of ``SEARCH_ENCODERS``; ``SEARCH_ENCODER`` if not given
    :param index: ``SEARCH_INDEX_OPTIONS`` if not given
    :raises GenerationError: when the encoder or the index settings cannot be used; nothing is left behind then
    :raises EngineError: when the engine cannot be reached or cannot hold such an index, likewise
    """
    chosen = encoder_named(encoder)
    try:
        dimensions = chosen.dimensions  # a network says how long its answers are by giving one
    except EncoderError as error:
        raise GenerationError(str(error)) from error
    images = Image.objects.count()
    keys = samples.sample_keys(settings.SEARCH_FIT_LEAST)
    projection: Projection | None = None
    size = 0
    if images < FEWEST_TO_FIT:
        projection = Projection.starting(dimensions)
    elif not samples.not_embedded(keys, chosen.identity):
        projection, size = fitted(chosen.identity, dimensions, planned_width(dimensions, images))
    return create_generation(
        projection,
        encoder=chosen.identity,
        weights=chosen.default_weights,
        dimension=projection.dimension if projection else planned_dimension(dimensions, images),
        index=index,
        sample_size=size,
        promote_when_ready=promote_when_ready,
        note=note,
    )


def planned_width(dimensions: Mapping[str, int], images: int) -> int:
    """Length of the ``deep`` part once it is fitted: no more axes than the sample can tell apart."""
    return min(settings.SEARCH_DEEP_DIMENSIONS, dimensions.get("deep", 0), max(1, images - 1))


def planned_dimension(dimensions: Mapping[str, int], images: int) -> int:
    """Length of the indexed vector once the projection is fitted."""
    others = sum(length for name, length in dimensions.items() if name != "deep")
    return planned_width(dimensions, images) + others + 1


def create_generation(
    projection: Projection | None,
    *,
    encoder: str,
    weights: Mapping[str, float],
    dimension: int,
    engine: str | None = None,
    index: IndexSettings | None = None,
    sample_size: int = 0,
    promote_when_ready: bool = False,
    tuning: Tuning | None = None,
    note: str = "",
) -> Generation:
    """Make an empty index and ask the indexing loop to fill it.

    :param projection: None where it is to be fitted on a sample that has to be embedded first
    :param dimension: of its vectors
    :param tuning: the training that the projection comes from
    :raises GenerationError: when the default index settings are wrong
    :raises EngineError: when the engine cannot be reached or cannot hold such an index; nothing is left behind then
    """
    try:
        index = index or IndexSettings.parse(settings.SEARCH_INDEX_OPTIONS)
    except BadIndexSettings as error:
        raise GenerationError(f"SEARCH_INDEX_OPTIONS: {error}") from error
    if index.type.startswith("int4_") and dimension % 2:
        raise GenerationError(
            f"{index.type} needs vectors of an even length, and these have {dimension} numbers. Choose int8_hnsw, or "
            f"set SEARCH_DEEP_DIMENSIONS to {settings.SEARCH_DEEP_DIMENSIONS - 1}."
        )
    generation = Generation.objects.create(
        engine=engine or configured_name(),
        encoder=encoder,
        projection_data=projection.to_bytes() if projection else b"",
        preparing=projection is None,
        dimension=dimension,
        weights=dict(weights),
        index_options=index.as_json(),
        sample_size=sample_size,
        promote_when_ready=promote_when_ready,
        tuning=tuning,
        to_embed=samples.count_to_embed(encoder),
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


def twin(generation: Generation, *, engine: str | None = None, note: str = "") -> Generation:
    """A new generation with the same encoder, projection and weights, promoted by itself when it is full."""
    copy = create_generation(
        generation.projection,
        encoder=generation.encoder,
        weights=generation.weights,
        dimension=generation.dimension,
        engine=engine,
        index=generation.index_settings,
        sample_size=generation.sample_size,
        promote_when_ready=True,
        tuning=generation.tuning,
        note=note,
    )
    if generation.scale.is_calibrated:
        copy.calibrate(generation.scale, generation.scale_photos)
    return copy
