"""What the page says of one generation, whatever state its engine is in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from search.encoders import encoder_for
from search.engines import configured_name, get_engine, reachable_names
from search.engines.base import EngineError
from search.indexing.coverage import Coverage, coverage
from search.models import Generation, Placement
from search.views.index.words import age, duration

State = Generation.State
LONG_WAIT = timedelta(minutes=5)
_ORDER = (State.BUILDING, State.READY, State.RETIRED)


@dataclass(frozen=True)
class Section:
    """One generation's account in words. ``coverage`` counts what the database knows, even while an engine is down."""

    generation: Generation
    coverage: Coverage
    trouble: str = ""  # why its engine cannot be asked
    remedy: str = ""
    encoder_trouble: str = ""  # why new photos cannot be taken in

    @property
    def state_label(self) -> str:
        generation = self.generation
        if generation.state == State.BUILDING and generation.paused:
            return _("Paused")
        return {
            State.BUILDING: _("Being built"),
            State.READY: _("Ready"),
            State.LIVE: _("Live"),
            State.RETIRED: _("Retired"),
            State.DROPPED: _("Dropped"),
        }[State(generation.state)]

    @property
    def engine_label(self) -> str:
        return {"embedded": _("Embedded"), "elasticsearch": "Elasticsearch"}[self.generation.engine]

    @property
    def is_moving(self) -> bool:
        """Whether its figures change by themselves, so that a page should ask for them again."""
        account, generation = self.coverage, self.generation
        if generation.state == State.BUILDING:
            return not generation.paused
        return bool(account.waiting or account.deletions_waiting or generation.reconcile_requested)

    @property
    def steps(self) -> int:
        """What building takes: files to embed, then documents to write."""
        return self.generation.to_embed + self.coverage.images

    @property
    def steps_done(self) -> int:
        return max(0, self.generation.to_embed - self.coverage.to_embed) + self.coverage.indexed

    @property
    def time_left(self) -> str:
        return "" if self.coverage.seconds_left is None else duration(self.coverage.seconds_left)

    @property
    def oldest_waiting(self) -> str:
        return age(self.coverage.oldest_waiting)

    @property
    def reconciled(self) -> str:
        return age(self.generation.reconciled_at)

    @property
    def retired(self) -> str:
        return age(self.generation.retired_at) if self.generation.state == State.RETIRED else ""

    @property
    def can_be_asked(self) -> bool:
        """Whether it could answer a search: enough for a comparison."""
        return not self.generation.preparing and not self.trouble

    @cached_property
    def seems_unattended(self) -> bool:
        """Whether work has waited for long and no indexing loop has taken it up."""
        oldest = self.coverage.oldest_waiting
        if oldest is None or self.generation.paused or self.trouble:
            return False
        if max(oldest, self.generation.created_at) > timezone.now() - LONG_WAIT:  # a new one waits for old photos
            return False
        untouched = self.generation.placements.filter(behind=True, reason="")
        return untouched.exists() and not Placement.objects.filter(claimed_until__gt=timezone.now()).exists()

    @property
    def differences(self) -> int | None:
        """How many documents did not agree with the database when they were last compared."""
        found = self.generation.differences
        return None if found is None else sum(found.values())


def section_of(generation: Generation) -> Section:
    account = coverage(generation)
    trouble, remedy = _trouble(generation, account)
    try:
        encoder_for(generation.encoder)
        gone = ""
    except LookupError as error:
        gone = str(error)
    return Section(generation, account, trouble, remedy, gone)


def in_order(generations: Iterable[Generation]) -> list[Generation]:
    """What is being built first, then what is ready, then those that were live before, the last one first."""
    return sorted(
        generations,
        key=lambda one: (_ORDER.index(State(one.state)), -(one.retired_at or one.created_at).timestamp()),
    )


def _trouble(generation: Generation, account: Coverage) -> tuple[str, str]:
    """What is wrong with the generation's engine, and what to do about it; both empty where nothing is."""
    if generation.engine not in reachable_names():
        return (
            _("It lies in another engine than %(engine)s, which SEARCH_URL names now.") % {"engine": configured_name()},
            _("To go back to it, set SEARCH_URL to its engine. Otherwise leave it: it is given up after a while."),
        )
    if account.engine_ok:
        return "", ""
    try:
        lost = not get_engine(generation.engine).exists(generation.pk)
    except EngineError:
        lost = False
    if not lost:
        remedy = _("Start the engine again, or correct SEARCH_URL. Nothing is lost: changes wait until it answers.")
    elif generation.state == State.LIVE:
        remedy = _("The indexing loop builds a replacement by itself, which takes over when it is full.")
    else:
        remedy = _("The indexing loop gives it up by itself. Build another one.")
    return account.engine_detail, remedy
