"""``manage.py export_catalogue TARGET``: what ``import_catalogue`` reads, written."""

import os
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from gallery.buckets import FAULTS
from gallery.exporting import FORMATS, Exported, export
from gallery.exporting.writing import photos_in_all


class Command(BaseCommand):
    help = "Export the catalogue: a CSV, a ZIP of it with the original photos, or documents for Elasticsearch's _bulk."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", type=Path, help="the file to write; it appears when it is complete")
        parser.add_argument("--format", choices=FORMATS, help="default: what the target's name ends in")
        parser.add_argument("--site", default="", help="ndjson: where the site is, like https://shop.example")
        parser.add_argument("--no-progress", action="store_true", help="show no progress bar")

    def handle(
        self, *args: Any, target: Path, format: str | None, site: str, no_progress: bool, **options: Any
    ) -> None:
        format = format or target.suffix.lower().lstrip(".")
        if format not in FORMATS:
            raise CommandError(
                _("Name the format: --format with one of %(formats)s.") % {"formats": ", ".join(FORMATS)}
            )
        if format == "ndjson" and not site.startswith(("https://", "http://")):
            raise CommandError(_("Say where the photos are fetched from: --site https://shop.example"))
        if not target.parent.is_dir() or target.is_dir():
            raise CommandError(_("%(path)s cannot be written. Name a file in a folder that exists.") % {"path": target})
        try:
            exported = self._write(target, format, site, no_progress or not sys.stderr.isatty())
        except (OSError, *FAULTS) as error:
            raise CommandError(_("The export was given up: %(error)s") % {"error": error}) from error
        for note in exported.notes:
            self.stderr.write(note)
        self.stdout.write(str(exported))

    def _write(self, target: Path, format: str, site: str, hide: bool) -> Exported:
        """Beside the target first: a file of that name is always whole."""
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}-", delete=False) as file:
            unfinished = Path(file.name)
            try:
                with tqdm(total=photos_in_all(), unit="photo", disable=hide, file=sys.stderr) as bar:
                    exported = export(file, format, site=site, advance=bar.update)  # type: ignore[arg-type]
                file.flush()
                unfinished.chmod(0o644 & ~_umask())
                unfinished.replace(target)
            except BaseException:
                unfinished.unlink()
                raise
        return exported


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
