"""``manage.py import_catalogue SOURCE``: a folder, a CSV with files beside it, or a ZIP of either."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from gallery.importing import Importer, SourceError, open_source


class Command(BaseCommand):
    help = "Import a catalogue: a folder (subfolders are categories), a CSV with files beside it, or a ZIP of either."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
        parser.add_argument("--no-progress", action="store_true", help="show no progress bar")

    def handle(self, *args: Any, source: Path, dry_run: bool, no_progress: bool, **options: Any) -> None:
        try:
            with open_source(source) as opened:
                hide = no_progress or not sys.stderr.isatty()
                with tqdm(total=len(opened.rows), unit="photo", disable=hide, file=sys.stderr) as bar:
                    importer = Importer(opened, dry_run=dry_run, report=lambda text: tqdm.write(text, sys.stderr))
                    summary = importer.run(advance=bar.update)
        except SourceError as error:
            raise CommandError(str(error)) from error
        for warning in summary.warnings:
            self.stderr.write(warning)
        self.stdout.write(f"{'Dry run, nothing was changed. ' if dry_run else ''}{summary}")
        if summary.failures:
            sys.exit(1)
