"""``manage.py index run|status|build|promote|drop|reconcile|retry``: the search index from the command line."""

import json
import os
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from search import generations
from search.engines.base import EngineError, IndexMissing
from search.indexing.claims import retry
from search.indexing.coverage import Coverage, coverage
from search.indexing.loop import IndexLoop
from search.indexing.reconcile import reconcile
from search.models import Generation


class Command(BaseCommand):
    help = "Run and inspect the search index."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        run = verbs.add_parser("run", help="fill and keep the index until stopped")
        run.add_argument("--until-idle", action="store_true", help="end when nothing is left to do")
        status = verbs.add_parser("status", help="what is indexed, waiting and failed, and why")
        status.add_argument("--json", action="store_true")
        build = verbs.add_parser("build", help="fit a projection and start a new generation beside the live one")
        build.add_argument("--promote", action="store_true", help="let it take over by itself when it is full")
        for verb, text in (("promote", "let a ready generation answer"), ("drop", "delete a generation's index")):
            verbs.add_parser(verb, help=text).add_argument("generation", type=int)
        compare = verbs.add_parser("reconcile", help="compare the engine with the database and repair")
        compare.add_argument("--check", action="store_true", help="only report; exit status 1 on differences")
        compare.add_argument("--json", action="store_true")
        again = verbs.add_parser("retry", help="try failed images again now")
        again.add_argument("keys", nargs="*", type=UUID, metavar="image-id", help="only these; all without")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        verbs: dict[str, Callable[..., None]] = {
            "run": self.run,
            "status": self.status,
            "build": self.build,
            "promote": self.promote,
            "drop": self.drop,
            "reconcile": self.reconcile,
            "retry": self.retry,
        }
        try:
            verbs[verb](**options)
        except (EngineError, generations.GenerationError) as error:
            raise CommandError(str(error)) from error

    def run(self, until_idle: bool, **options: Any) -> None:
        loop = IndexLoop()
        if until_idle:
            self.stdout.write(f"{loop.run_until_idle()} placements worked on; nothing is left to do.")
            return
        loop.stop_on_signals()
        os.nice(10)  # people who search come before the filling of the index
        loop.run()

    def status(self, **options: Any) -> None:
        accounts = [coverage(generation) for generation in Generation.objects.kept()]
        if options["json"]:
            self._write_json([account.as_json() for account in accounts])
            return
        if not accounts:
            self.stdout.write("There is no index yet. Start the loop: manage.py index run")
        for account in accounts:
            self._write_account(account)

    def _write_account(self, account: Coverage) -> None:
        self.stdout.write(
            f"Generation {account.generation} ({account.state}): {account.encoder}, {account.dimension} numbers, "
            f"{account.engine}"
        )
        self.stdout.write(
            f"  {account.images} images: {account.indexed} indexed, {account.waiting} waiting "
            f"({account.stale} of them in an older version), {account.failed} failed; "
            f"{account.deletions_waiting} deletions waiting"
        )
        if account.oldest_waiting:
            self.stdout.write(f"  oldest change that waits: {account.oldest_waiting:%Y-%m-%d %H:%M:%S}")
        for reason, images in account.reasons.items():
            self.stdout.write(f"  {images} x {reason}")
        self.stdout.write(f"  engine: {account.engine_detail}")

    def build(self, promote: bool, **options: Any) -> None:
        generation = generations.build(promote_when_ready=promote)
        self.stdout.write(f"Generation {generation.pk} is being built; manage.py index status shows how far it is.")

    def promote(self, generation: int, **options: Any) -> None:
        generations.promote(self._generation(generation))
        self.stdout.write(f"Generation {generation} is live.")

    def drop(self, generation: int, **options: Any) -> None:
        generations.drop(self._generation(generation))
        self.stdout.write(f"Generation {generation} is dropped.")

    def reconcile(self, check: bool, **options: Any) -> None:
        found = {}
        lost = []
        for generation in Generation.objects.kept().reachable():
            try:
                found[generation] = reconcile(generation, repair=not check)
            except IndexMissing as error:
                lost.append(generation)
                self.stderr.write(f"{generation}: {error}")
                if not check:
                    generations.replace_lost(generation)
        if options["json"]:
            self._write_json(
                [
                    {"generation": generation.pk, "differences": differences.total}
                    | {name: [str(key) for key in keys] for name, keys in vars(differences).items()}
                    for generation, differences in found.items()
                ]
            )
        else:
            for generation, differences in found.items():
                self.stdout.write(f"{generation}: {differences.total} differences ({differences})")
        if check and (lost or any(differences.total for differences in found.values())):
            raise CommandError("The index and the database differ. Repair it: manage.py index reconcile", returncode=1)

    def retry(self, keys: list[UUID], **options: Any) -> None:
        kept = list(Generation.objects.kept().values_list("pk", flat=True))
        self.stdout.write(f"{retry(kept, keys or None)} placements will be tried again now.")

    def _generation(self, number: int) -> Generation:
        generation = Generation.objects.filter(pk=number).first()
        if generation is None:
            raise CommandError(f"There is no generation {number}. See: manage.py index status")
        return generation

    def _write_json(self, value: object) -> None:
        self.stdout.write(json.dumps(value, indent=2, default=str))
