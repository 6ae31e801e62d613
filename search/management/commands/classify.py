"""``manage.py classify [--json]``: train the classifiers of the live generation and say how right each is."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search.classification.samples import TooFewLabels
from search.classification.training import train
from search.classification.words import too_few
from search.models import Generation


class Command(BaseCommand):
    help = "Train the classifiers on the catalogue's own categories, and measure them on products that are held out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        generation = Generation.objects.live()
        if generation is None:
            raise CommandError("There is no index yet. Start the loop: manage.py index run")
        try:
            trained = train(generation)
        except TooFewLabels as error:
            raise CommandError(too_few(error)) from error
        if options["json"]:
            figures = {one.kind: one.figures | {"doubts": one.doubts.count()} for one in trained}
            self.stdout.write(json.dumps(figures, indent=2))
            return
        first = trained[0].figures
        self.stdout.write(
            f"{generation}: {first['n']} photos of {first['products']} products in {first['categories']} categories, "
            f"held out in {first['folds']} folds"
        )
        for one in trained:
            figures = one.figures
            self.stdout.write(
                f"  {one.kind:10} first right {figures['top1']:.3f}   right among three {figures['top3']:.3f}   "
                f"macro-F1 {figures['macro_f1']:.3f}   calibration error {figures['calibration_error']:.3f}   "
                f"doubted {one.doubts.count()}"
            )
