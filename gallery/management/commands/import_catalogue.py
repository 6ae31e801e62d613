"""``manage.py import_catalogue SOURCE``: a folder, a CSV with files beside it, a ZIP, documents or a feed."""

import re
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from gallery.importing import Importer, SourceError, open_source


class Command(BaseCommand):
    help = "Import a catalogue: a folder (subfolders are categories), a CSV with files, a ZIP, NDJSON or a feed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path)
        parser.add_argument("--currency", default="", help="of prices whose row names none (default: the shop's)")
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
        parser.add_argument("--no-progress", action="store_true", help="show no progress bar")

    def handle(self, *args: Any, source: Path, currency: str, dry_run: bool, no_progress: bool, **options: Any) -> None:
        if currency and not re.fullmatch("[A-Z]{3}", currency):
            raise CommandError(_("--currency takes three capital letters, like EUR."))
        try:
            with open_source(source) as opened:
                hide = no_progress or not sys.stderr.isatty()
                with tqdm(total=len(opened.rows), unit="photo", disable=hide, file=sys.stderr) as bar:
                    summary = Importer(opened, currency=currency, dry_run=dry_run, report=self._report).run(bar.update)
        except SourceError as error:
            raise CommandError(str(error)) from error
        for warning in summary.warnings:
            self.stderr.write(warning)
        if dry_run:
            self.stdout.write(_("Dry run: nothing was changed."))
        self.stdout.write(str(summary))
        if summary.failures:
            sys.exit(1)

    def _report(self, text: str) -> None:
        with tqdm.external_write_mode(sys.stderr):  # not through the bar
            self.stderr.write(text)
