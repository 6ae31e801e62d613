"""``manage.py backup TARGET``: rows, files and settings in one archive, encrypted or not; ``--verify`` reads one."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery.buckets import FAULTS
from imgsite.backup import places
from imgsite.backup.archive import ArchiveError
from imgsite.backup.encryption import VARIABLE, open_archive, passphrase
from imgsite.backup.saving import BackupError, Saved, back_up


class Command(BaseCommand):
    help = "Write the database, originals and the settings that matter into one archive, or check an archive."
    requires_system_checks = []  # an archive is checked where no database can be reached

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", help="a path, or s3://bucket/name.zip")
        parser.add_argument("--verify", action="store_true", help="only read this archive and check all of it")
        parser.add_argument("--trust", action="store_true", help="do not read back what was written")
        parser.add_argument(
            "--encrypt", action="store_true", help=f"with a passphrase: that of {VARIABLE}, or asked for"
        )

    def handle(self, *args: Any, target: str, verify: bool, trust: bool, encrypt: bool, **options: Any) -> None:
        try:
            place = places.place(target)
            if verify:
                self._verify(place)
            else:
                self._back_up(place, trust, encrypt)
        except (places.PlaceError, ArchiveError, BackupError, OSError, *FAULTS) as error:
            raise CommandError(str(error)) from error

    def _verify(self, place: places.Place) -> None:
        with place.reading() as stream:
            archive = open_archive(stream, str(place))
            members = archive.verify()
        manifest = archive.manifest
        rows = sum(table["rows"] for table in archive.tables)
        self.stdout.write(f"{place} is whole: {members} members, {rows} rows, {manifest['files']['count']} files.")
        self.stdout.write(f"Made at {manifest['made_at'][:16]} on {manifest['database']}.")
        for table in archive.tables:
            if table["rows"]:
                self.stdout.write(f"  {table['rows']:>9} {table['model']}")
        for what in ("missing", "changed", "gone"):
            if names := manifest.get(what):
                self.stdout.write(f"  {len(names)} files were {what} when it was made, the first: {names[0]}")

    def _back_up(self, place: places.Place, trust: bool, encrypt: bool) -> None:
        if place.exists():
            raise CommandError(f"{place} is there already. Choose another name, or delete it first.")
        secret = passphrase(new=True) if encrypt else ""
        saved = back_up(place, self.stdout.write, verify=not trust, passphrase=secret)
        self.stdout.write(f"{place}: {saved.rows} rows, {saved.files} files, {saved.bytes:,} bytes of files.")
        self._complain(saved)

    def _complain(self, saved: Saved) -> None:
        if saved.gone:
            self.stdout.write(
                f"{len(saved.gone)} files were deleted or replaced meanwhile, and are not in it: the next backup has "
                "what took their place."
            )
        for name in saved.missing:
            self.stderr.write(f"missing from storage: {name}")
        for name in saved.changed:
            self.stderr.write(f"not the file that was uploaded: {name}")
        if saved.missing or saved.changed:
            raise CommandError(
                f"The backup is complete as far as there is something to back up: {len(saved.missing)} files are "
                f"missing and {len(saved.changed)} have changed in storage. See: manage.py storage check --hash"
            )
