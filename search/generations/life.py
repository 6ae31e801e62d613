"""What a person decides of a generation: promote it, go back, pause and resume its building, cancel it, drop it."""

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from search.engines import get_engine, reachable_names
from search.generations.errors import GenerationError
from search.models import Generation, PictureVocabulary, Placement

logger = logging.getLogger(__name__)

State = Generation.State
# Requests read once which generation is live, and finish with it. None takes longer than a server lets it.
REQUESTS_END_AFTER = timedelta(seconds=60)


def promote(generation: Generation) -> None:
    """Let this generation answer from now on.

    :raises GenerationError: when it is still being built, was dropped, or its index has gone
    :raises EngineUnavailable: when its engine cannot be reached; the live generation is untouched then
    """
    generation.refresh_from_db()
    if generation.state not in (State.READY, State.RETIRED, State.LIVE):
        raise GenerationError(
            f"Generation {generation.pk} is {generation.state}. Only a ready or retired one can be promoted; "
            "see: manage.py index status"
        )
    _check_reachable(generation)
    if not get_engine(generation.engine).exists(generation.pk):
        raise GenerationError(
            f"The index of generation {generation.pk} has gone. Build a new one: manage.py index build"
        )
    go_live(generation)


def rollback() -> Generation:
    """Go back to the generation that was live before. It was kept up to date, so nothing that changed since is lost.

    :return: the generation that is live now
    :raises GenerationError: when there is none to go back to
    :raises EngineUnavailable: when its engine cannot be reached; the live generation is untouched then
    """
    before = Generation.objects.filter(state=State.RETIRED).order_by("-retired_at", "-pk").first()
    if before is None:
        raise GenerationError("There is no earlier generation to go back to: none is kept. See: manage.py index status")
    promote(before)
    return before


def go_live(generation: Generation) -> None:
    """The one database commit that changes which generation answers; outside tools' alias follows.

    :raises EngineUnavailable: before anything was changed
    """
    before = Generation.objects.live()
    engine = get_engine(generation.engine)
    engine.refresh(generation.pk)
    generation.promote()
    logger.info("Generation %d is live.", generation.pk)
    engine.set_live(generation.pk)
    if before and before.engine == generation.engine and not engine.exists(before.pk):
        forget(before)  # its index was lost, or lies in a cluster that is no longer ours: nobody can go back to it


def pause(generation: Generation) -> None:
    """Leave a generation that is being built as it is until it is resumed.

    :raises GenerationError: when it is not being built
    """
    _set_paused(generation, True)


def resume(generation: Generation) -> None:
    """
    :raises GenerationError: when it is not being built
    """
    _set_paused(generation, False)


def _set_paused(generation: Generation, paused: bool) -> None:
    if not Generation.objects.filter(pk=generation.pk, state=State.BUILDING).update(paused=paused):
        raise GenerationError(f"Generation {generation.pk} is not being built, so there is nothing to pause or resume.")
    generation.refresh_from_db(fields=["paused"])


def cancel(generation: Generation) -> None:
    """Give up building a generation and delete its index. Embeddings that were made for it stay and are used again.

    :raises GenerationError: when it has been live, or was dropped
    """
    generation.refresh_from_db(fields=["state"])
    if generation.state not in (State.BUILDING, State.READY):
        raise GenerationError(f"Generation {generation.pk} is {generation.state}: there is no building to cancel.")
    drop(generation)


def drop(generation: Generation) -> None:
    """Delete a generation's index. Its row stays as history.

    :raises GenerationError: for the live generation, or one that was live until a moment ago
    :raises EngineUnavailable: when its engine cannot be reached; nothing was changed then
    """
    generation.refresh_from_db(fields=["state", "retired_at"])
    if generation.state == State.LIVE:
        raise GenerationError(f"Generation {generation.pk} is live. Promote another one first.")
    if generation.retired_at and (left := generation.retired_at + REQUESTS_END_AFTER - timezone.now()) > timedelta():
        raise GenerationError(
            f"Generation {generation.pk} was live until a moment ago, and searches may still be using it. "
            f"Drop it in {left.seconds + 1} seconds."
        )
    _check_reachable(generation)
    engine = get_engine(generation.engine)
    engine.exists(generation.pk)  # an engine that is down is found before anything is changed
    # The row first: from here on nobody can promote it. What a kill leaves between the two, upkeep deletes.
    forget(generation)
    engine.drop(generation.pk)


def forget(generation: Generation) -> None:
    """Take a generation whose index has gone out of use, whatever its engine says.

    :raises GenerationError: for the live generation
    """
    with transaction.atomic():
        dropped = Generation.objects.filter(pk=generation.pk).exclude(state=State.LIVE)
        if not dropped.update(
            state=State.DROPPED,
            projection_data=b"",
            scale_data=b"",
            vocabulary_at=None,
            paused=False,
            promote_when_ready=False,
        ):
            raise GenerationError(f"Generation {generation.pk} is live. Promote another one first.")
        PictureVocabulary.objects.filter(generation=generation).delete()
        Placement.objects.filter(generation=generation).delete()


def _check_reachable(generation: Generation) -> None:
    if generation.engine not in reachable_names():
        raise GenerationError(
            f"Generation {generation.pk} lies in another engine ({generation.engine}). Set SEARCH_URL to it first."
        )
