"""What generations need without anybody's asking: the first, the fitted one, one for another engine or version."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from search import reasons
from search.encoders import EncoderError, encoder_for, get_encoder
from search.engines import configured_name, get_engine, reachable_names
from search.engines.base import IndexMissing
from search.generations.building import build, create_generation, place_missing, twin
from search.generations.errors import GenerationError
from search.generations.fitting import calibrate
from search.generations.life import drop, forget, go_live, promote
from search.models import Embedding, Generation
from search.projection import Projection

logger = logging.getLogger(__name__)

State = Generation.State
_LONG_IMPORT = 20  # times ``SEARCH_FIT_AT``: so many images are a fair sample though more are coming


def ensure_first() -> Generation:
    """The live generation; on an empty site the first one, whose identity projection needs no images."""
    live = Generation.objects.live()
    if live is not None:
        return live
    encoder = get_encoder(settings.SEARCH_ENCODER)
    projection = Projection.starting(encoder.dimensions)
    generation = create_generation(
        projection,
        dimension=projection.dimension,
        encoder=encoder.identity,
        weights=encoder.default_weights,
        note="The first: no projection, so that the first upload is searchable.",
    )
    go_live(generation)  # while it is still empty: each upload is searchable as soon as it is in
    return generation


def follow_the_engine() -> Generation | None:
    """When another engine was configured, build the live generation's twin there; it takes over when it is full."""
    live = Generation.objects.live()
    if live is None or live.engine == configured_name() or _is_building(configured_name()):
        return None
    logger.info("The engine is now %s: building a new generation there.", configured_name())
    return twin(live, engine=configured_name(), note=f"Moved from {live.engine} to {configured_name()}.")


def follow_the_encoder() -> Generation | None:
    """When the live generation's encoder has another version now, as after an upgrade, build its successor.

    Where the old version still works, as a former default does, this is done once: who goes back to the live
    generation, or gives up its successor, has decided. And one that is not tuned takes over from a tuned one only when
    somebody says so. Where it does not work, new photos cannot be taken in: any successor is better, and takes over.
    """
    live = Generation.objects.live()
    if live is None or _is_building(configured_name()):
        return None
    identity = _identity_now(live)
    if identity is None or identity == live.encoder:
        return None
    works = _works(live)
    if works and _has_followed(live, identity):
        return None
    logger.warning("%s is now %s: building a generation with it.", live.encoder, identity)
    note = reasons.FOLLOWS
    if live.tuning_id:
        note = reasons.FOLLOWS_WHEN_PROMOTED if works else reasons.FOLLOWS_UNTUNED
    return build(
        encoder=_name_of(live),
        index=live.index_settings,
        promote_when_ready=not (works and live.tuning_id),
        note=note % {"encoder": live.encoder},
    )


def _name_of(generation: Generation) -> str:
    return generation.encoder.rpartition("@")[0]


def _identity_now(generation: Generation) -> str | None:
    """What its encoder is now; None where that has gone altogether: which one follows is for people to say."""
    try:
        return get_encoder(_name_of(generation)).identity
    except EncoderError:
        return None


def _works(generation: Generation) -> bool:
    """Whether the generation's encoder, in that version, can take in new photos."""
    try:
        encoder_for(generation.encoder)
    except LookupError:
        return False
    return True


def _has_followed(live: Generation, identity: str) -> bool:
    """Whether a generation of this encoder is kept, or was made after the live one."""
    theirs = Generation.objects.filter(encoder=identity)
    return theirs.filter(Q(state__in=Generation.KEPT) | Q(pk__gt=live.pk)).exists()


def fit_the_next() -> Generation | None:
    """Once there are images enough, build the fitted generation that follows the first.

    It waits until nothing is waiting to be indexed: in the middle of an import only the first categories are there,
    and axes fitted on them serve the others badly. A very long import is not waited for.
    """
    live = Generation.objects.live()
    if live is None or live.sample_size or _is_building(configured_name()):
        return None
    embedded = Embedding.objects.filter(encoder=live.encoder).count()
    if embedded < settings.SEARCH_FIT_AT or _identity_now(live) != live.encoder:
        return None  # where the encoder is another one now, its successor is fitted
    waiting = live.placements.filter(behind=True, attempts__lt=settings.SEARCH_MAX_ATTEMPTS).exists()
    if waiting and embedded < _LONG_IMPORT * settings.SEARCH_FIT_AT:
        return None
    logger.info("%d images are embedded: fitting the next generation.", embedded)
    return build(
        encoder=_name_of(live),
        index=live.index_settings,
        promote_when_ready=True,
        note="Fitted by itself when there were images enough.",
    )


def finish_building() -> list[Generation]:
    """Full generations become ready, and those that were meant to are promoted."""
    finished = []
    for generation in Generation.objects.filter(state=State.BUILDING, paused=False, preparing=False).reachable():
        place_missing(generation)
        waiting = generation.placements.filter(behind=True, attempts__lt=settings.SEARCH_MAX_ATTEMPTS)
        if not waiting.exists():
            calibrate(generation)
            Generation.objects.filter(pk=generation.pk, state=State.BUILDING).update(state=State.READY)
            finished.append(generation)
    for generation in Generation.objects.filter(state=State.READY, promote_when_ready=True).reachable():
        try:
            promote(generation)
        except (GenerationError, IndexMissing) as error:
            logger.error("%s could not take over: %s", generation, error)
            forget(generation)
    return finished


def replace_lost(generation: Generation) -> None:
    """A generation whose index was deleted by hand: the live one gets a twin that takes over, others are dropped."""
    if generation.state != State.LIVE:
        forget(generation)
    elif not _is_building(generation.engine):
        twin(generation, engine=generation.engine, note=f"Replaces generation {generation.pk}, whose index was lost.")


def drop_superseded() -> int:
    """Drop what nobody would go back to, some time after it was retired.

    That is: an unfitted generation that a fitted one of the same encoder follows, all but the newest
    ``SEARCH_KEEP_RETIRED`` of the others, and those that lie in an engine that the settings no longer reach.
    """
    oldest = timezone.now() - timedelta(hours=settings.SEARCH_KEEP_RETIRED_HOURS)
    retired = Generation.objects.filter(state=State.RETIRED).order_by("-retired_at")
    followed = set(Generation.objects.kept().filter(sample_size__gt=0).values_list("encoder", flat=True))
    superseded = [one for one in retired if not one.sample_size and one.encoder in followed]
    superseded += [one for one in retired if one not in superseded][settings.SEARCH_KEEP_RETIRED :]
    superseded += [one for one in retired if one.engine not in reachable_names() and one not in superseded]
    due = [one for one in superseded if one.retired_at and one.retired_at < oldest]
    for generation in due:
        if generation.engine in reachable_names():
            drop(generation)
        else:
            logger.warning("%s lies in an engine that is not used any more; delete its index there.", generation)
            forget(generation)
    return len(due)


def drop_leftovers() -> int:
    """Delete indices of dropped generations that are still there: the process was killed before it came to that."""
    dropped = Generation.objects.filter(state=State.DROPPED, engine__in=reachable_names())
    left = [one for one in dropped if get_engine(one.engine).exists(one.pk)]
    for generation in left:
        get_engine(generation.engine).drop(generation.pk)
    return len(left)


def _is_building(engine: str) -> bool:
    building = Generation.objects.filter(state__in=[State.BUILDING, State.READY], engine=engine)
    return building.filter(promote_when_ready=True).exists()
