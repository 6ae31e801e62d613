"""What is learnt from a sample once and never altered: a generation's projection, and its scale of similarity."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import numpy as np
from django.conf import settings

from gallery.models import Image
from search.documents import images_by_key
from search.encoders import EncoderError, encoder_for
from search.generations import known_pairs, samples
from search.generations.errors import GenerationError
from search.indexing.claims import Claim, claim, give_back, record_failed
from search.indexing.embedding import embeddings_for
from search.models import Embedding, Generation, Placement
from search.outside.world import LEAST_PHOTOS
from search.projection import Projection

logger = logging.getLogger(__name__)

CALIBRATE_AT = 50  # images; below, similarities of random pairs say little


def fitted(encoder: str, dimensions: Mapping[str, int], width: int) -> tuple[Projection, int]:
    """A projection fitted on a random sample of what is stored, and the size of that sample.

    :param dimensions: the encoder's parts and their lengths
    :param width: numbers that ``deep`` is brought to
    :raises GenerationError: when fewer than two images have been embedded
    """
    sample = samples.embedded_sample(encoder, dimensions, settings.SEARCH_FIT_SAMPLE)
    n = len(next(iter(sample.values())))
    if n < 2:
        raise GenerationError(f"Only {n} images are embedded with {encoder}. Index some images first.")
    complete = {name: rows[~np.isnan(rows).any(axis=1)] for name, rows in sample.items() if rows.size}
    return Projection.fit(complete, {"deep": width}, dimensions), n


def prepare(generation: Generation, limit: int) -> int:
    """Embed one batch of the sample that the generation's projection waits for; fit it when all is there.

    Images are claimed as for writing, so that one which kills the process is found and left out here, too.

    :return: how much was done; 0 when others are at work on what is left, or nothing of it can be embedded
    """
    keys = samples.not_embedded(_sample_of(generation.pk, generation.created_at), generation.encoder)
    batch = claim(generation, limit, among=keys) if keys else None
    if batch is None:
        leased = Placement.objects.filter(generation=generation, key__in=keys, claimed_until__isnull=False)
        return 0 if leased.exists() else int(_fit(generation))
    embed_claim(generation, batch)
    return len(batch.placements)


@lru_cache(maxsize=4)
def _sample_of(pk: int, created_at: datetime) -> Sequence[UUID]:
    """One sample for a generation as long as this process lives: what is deleted meanwhile drops out by itself."""
    return samples.sample_keys(settings.SEARCH_FIT_LEAST)


def embed_claim(generation: Generation, batch: Claim) -> None:
    """Store embeddings for the claimed images and give them back, those that failed with their reasons."""
    images = images_by_key(batch.keys)
    embedded = embeddings_for(generation.encoder, images.values())
    generation.note_speed(embedded=embedded.fresh, embedding_seconds=embedded.seconds)
    failures = {key: embedded.reasons[one.sha256] for key, one in images.items() if one.sha256 in embedded.reasons}
    well = [placement for placement in batch.placements if placement.key not in failures]
    give_back(Claim(batch.generation_id, well), "")
    record_failed(batch, failures)


def _fit(generation: Generation) -> bool:
    try:
        dimensions = encoder_for(generation.encoder).dimensions
        width = generation.dimension - 1 - sum(length for name, length in dimensions.items() if name != "deep")
        projection, size = fitted(generation.encoder, dimensions, width)
    except (LookupError, EncoderError, GenerationError):
        return False  # the encoder has gone, or failed with every image: ``index status`` tells the reasons
    logger.info("Fitted the projection of generation %d on %d images.", generation.pk, size)
    # Another process may have fitted it meanwhile: the first one counts.
    waiting = Generation.objects.filter(pk=generation.pk, preparing=True)
    return bool(waiting.update(projection_data=projection.to_bytes(), sample_size=size, preparing=False))


def calibrate(generation: Generation) -> bool:
    """Measure known pairs for the weak line and the bands, where there are images enough.

    It is done once, and once more when there are enough to tell photos from another world.
    """
    if generation.calibrated_at and generation.scale.world is not None:
        return False
    embedded = Embedding.objects.filter(encoder=generation.encoder).count()
    if embedded < CALIBRATE_AT or (generation.calibrated_at and not _is_due(generation, embedded)):
        return False
    photos = known_pairs.known_photos(generation.encoder)
    if len(photos.hashes) < 2:
        return False  # embeddings outlive their photos
    scale = known_pairs.scale_of(generation, photos)
    generation.calibrate(scale, embedded)
    return True


def _is_due(generation: Generation, embedded: int) -> bool:
    """Whether there may be photos enough now that were not there when it was calibrated."""
    if embedded < LEAST_PHOTOS or embedded < 1.1 * generation.scale_photos:
        return False
    return Image.objects.order_by().values("sha256").distinct().count() >= LEAST_PHOTOS
