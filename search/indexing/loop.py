"""``manage.py index run``: the loop that fills and keeps every generation, and the schedule that runs beside it."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import OperationalError, close_old_connections

from gallery.checking import look_for_originals
from gallery.jobs import revive_silent
from gallery.models import CatalogueImport, Collection, Job, Rendition
from gallery.sweep import sweep_files
from search import generations
from search.duplicates.scanning import look_at_new
from search.encoders import EncoderError
from search.engines.base import EngineError, EngineUnavailable, IndexMissing
from search.indexing.cards import CardRenditions
from search.indexing.reconcile import mark_missed, reconcile
from search.indexing.writing import write_batch
from search.models import Generation
from search.outside.learning import learn
from search.photos import delete_expired
from search.safety.upkeep import LooksAhead, purge_taken_down
from search.text_to_picture.upkeep import VocabularyUpkeep

logger = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
TROUBLED_SECONDS = 30  # before another try to begin a generation that could not be begun
COMPARED_SECONDS = 5  # between two looks for new photos to compare
ENGINE_DOWN_SECONDS = (1, 2, 5, 10, 15)


@dataclass
class Backoff:
    """How long a generation is left alone while its engine cannot be reached."""

    failures: int = 0
    until: float = 0.0

    def failed(self) -> float:
        wait = ENGINE_DOWN_SECONDS[min(self.failures, len(ENGINE_DOWN_SECONDS) - 1)]
        self.failures += 1
        self.until = time.monotonic() + wait
        return wait


@dataclass
class Scheduled:
    """Something that is done every so many seconds, first after one interval."""

    seconds: float
    action: Callable[[], object]
    due: float = field(init=False)

    def __post_init__(self) -> None:
        self.due = time.monotonic() + self.seconds

    def run_if_due(self) -> None:
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + self.seconds
            self.action()


def reconcile_all() -> None:
    """Reconcile every generation that is kept; an engine that is down is left for the next time."""
    _reconcile(Generation.objects.kept().reachable())


def reconcile_requested() -> None:
    """The same for those that somebody asked for."""
    _reconcile(Generation.objects.kept().reachable().filter(reconcile_requested=True))


def _reconcile(chosen: Iterable[Generation]) -> None:
    for generation in chosen:
        try:
            differences = reconcile(generation)
        except IndexMissing as error:
            logger.error("%s has lost its index: %s", generation, error)
            generations.replace_lost(generation)
            continue
        except EngineError as error:
            logger.warning("%s was not reconciled: %s", generation, error)
            continue
        if differences.total:
            logger.warning("Reconciled %s: %s", generation, differences)


class IndexLoop:
    """Claims, embeds and writes until it is told to stop. Several may run: leases keep them apart."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.backoff: dict[int, Backoff] = {}
        self.cards = CardRenditions()
        self.looks = LooksAhead()
        self.vocabulary = VocabularyUpkeep()
        self.troubled_until = 0.0
        self.compared_until = 0.0
        self.schedule = [
            Scheduled(2, self._reconcile_requested),
            Scheduled(30, mark_missed),
            Scheduled(30, self._calibrate_live),
            Scheduled(300, delete_expired),
            Scheduled(300, learn),
            Scheduled(600, self._drop_safely),
            Scheduled(settings.SEARCH_RECONCILE_SECONDS, self._reconcile_safely),
            Scheduled(15, revive_silent),
            Scheduled(3600, Collection.objects.purge),
            Scheduled(6 * 3600, Job.objects.purge),
            Scheduled(6 * 3600, CatalogueImport.objects.purge),
            Scheduled(6 * 3600, sweep_files),
            Scheduled(3600, purge_taken_down),
            Scheduled(6 * 3600, Rendition.objects.purge),
            Scheduled(24 * 3600, look_for_originals),
        ]

    def stop_on_signals(self) -> None:
        """Finish the batch in hand on SIGTERM and SIGINT, then return."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())

    def run(self) -> None:
        """Work until stopped. What happened to the engine while no loop ran is found first."""
        mark_missed()
        self._reconcile_safely()
        while not self.stopping.is_set():
            try:
                worked = self.step()
                for scheduled in self.schedule:
                    scheduled.run_if_due()
                self.cards.seen(worked)
                self.looks.seen(worked)
                is_idle = not worked and not self._use_spare_time()
            except OperationalError as error:
                # A database that restarts must not end the loop; every step is its own transaction.
                logger.warning("The database did not answer: %s", error)
                close_old_connections()
                is_idle = True
            if is_idle:
                self.stopping.wait(IDLE_SECONDS)

    def _use_spare_time(self) -> bool:
        """One piece of what can wait: photos of cards, what was asked about safety, duplicates of new photos, and what
        words look like."""
        return bool(
            self.cards.make_some()
            or self.looks.make_some()
            or self._look_for_duplicates()
            or self.vocabulary.make_some()
        )

    def run_until_idle(self) -> int:
        """Work until nothing is due, without the schedule. Placements that wait for a later attempt are not waited for.

        :return: how many placements were brought up to date
        :raises EngineUnavailable: instead of waiting for the engine
        """
        mark_missed()
        reconcile_all()
        written = 0
        while True:
            worked = self.step(patient=False)
            self._calibrate_live()
            if not worked:
                return written
            written += worked

    def step(self, *, patient: bool = True) -> int:
        """One batch for every kept generation, then whatever has become ready.

        :return: how much was done: placements claimed, generations started and finished; 0 when nothing is left
        """
        try:
            begun = self._look_after_generations(patient)
            return begun + sum(self._one_batch(generation, patient) for generation in self._reachable())
        except EngineUnavailable as error:
            if not patient:
                raise
            logger.warning("The search engine cannot be reached: %s", error)
            return 0

    def _reconcile_requested(self) -> None:
        self._reconcile_safely(reconcile_requested)

    def _reconcile_safely(self, reconcile: Callable[[], None] = reconcile_all) -> None:
        try:
            reconcile()
        except EngineUnavailable as error:  # while a lost index was being replaced
            logger.warning("The search engine cannot be reached: %s", error)

    def _look_for_duplicates(self) -> int:
        """Compare photos that came in lately, while there is nothing else to do."""
        if time.monotonic() < self.compared_until:
            return 0
        try:
            if looked := look_at_new():
                return looked
        except EngineError as error:
            logger.warning("New photos were not compared: %s", error)
        self.compared_until = time.monotonic() + COMPARED_SECONDS
        return 0

    def _drop_safely(self) -> None:
        try:
            generations.drop_superseded()
            generations.drop_leftovers()
        except EngineError as error:
            logger.warning("No old generation was dropped: %s", error)

    def _reachable(self) -> list[Generation]:
        kept = Generation.objects.kept().reachable().filter(paused=False).defer("projection_data", "scale_data")
        now = time.monotonic()
        return [g for g in kept if g.pk not in self.backoff or self.backoff[g.pk].until <= now]

    def _one_batch(self, generation: Generation, patient: bool) -> int:
        work = generations.prepare if generation.preparing else write_batch
        try:
            worked = work(generation, settings.SEARCH_BATCH)
        except IndexMissing as error:
            logger.error("%s has lost its index: %s", generation, error)
            generations.replace_lost(generation)
            return 1
        except EngineUnavailable as error:
            if not patient:
                raise
            wait = self.backoff.setdefault(generation.pk, Backoff()).failed()
            logger.warning("%s waits %d s: %s", generation, wait, error)
            return 0
        except EngineError as error:
            logger.error("%s cannot be kept up to date: %s", generation, error)
            return 1
        self.backoff.pop(generation.pk, None)
        return worked

    def _look_after_generations(self, patient: bool) -> int:
        """Begin what is needed without anybody's asking, and end what is full.

        :return: how many generations were begun and finished
        """
        if time.monotonic() < self.troubled_until:
            return 0
        try:
            generations.ensure_first()
            begun = [generations.follow_the_engine(), generations.follow_the_encoder(), generations.fit_the_next()]
        except (generations.GenerationError, EncoderError) as error:
            if not patient:
                raise
            self.troubled_until = time.monotonic() + TROUBLED_SECONDS
            logger.error("No generation can be begun: %s", error)
            return 0
        return sum(generation is not None for generation in begun) + len(generations.finish_building())

    def _calibrate_live(self) -> None:
        live = Generation.objects.live()
        if live is not None:
            generations.calibrate(live)
