"""``manage.py tune [--no-promote] [--json]``: learn a projection from the catalogue's own labels, and measure it."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search.engines.base import EngineError
from search.generations import GenerationError
from search.models import Tuning
from search.tuning import words
from search.tuning.figures import Compared, Figures
from search.tuning.labelled import TooFewToTune
from search.tuning.training import tune, unfinished_tuning


class Command(BaseCommand):
    help = (
        "Tune the projection on the catalogue's own labels and measure it on products that are held out. If it is "
        "better, a generation is built with it, which the indexing loop fills."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-promote", action="store_true", help="leave its promotion to you")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if unfinished_tuning():
            raise CommandError("It is being tuned already. See: the page /index/ of the site.")
        try:
            tuning = tune(promote=not options["no_promote"])
        except TooFewToTune as error:
            raise CommandError(words.too_few(error)) from error
        except (GenerationError, EngineError) as error:
            raise CommandError(str(error)) from error
        candidate = tuning.generations.first()
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
