"""``manage.py quality [--json]``: how good the live generation ranks the shop's own products."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search.models import Generation
from search.quality import category_quality


class Command(BaseCommand):
    help = "Measure the live generation on the catalogue's own categories, leave-one-out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        live = Generation.objects.live()
        if live is None:
            raise CommandError("There is no index yet. Start the loop: manage.py index run")
        content = {name: float(name == "deep") for name in live.projection.names}
        try:
            measured = {
                "content alone": category_quality(live, content),
                "default weights": category_quality(live, live.weights),
            }
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps({name: figures.as_json() for name, figures in measured.items()}, indent=2))
            return
        by_default = measured["default weights"]
        self.stdout.write(
            f"{live}: {by_default.queries} queries, {by_default.images} images, {by_default.categories} categories"
        )
        for name, figures in measured.items():
            self.stdout.write(
                f"  {name:16} P@10 {figures.precision_at_10:.3f}   first row right {figures.first_row_right:.3f}   "
                f"none of the first four right {figures.first_row_none:.3f}"
            )
