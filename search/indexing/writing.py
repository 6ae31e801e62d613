"""One batch from a claim to the engine."""

import logging
import time
from collections.abc import Iterable, Sequence
from uuid import UUID

from search.documents import category_tree, fields_of, images_by_key, words_of
from search.engines import get_engine
from search.engines.base import Deletion, Document, EngineError, EngineUnavailable, Failure
from search.indexing.changes import raise_above
from search.indexing.claims import Claim, claim, give_back, record_failed, record_written
from search.indexing.embedding import Embedded, embeddings_for
from search.models import Change, Generation

logger = logging.getLogger(__name__)


def write_batch(generation: Generation, limit: int) -> int:
    """Claim a batch of what is due and write it.

    :return: how many placements were claimed; 0 when nothing is due
    :raises EngineError: after the claim has been given back
    """
    batch = claim(generation, limit)
    if batch is None:
        return 0
    write_claim(generation, batch)
    return len(batch.placements)


def write_claim(generation: Generation, claim: Claim) -> int:
    """Bring the claimed placements up to date. No transaction is open while this embeds or writes.

    :return: how many are now up to date
    :raises EngineError: after the claim has been given back
    """
    start = time.perf_counter()
    # Versions first, rows after them: what we write is at least as new as the version we say it is.
    versions = dict(Change.objects.filter(key__in=claim.keys).values_list("key", "version"))
    try:
        documents, deletions, failures, embedded = _prepare(generation, claim, versions)
        refused = get_engine(generation.engine).write(generation.pk, documents, deletions)
    except EngineUnavailable as error:
        give_back(claim, f"The search engine cannot be reached: {error}")
        raise
    except EngineError as error:
        give_back(claim, str(error), wait_seconds=30)
        raise
    failures |= {failure.key: failure.reason for failure in refused}
    overtaken = _overtake(claim, refused) | _changed_meanwhile(claim, versions, failures)
    for key, reason in failures.items():
        logger.warning("Image %s is not in %s: %s", key, generation, reason)
    gone = [deletion.key for deletion in deletions if deletion.key not in failures]
    Change.objects.filter(key__in=gone).update(deleted=True)
    written = {key: version for key, version in versions.items() if key not in failures}
    record_written(claim, written)
    record_failed(claim, {key: reason for key, reason in failures.items() if key not in overtaken})
    if generation.state == Generation.State.BUILDING:
        generation.note_speed(
            documents=len(documents),
            writing_seconds=time.perf_counter() - start - embedded.seconds,
            embedded=embedded.fresh,
            embedding_seconds=embedded.seconds,
        )
    return len(written)


def _prepare(
    generation: Generation, claim: Claim, versions: dict[UUID, int]
) -> tuple[list[Document], list[Deletion], dict[UUID, str], Embedded]:
    images = images_by_key(claim.keys)
    tree = category_tree()
    embedded = embeddings_for(generation.encoder, images.values())
    documents, deletions, failures = [], [], {}
    for key, version in versions.items():
        image = images.get(key)
        if image is None:
            deletions.append(Deletion(key, version))
        elif image.sha256 in embedded.reasons:
            failures[key] = embedded.reasons[image.sha256]
        else:
            projected = generation.projection.project(embedded.vectors[image.sha256])
            documents.append(
                Document(
                    key=key,
                    version=version,
                    fields=fields_of(image, tree, embedded.labels.get(image.sha256)),
                    words=words_of(image),
                    vector=generation.projection.document_vector(projected) if projected else None,
                )
            )
    return documents, deletions, failures, embedded


def _overtake(claim: Claim, refused: Sequence[Failure]) -> set[UUID]:
    """Give a higher version to what the engine refused for a version that it cannot have from us."""
    held = {failure.key: failure.held for failure in refused if failure.held is not None}
    ahead = set(raise_above(held)) if held else set()
    _give_back_only(claim, ahead, "The index held a version of somebody else's; ours is newer now.")
    return ahead


def _changed_meanwhile(claim: Claim, versions: dict[UUID, int], failures: Iterable[UUID]) -> set[UUID]:
    """Those that failed because they were changed while they were read: a file that was just deleted is no failure."""
    current = Change.objects.filter(key__in=list(failures)).values_list("key", "version")
    changed = {key for key, version in current if version > versions[key]}
    _give_back_only(claim, changed, "The image was changed while it was read.")
    return changed


def _give_back_only(claim: Claim, keys: set[UUID], reason: str) -> None:
    if keys:
        again = [placement for placement in claim.placements if placement.key in keys]
        give_back(Claim(claim.generation_id, again), reason)
