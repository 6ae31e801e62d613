"""``manage.py index …``: the search index and its generations from the command line."""

import json
import os
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from gallery.models import Image
from search import generations
from search.encoders import EncoderError
from search.engines.base import EngineError, IndexMissing
from search.engines.index_settings import TYPES, BadIndexSettings, IndexSettings
from search.indexing.claims import retry
from search.indexing.coverage import Coverage, coverage
from search.indexing.loop import IndexLoop
from search.indexing.reconcile import reconcile
from search.models import Generation, PictureVocabulary
from search.recall import measure as measure_recall
from search.text_to_picture.making import make as make_vocabulary


class Command(BaseCommand):
    help = "Run and inspect the search index."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        run = verbs.add_parser("run", help="fill and keep the index until stopped")
        run.add_argument("--until-idle", action="store_true", help="end when nothing is left to do")
        status = verbs.add_parser("status", help="what is indexed, waiting and failed, and why")
        status.add_argument("--json", action="store_true")
        build = verbs.add_parser("build", help="start a new generation beside the live one")
        build.add_argument("--encoder", help="a name of SEARCH_ENCODERS; SEARCH_ENCODER if not given")
        build.add_argument("--type", choices=TYPES, help="how its index is laid out (docs/engines.md)")
        build.add_argument("--m", type=int, help="neighbours of a vector in the HNSW graph")
        build.add_argument("--ef-construction", type=int, help="candidates for them while the graph is built")
        build.add_argument("--candidates", type=int, help="at least so many are looked at for a query")
        build.add_argument("--oversample", type=float, help="so many times the window are scored again, exactly")
        build.add_argument("--promote", action="store_true", help="let it take over by itself when it is full")
        build.add_argument("--plan", action="store_true", help="only say what it would take")
        build.add_argument("--json", action="store_true")
        for verb, text in (
            ("promote", "let a ready or retired generation answer"),
            ("pause", "leave a generation that is being built as it is for now"),
            ("resume", "go on building it"),
            ("cancel", "give up building a generation"),
            ("drop", "delete a generation's index"),
        ):
            verbs.add_parser(verb, help=text).add_argument("generation", type=int)
        verbs.add_parser("rollback", help="go back to the generation that was live before")
        compare = verbs.add_parser("reconcile", help="compare the engine with the database and repair")
        compare.add_argument("--check", action="store_true", help="only report; exit status 1 on differences")
        compare.add_argument("--json", action="store_true")
        nearest = verbs.add_parser("recall", help="how many of the truly nearest the index finds, and how fast")
        nearest.add_argument("generation", type=int, nargs="?", help="its number; the live one if not given")
        nearest.add_argument("--queries", type=int, default=100, help="photos of the catalogue that ask (100)")
        nearest.add_argument("--k", type=int, default=10, help="neighbours that are compared (10)")
        nearest.add_argument("--candidates", type=int, help="ask for at least so many, to try another setting")
        nearest.add_argument("--json", action="store_true")
        verbs.add_parser("words", help="learn what words look like in the live generation, now")
        again = verbs.add_parser("retry", help="try failed images again now")
        again.add_argument("keys", nargs="*", type=UUID, metavar="image-id", help="only these; all without")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        work: Callable[..., None] = getattr(self, verb)
        try:
            work(**options)
        except (EngineError, EncoderError, generations.GenerationError) as error:
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
        if missing := Image.objects.without_original().count():
            self.stdout.write(f"{missing} originals are missing from storage. See: manage.py storage check")

    def _write_account(self, account: Coverage) -> None:
        self.stdout.write(
            f"Generation {account.generation} ({account.state}{', paused' if account.paused else ''}): "
            f"{account.encoder}, {account.dimension} numbers, {account.engine}"
        )
        self.stdout.write(
            f"  {account.images} images: {account.indexed} indexed, {account.waiting} waiting "
            f"({account.stale} of them in an older version), {account.failed} failed; "
            f"{account.deletions_waiting} deletions waiting"
        )
        if account.oldest_waiting:
            self.stdout.write(f"  oldest change that waits: {account.oldest_waiting:%Y-%m-%d %H:%M:%S}")
        if account.state == Generation.State.BUILDING:
            left = "" if account.seconds_left is None else f", about {_duration(account.seconds_left)} left"
            self.stdout.write(f"  {account.percent} % built, {account.to_embed} files to embed{left}")
        if account.orphans:
            self.stdout.write(f"  {account.orphans} documents without an image; repair: manage.py index reconcile")
        for reason, images in account.reasons.items():
            self.stdout.write(f"  {images} x {reason}")
        for kind, shares in account.similarity.items():
            said = ", ".join(f"{100 * share:.1f} % {band.replace('-', ' ')}" for band, share in shares.items())
            self.stdout.write(f"  similarity of pairs, {kind}: {said} or nearer")
        if account.learns_outside is False:
            self.stdout.write("  photos unlike the catalogue are not learnt from: turned off, or its vectors are long")
        self.stdout.write(f"  engine: {account.engine_detail}")

    def build(self, encoder: str | None, promote: bool, **options: Any) -> None:
        plan = generations.plan(encoder)
        if options["plan"]:
            if options["json"]:
                self._write_json(asdict(plan))
            else:
                self.stdout.write(_in_words(plan))
            return
        generation = generations.build(encoder=encoder, index=_settings_of(options), promote_when_ready=promote)
        if options["json"]:
            self._write_json({"generation": generation.pk} | asdict(plan))
            return
        self.stdout.write(_in_words(plan))
        self.stdout.write(f"Generation {generation.pk} is being built; manage.py index status shows how far it is.")

    def promote(self, generation: int, **options: Any) -> None:
        generations.promote(self._generation(generation))
        self.stdout.write(f"Generation {generation} is live.")

    def rollback(self, **options: Any) -> None:
        generation = generations.rollback()
        self.stdout.write(f"Generation {generation.pk} is live again.")

    def pause(self, generation: int, **options: Any) -> None:
        generations.pause(self._generation(generation))
        self.stdout.write(f"Generation {generation} waits. Go on: manage.py index resume {generation}")

    def resume(self, generation: int, **options: Any) -> None:
        generations.resume(self._generation(generation))
        self.stdout.write(f"Generation {generation} is being built.")

    def cancel(self, generation: int, **options: Any) -> None:
        generations.cancel(self._generation(generation))
        self.stdout.write(f"Building generation {generation} is given up; its embeddings are kept.")

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

    def recall(self, generation: int | None, queries: int, k: int, candidates: int | None, **options: Any) -> None:
        chosen = Generation.objects.live() if generation is None else self._generation(generation)
        if chosen is None:
            raise CommandError("There is no index yet. Start the loop: manage.py index run")
        if min(queries, k) < 1:
            raise CommandError("--queries and --k are 1 or more.")
        try:
            measured = measure_recall(chosen, queries=queries, k=k, candidates=candidates)
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self._write_json({way: figures.as_json() for way, figures in measured.items()})
            return
        self.stdout.write(f"{chosen}, {chosen.index_settings}: {next(iter(measured.values())).images} images")
        for way, figures in measured.items():
            self.stdout.write(
                f"  {way:16} recall@{k} {figures.recall:.3f} (worst {figures.worst:.2f})   "
                f"{figures.milliseconds / figures.exact_milliseconds:.2f} times the exact search by NumPy "
                f"(n={figures.queries})"
            )

    def words(self, **options: Any) -> None:
        live = Generation.objects.live()
        if live is None:
            raise CommandError("There is no index yet. Start the loop: manage.py index run")
        try:
            made = make_vocabulary(live)
        except LookupError as error:
            raise CommandError(str(error)) from error
        if not made:
            raise CommandError("Words are searched as text alone: TEXT_ENCODER is empty, or its package not installed.")
        live.refresh_from_db()
        vocabulary = PictureVocabulary.of(live)
        entries = vocabulary.entries if vocabulary else ()
        own = sum(entry.is_label for entry in entries)
        self.stdout.write(f"{len(entries)} names have a look, {own} of them the catalogue's own.")

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


def _settings_of(options: dict[str, Any]) -> IndexSettings | None:
    """The index settings that were given, on top of ``SEARCH_INDEX_OPTIONS`` unless they are of another type."""
    given = {
        name: options[name]
        for name in ("type", "m", "ef_construction", "candidates", "oversample")
        if options[name] is not None
    }
    if not given:
        return None
    default = settings.SEARCH_INDEX_OPTIONS
    same_type = given.get("type", default.get("type")) == default.get("type")
    try:
        return IndexSettings.parse({**(default if same_type else {}), **given})
    except BadIndexSettings as error:
        raise CommandError(str(error)) from error


def _in_words(plan: generations.BuildPlan) -> str:
    time = "" if plan.seconds is None else f", about {_duration(plan.seconds)}"
    return f"{plan.encoder}: {plan.images} images, {plan.to_embed} files to embed{time}."


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
