"""``manage.py quality [--generation N] [--json]``: how good a generation ranks the shop's own products."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from search.engines.base import EngineError
from search.models import Generation
from search.quality import category_quality


class Command(BaseCommand):
    help = "Measure a generation on the catalogue's own categories, leave-one-out; the figures are kept with it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--generation", type=int, help="its number; the live one if not given")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        generation = self._generation(options["generation"])
        content = {name: float(name == "deep") for name in generation.projection.names}
        try:
            measured = {
                "content alone": category_quality(generation, content),
                "default weights": category_quality(generation, generation.weights),
            }
        except (EngineError, ValueError) as error:
            raise CommandError(str(error)) from error
        figures_by_name = {name: figures.as_json() for name, figures in measured.items()}
        kept = {"measured_at": timezone.now().isoformat(timespec="seconds")} | figures_by_name
        Generation.objects.filter(pk=generation.pk).update(quality=kept)
        if options["json"]:
            self.stdout.write(json.dumps(figures_by_name, indent=2))
            return
        by_default = measured["default weights"]
        self.stdout.write(
            f"{generation}: {by_default.queries} queries, {by_default.images} images, "
            f"{by_default.categories} categories"
        )
        for name, figures in measured.items():
            self.stdout.write(
                f"  {name:16} P@10 {figures.precision_at_10:.3f}   first row right {figures.first_row_right:.3f}   "
                f"none of the first four right {figures.first_row_none:.3f}"
            )

    def _generation(self, number: int | None) -> Generation:
        if number is None:
            live = Generation.objects.live()
            if live is None:
                raise CommandError("There is no index yet. Start the loop: manage.py index run")
            return live
        generation = Generation.objects.kept().filter(pk=number, preparing=False).first()
        if generation is None:
            raise CommandError(f"There is no generation {number} that could be asked. See: manage.py index status")
        return generation
