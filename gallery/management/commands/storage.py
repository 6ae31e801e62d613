"""``manage.py storage …``: whether all files are there, and moving them from one storage to another."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.files.storage import Storage, storages
from django.core.management.base import BaseCommand, CommandError

from gallery.buckets import FAULTS
from gallery.checking import check_storage
from gallery.models import Image
from gallery.moving import Moved, MoveError, aliases, is_same, move, other_storage

_TOLD = 20  # images that are named; all of them with --json


class Command(BaseCommand):
    help = "Check that files are in storage, or move them to another one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        check = verbs.add_parser("check", help="find originals that are missing; exit status 1 where there are some")
        check.add_argument("--hash", action="store_true", help="also read every original and compare its SHA-256")
        check.add_argument("--json", action="store_true")
        migrate = verbs.add_parser("migrate", help="copy all files to another storage, or from one")
        migrate.add_argument("storages", nargs="*", metavar="storage", help=f"of {', '.join(aliases())}; all without")
        migrate.add_argument("--to", metavar="ADDRESS", help="s3://bucket or file:///folder: from here to there")
        migrate.add_argument("--from", dest="source", metavar="ADDRESS", help="the same: from there to here")
        migrate.add_argument("--dry-run", action="store_true", help="only say what would be copied")
        migrate.add_argument("--delete", action="store_true", help="with --from: delete a file there once it is here")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            (self.look if verb == "check" else self.migrate)(**options)
        except (MoveError, OSError, *FAULTS) as error:
            raise CommandError(str(error)) from error

    def look(self, hash: bool, json: bool, **options: Any) -> None:
        found = check_storage(hashes=hash)
        if json:
            self._write_json(vars(found))
        else:
            self.stdout.write(
                f"{found.originals} originals: {len(found.missing)} missing, {len(found.changed)} changed."
            )
            if found.found_again:
                self.stdout.write(f"{found.found_again} that were missing are there again.")
            if found.renditions_lost:
                self.stdout.write(f"{found.renditions_lost} lost renditions are made again when a page asks for them.")
            self._name("missing", found.missing)
            self._name("changed", found.changed)
        if found.missing or found.changed:
            raise CommandError("Put the files back from a backup, or upload the photos again.", returncode=1)

    def migrate(
        self, storages: list[str], to: str | None, source: str | None, dry_run: bool, delete: bool, **options: Any
    ) -> None:
        if (to is None) == (source is None):
            raise CommandError("Name one other storage: --to ADDRESS or --from ADDRESS.")
        if to is not None and delete:
            raise CommandError(
                "--delete would empty the storage that the settings name, and the shop would be without its files. "
                "First copy them without --delete, name the new place in the settings (S3_BUCKET or DATA_DIR) and "
                "start again; then delete them with: storage migrate --from OLD-ADDRESS --delete"
            )
        if unknown := set(storages) - set(aliases()):
            raise CommandError(f"There is no storage {sorted(unknown)[0]}. There are: {', '.join(aliases())}.")
        moved = Moved()
        try:
            for alias in storages or aliases():
                start, end = self._ends(alias, to, source)
                move(alias, start, end, moved, self.stderr.write, delete=delete, dry_run=dry_run)
        finally:
            verb = "would be copied" if dry_run else "copied"
            self.stdout.write(
                f"{moved.copied} files {verb} ({moved.bytes:,} bytes), {moved.there} were there already, "
                f"{moved.deleted} deleted where they were, {len(moved.failed)} failed."
            )
        if moved.failed:
            raise CommandError("Files that failed are where they were. Mend the cause and run this again.")

    def _ends(self, alias: str, to: str | None, source: str | None) -> tuple[Storage, Storage]:
        """Where files come from, and where they go to."""
        address = to or source or ""
        here, there = storages[alias], other_storage(address, alias)
        if is_same(here, there):
            raise MoveError(f"{address} is where the files are already. Name another place.")
        return (here, there) if to else (there, here)

    def _name(self, what: str, keys: list) -> None:
        images = Image.objects.select_related("product").filter(pk__in=keys[:_TOLD]).order_by("product__sku", "pk")
        for image in images:
            self.stdout.write(f"  {what}: {image.pk}  {image.product.sku}  {image}")
        if len(keys) > _TOLD:
            self.stdout.write(f"  and {len(keys) - _TOLD} more: --json names all")

    def _write_json(self, value: object) -> None:
        self.stdout.write(json.dumps(value, indent=2, default=str))
