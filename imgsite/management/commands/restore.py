"""``manage.py restore SOURCE``: an empty installation becomes the one that a backup was made of."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery.buckets import FAULTS
from imgsite.backup import places
from imgsite.backup.archive import ArchiveError
from imgsite.backup.encryption import open_archive
from imgsite.backup.restoring import RestoreError, fill_index, restore
from search.engines.base import EngineError


class Command(BaseCommand):
    help = "Restore a backup into an empty installation. Nothing is changed unless all of it can be restored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="a path, or s3://bucket/name.zip")
        parser.add_argument("--no-index", action="store_true", help="leave filling the index to the indexing loop")

    def handle(self, *args: Any, source: str, no_index: bool, **options: Any) -> None:
        try:
            place = places.place(source)
            with place.reading() as stream:
                restored = restore(open_archive(stream, str(place)), self.stdout.write)
        except EngineError as error:
            raise CommandError(f"{error} Start the engine, or set SEARCH_URL=embedded: for now.") from error
        except (places.PlaceError, ArchiveError, RestoreError, OSError, *FAULTS) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored {restored.rows} rows and {restored.files} files.")
        for note in restored.notes:
            self.stdout.write(note)
        if restored.generation and not no_index:
            fill_index(restored.generation, self.stdout.write)
