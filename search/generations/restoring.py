"""A restored database gets a new generation: its engine may hold other versions than the database now knows.

It has the encoder, the projection, the weights and the vocabulary of the one that was live, and is filled from stored
embeddings, so that it answers as that one did, and no model runs.
"""

from itertools import count

from django.db.models import Exists, OuterRef, Q

from gallery.models import Image
from search.chunks import chunks
from search.engines import configured_name, get_engine
from search.generations.building import place_missing
from search.indexing.claims import claim
from search.indexing.writing import write_claim
from search.models import Embedding, Generation, PictureVocabulary

State = Generation.State
_BATCH = 200  # images


def free_number(least: int) -> int:
    """The first number from ``least`` on under which the engine holds no index, left by the installation before.

    :raises EngineUnavailable: when the engine cannot be reached
    """
    engine = get_engine(configured_name())
    return next(number for number in count(least) if not engine.exists(number))


def succeed(number: int) -> Generation | None:
    """Let a new generation follow the live one, and all others be history. Called inside the restoring transaction.

    :param number: of the new one, higher than all that are there
    :return: it, live and without an index yet; None where no generation was live
    """
    live = Generation.objects.filter(state=State.LIVE).first()
    Generation.objects.filter(state__in=Generation.KEPT).update(
        state=State.DROPPED, paused=False, promote_when_ready=False, reconcile_requested=False
    )
    successor = None
    if live is not None:
        successor = Generation.objects.create(
            pk=number,
            engine=configured_name(),
            encoder=live.encoder,
            projection_data=live.projection_data,
            scale_data=live.scale_data,
            calibrated_at=live.calibrated_at,
            scale_photos=live.scale_photos,
            scale_shares=live.scale_shares,
            vocabulary_at=live.vocabulary_at,
            dimension=live.dimension,
            weights=live.weights,
            index_options=live.index_options,
            sample_size=live.sample_size,
            tuning=live.tuning,
            seconds_per_document=live.seconds_per_document,
            seconds_per_embedding=live.seconds_per_embedding,
            note=f"Restored from a backup of generation {live.pk}.",
        )
        successor.promote()
        # The projection is the same, so words look as they did, and no name is embedded again.
        PictureVocabulary.objects.filter(generation=live).update(generation=successor)
    history = Generation.objects.filter(state=State.DROPPED)
    history.update(projection_data=b"", scale_data=b"", vocabulary_at=None, embedded_revision=0)
    PictureVocabulary.objects.filter(generation__in=history).delete()
    return successor


def fill_from_stored(generation: Generation) -> int:
    """Make the index and write every image whose embedding is stored. Others are left to the indexing loop.

    :return: how many images were written
    :raises EngineError: when the engine cannot be reached; the indexing loop makes up for it
    """
    engine = get_engine(generation.engine)
    engine.create(generation.spec)
    place_missing(generation)
    stored = Embedding.objects.filter(encoder=generation.encoder, sha256=OuterRef("sha256"))
    embedded = Image.objects.filter(Exists(stored), pk=OuterRef("key"))
    there = Image.objects.filter(pk=OuterRef("key"))
    due = generation.placements.filter(Q(Exists(embedded)) | ~Q(Exists(there)), behind=True)
    written = 0
    for keys in chunks(list(due.order_by("key").values_list("key", flat=True))):
        while batch := claim(generation, _BATCH, among=keys):
            written += write_claim(generation, batch)
    engine.refresh(generation.pk)
    engine.set_live(generation.pk)
    return written
