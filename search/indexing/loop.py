"""``manage.py index run``: the loop that fills and keeps every generation, and the schedule that runs beside it."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import OperationalError, close_old_connections

from gallery.sweep import sweep_files
from search import generations
from search.engines.base import EngineError, EngineUnavailable, IndexMissing
from search.indexing.cards import CardRenditions
from search.indexing.claims import claim
from search.indexing.reconcile import mark_missed, reconcile
from search.indexing.writing import write_claim
from search.models import Generation
from search.photos import delete_expired

logger = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
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
    for generation in Generation.objects.kept().reachable():
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
        self.schedule = [
            Scheduled(30, mark_missed),
            Scheduled(30, self._calibrate_live),
            Scheduled(300, delete_expired),
            Scheduled(600, generations.drop_superseded),
            Scheduled(settings.SEARCH_RECONCILE_SECONDS, self._reconcile_safely),
            Scheduled(6 * 3600, sweep_files),
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
            except OperationalError as error:
                # A database that restarts must not end the loop; every step is its own transaction.
                logger.warning("The database did not answer: %s", error)
                close_old_connections()
                worked = False
            self.cards.seen(worked)
            if not worked and not self.cards.make_some():
                self.stopping.wait(IDLE_SECONDS)

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
            generations.ensure_first()
            claimed = sum(self._one_batch(generation, patient) for generation in self._reachable())
            started = [generations.follow_the_engine(), generations.fit_the_next()]
            finished = generations.finish_building()
        except EngineUnavailable as error:
            if not patient:
                raise
            logger.warning("The search engine cannot be reached: %s", error)
            return 0
        return claimed + len(finished) + sum(generation is not None for generation in started)

    def _reconcile_safely(self) -> None:
        try:
            reconcile_all()
        except EngineUnavailable as error:  # while a lost index was being replaced
            logger.warning("The search engine cannot be reached: %s", error)

    def _reachable(self) -> list[Generation]:
        kept = Generation.objects.kept().reachable().defer("projection_data", "scale_data")
        now = time.monotonic()
        return [g for g in kept if g.pk not in self.backoff or self.backoff[g.pk].until <= now]

    def _one_batch(self, generation: Generation, patient: bool) -> int:
        batch = claim(generation, settings.SEARCH_BATCH)
        if batch is None:
            return 0
        try:
            write_claim(generation, batch)
        except IndexMissing as error:
            logger.error("%s has lost its index: %s", generation, error)
            generations.replace_lost(generation)
        except EngineUnavailable as error:
            if not patient:
                raise
            wait = self.backoff.setdefault(generation.pk, Backoff()).failed()
            logger.warning("%s waits %d s: %s", generation, wait, error)
            return 0
        except (EngineError, LookupError) as error:
            logger.error("%s cannot be kept up to date: %s", generation, error)
        else:
            self.backoff.pop(generation.pk, None)
        return len(batch.placements)

    def _calibrate_live(self) -> None:
        live = Generation.objects.live()
        if live is not None:
            generations.calibrate(live)
