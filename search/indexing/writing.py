"""One batch from a claim to the engine."""

import logging
from uuid import UUID

from search.documents import category_tree, fields_of, images_by_key, words_of
from search.engines import get_engine
from search.engines.base import Deletion, Document, EngineError, EngineUnavailable
from search.indexing.claims import Claim, give_back, record_failed, record_written
from search.indexing.embedding import embeddings_for
from search.models import Change, Generation

logger = logging.getLogger(__name__)


def write_claim(generation: Generation, claim: Claim) -> int:
    """Bring the claimed placements up to date. No transaction is open while this embeds or writes.

    :return: how many are now up to date
    :raises EngineError: after the claim has been given back
    :raises LookupError: when the generation's encoder is not installed any more, likewise
    """
    # Versions first, rows after them: what we write is at least as new as the version we say it is.
    versions = dict(Change.objects.filter(key__in=claim.keys).values_list("key", "version"))
    try:
        documents, deletions, failures = _prepare(generation, claim, versions)
        refused = get_engine(generation.engine).write(generation.pk, documents, deletions)
    except EngineUnavailable as error:
        give_back(claim, f"The search engine cannot be reached: {error}")
        raise
    except (EngineError, LookupError) as error:
        give_back(claim, str(error), wait_seconds=30)
        raise
    failures |= {failure.key: failure.reason for failure in refused}
    for key, reason in failures.items():
        logger.warning("Image %s is not in %s: %s", key, generation, reason)
    gone = [deletion.key for deletion in deletions if deletion.key not in failures]
    Change.objects.filter(key__in=gone).update(deleted=True)
    written = {key: version for key, version in versions.items() if key not in failures}
    record_written(claim, written)
    record_failed(claim, failures)
    return len(written)


def _prepare(
    generation: Generation, claim: Claim, versions: dict[UUID, int]
) -> tuple[list[Document], list[Deletion], dict[UUID, str]]:
    images = images_by_key(claim.keys)
    tree = category_tree()
    embeddings, reasons = embeddings_for(generation.encoder, images.values())
    documents, deletions, failures = [], [], {}
    for key, version in versions.items():
        image = images.get(key)
        if image is None:
            deletions.append(Deletion(key, version))
        elif image.sha256 in reasons:
            failures[key] = reasons[image.sha256]
        else:
            projected = generation.projection.project(embeddings[image.sha256])
            documents.append(
                Document(
                    key=key,
                    version=version,
                    fields=fields_of(image, tree),
                    words=words_of(image),
                    vector=generation.projection.document_vector(projected) if projected else None,
                )
            )
    return documents, deletions, failures
