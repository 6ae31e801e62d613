"""``manage.py tune [--no-promote] [--when-indexed] [--json]``: learn a projection from the catalogue's own labels, and
measure it."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from gallery.models import Image
from search.engines.base import EngineError
from search.generations import GenerationError
from search.models import Embedding, Generation, Tuning
from search.tuning import words
from search.tuning.figures import Compared, Figures
from search.tuning.labelled import TooFewToTune
from search.tuning.training import tune, unfinished_tuning

_LOOK_SECONDS = 1.0  # between two looks at what the indexing loop has done
State = Generation.State


class Command(BaseCommand):
    help = (
        "Tune the projection on the catalogue's own labels and measure it on products that are held out. If it is "
        "better, a generation is built with it, which the indexing loop fills."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-promote", action="store_true", help="leave its promotion to you")
        parser.add_argument(
            "--when-indexed",
            action="store_true",
            help="wait until the indexing loop has nothing left to do, and for what comes of it; do nothing where the "
            "catalogue was tuned before",
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["when_indexed"]:
            if Tuning.objects.exists():
                return
            _wait(_is_indexed)
        if unfinished_tuning():
            raise CommandError("It is being tuned already. See: the page /index/ of the site.")
        try:
            tuning = tune(promote=not options["no_promote"])
        except TooFewToTune as error:
            raise CommandError(words.too_few(error)) from error
        except (GenerationError, EngineError) as error:
            raise CommandError(str(error)) from error
        candidate = tuning.generations.first()
        if options["when_indexed"] and candidate and candidate.promote_when_ready:
            _wait(
                lambda: not Generation.objects.filter(pk=candidate.pk, state__in=[State.BUILDING, State.READY]).exists()
            )
            candidate.refresh_from_db()
        if options["json"]:
            answer = {"verdict": tuning.verdict, "generation": candidate.pk if candidate else None}
            self.stdout.write(json.dumps(answer | tuning.figures, indent=2))
            return
        self._write(tuning)
        if candidate:
            self.stdout.write(words.follows(candidate))

    def _write(self, tuning: Tuning) -> None:
        figures = Figures.from_json(tuning.figures)
        kinds = ", ".join(f"{kind} ({values})" for kind, values in figures.learnt_from.items())
        self.stdout.write(f"Learnt from {figures.photos} photos: {kinds}. {figures.seconds:.0f} s.")
        weights = ", ".join(f"{name} {weight:.2f}" for name, weight in figures.weights.items())
        self.stdout.write(f"  share of the learnt axes {figures.share}; weights {weights}; {figures.epochs} steps")
        self._write_compared("products held out", figures.seen)
        if figures.unseen:
            self._write_compared("categories left out", figures.unseen)
        else:
            self.stdout.write("  There are too few categories to leave some out.")
        self.stdout.write(words.verdict(tuning))

    def _write_compared(self, what: str, compared: Compared) -> None:
        self.stdout.write(f"  {what}: {compared.photos} photos of {compared.products} products")
        for name, side in (("untuned", compared.untuned), ("tuned", compared.tuned)):
            self.stdout.write(
                f"    {name:8} P@10 {side.precision_at_10:.3f}   first row right {side.first_row_right:.3f}   "
                f"none of the first four right {side.first_row_none:.3f}"
            )
        self.stdout.write(
            f"    gain {compared.gain:+.3f}, with 95 % confidence {compared.low:+.3f} to {compared.high:+.3f}"
        )


def _wait(is_so: Callable[[], bool]) -> None:
    while not is_so():
        time.sleep(_LOOK_SECONDS)


def _is_indexed() -> bool:
    """Whether every photo is in the live generation, and none is being built that would take over from a tuned one."""
    live = Generation.objects.live()
    if live is None or not Image.objects.exists():
        return False
    waiting = live.placements.filter(behind=True, attempts__lt=settings.SEARCH_MAX_ATTEMPTS)
    follows = Generation.objects.filter(state__in=[State.BUILDING, State.READY], promote_when_ready=True)
    embedded = Embedding.objects.filter(encoder=live.encoder).count()
    to_be_fitted = not live.sample_size and embedded >= settings.SEARCH_FIT_AT
    return not (waiting.exists() or follows.exists() or to_be_fitted)
