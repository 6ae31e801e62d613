"""``manage.py quality [--generation N] [--task NAME …] [--json]``: how good a generation ranks the shop's products."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search.encoders.slot import EncoderBusy
from search.engines.base import EngineError
from search.models import Generation, QualityRun
from search.quality.ranking import SECONDS
from search.quality.runs import CONTENT, DEFAULT, measure
from search.quality.sentences import MEASURES, TASKS, no_better_than_chance, why_not


class Command(BaseCommand):
    help = "Measure a generation on the catalogue itself. The run is stored; the page Search quality shows it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--generation", type=int, help="its number; the live one if not given")
        parser.add_argument("--task", action="append", choices=list(TASKS), help="only this one; may be repeated")
        parser.add_argument("--seed", type=int, default=0, help="of the sample of queries (default: 0)")
        parser.add_argument(
            "--seconds", type=float, default=SECONDS, help="that each task may ask (default: %(default)s)"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        generation = self._generation(options["generation"])
        if options["seconds"] <= 0:
            raise CommandError("--seconds is a number above 0.")
        if not 0 <= options["seed"] < 2**31:
            raise CommandError("--seed is a whole number from 0 to 2147483647.")
        tasks = options["task"] or list(TASKS)
        try:
            run = measure(generation, tasks, seed=options["seed"], seconds=options["seconds"])
        except (EngineError, EncoderBusy) as error:
            raise CommandError(str(error)) from error
        reasons = {task: figures["why_not"] for task, figures in run.figures.items() if "why_not" in figures}
        if len(reasons) == len(run.figures):
            raise CommandError("\n".join(f"{TASKS[task]}: {why_not(reason)}" for task, reason in reasons.items()))
        generation.refresh_from_db(fields=["quality"])
        if options["json"]:
            self.stdout.write(json.dumps(self._as_json(generation, run), indent=2))
        else:
            self._tell(generation, run)

    def _as_json(self, generation: Generation, run: QualityRun) -> dict[str, Any]:
        """The two ways of weighing by their names, as ever; beside them everything else."""
        return self._of_categories(generation, run) | {
            "generation": generation.pk,
            "run": run.pk,
            "seed": run.seed,
            "seconds": run.seconds,
            "tasks": run.figures,
            "groups": run.groups,
        }

    def _of_categories(self, generation: Generation, run: QualityRun) -> dict[str, Any]:
        if "why_not" in run.figures.get("category", {"why_not": None}):
            return {}
        kept = generation.quality or {}
        return {name: kept[name] for name in (CONTENT, DEFAULT) if name in kept}

    def _tell(self, generation: Generation, run: QualityRun) -> None:
        by_weights = self._of_categories(generation, run)
        for name, figures in by_weights.items():
            if name == CONTENT:
                self.stdout.write(
                    f"{generation}: {figures['queries']} queries, {figures['images']} images, "
                    f"{figures['categories']} categories"
                )
            self.stdout.write(
                f"  {name:16} P@10 {figures['precision_at_10']:.3f}   "
                f"first row right {figures['first_row_right']:.3f}   "
                f"none of the first four right {figures['first_row_none']:.3f}"
            )
        for task, stored in run.figures.items():
            self._tell_task(task, stored)

    def _tell_task(self, task: str, stored: dict[str, Any]) -> None:
        if "why_not" in stored:
            self.stdout.write(f"{TASKS[task]}: {why_not(stored['why_not'])}")
            return
        self.stdout.write(f"{TASKS[task]}, {stored['queries']} queries, between what it lies with 95 % certainty:")
        for name, measure_ in MEASURES[task].items():
            if figure := stored["figures"].get(name):
                self.stdout.write(
                    f"  {figure['mean']:.3f}  {figure['low']:.3f} to {figure['high']:.3f}  {measure_.label}"
                )
        if task == "category" and no_better_than_chance(stored["figures"], stored["facts"]):
            self.stdout.write(
                f"  At random {stored['facts']['chance']:.3f} would be right: these categories say nothing of looks."
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
