"""``manage.py load_demo``: the sticker shop, its sample photos and the accounts to try it with."""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from tqdm import tqdm

from gallery.demo import contributions, loading
from gallery.demo.accounts import ACCOUNTS, NotForProduction, make_accounts
from gallery.demo.catalogue import Catalogue, Sticker
from gallery.demo.packages import PackageMissing, Packages
from gallery.demo.samples import write_samples

SECONDS_BETWEEN_LINES = 5
_SEEDED = "For the demo's moderator: %d photos wait for approval, and %d products are there twice."


class Command(BaseCommand):
    help = "Load the demonstration catalogue. Running it again completes what is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--packages",
            type=Path,
            default=settings.BASE_DIR / "node_modules",
            help="folder with the packages of pictures and names (default: %(default)s)",
        )
        parser.add_argument("--first", action="store_true", help="only the samples and what the home page shows")
        accounts = parser.add_mutually_exclusive_group()
        accounts.add_argument("--accounts", action="store_true", help="only the accounts; needs DEBUG")
        accounts.add_argument("--no-accounts", action="store_true", help="all but the accounts")

    def handle(
        self, *args: Any, packages: Path, first: bool, accounts: bool, no_accounts: bool, **options: Any
    ) -> None:
        if accounts or (settings.DEBUG and not no_accounts):
            self.make_accounts()
        if accounts:
            return
        try:
            found = Packages(packages)
            write_samples(settings.DATA_DIR / "samples", found.render)
            catalogue = Catalogue(found)
            catalogue.write_table(settings.DATA_DIR / "demo")
            loading.make_categories()
            loading.announce_products(catalogue)
            self.load(catalogue, [s for s in catalogue.stickers if not first or s.code in catalogue.first])
            if settings.DEBUG and not no_accounts:
                self.stdout.write(_SEEDED % contributions.seed(catalogue))
        except PackageMissing as error:
            raise CommandError(str(error)) from error

    def make_accounts(self) -> None:
        try:
            make_accounts()
        except NotForProduction as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Demo accounts (only because DEBUG is on):")
        for account in ACCOUNTS:
            self.stdout.write(f"  {account.role.label}: {account.username} / {account.password}")

    def load(self, catalogue: Catalogue, stickers: Sequence[Sticker]) -> None:
        ahead = [sticker for sticker in stickers if sticker.code in catalogue.first]
        rest = [sticker for sticker in stickers if sticker.code not in catalogue.first]
        total = sum(len(catalogue.rows(sticker)) for sticker in stickers)
        failures = 0
        with Progress(total, self.stdout) as progress:
            for part in (ahead, *_batches(rest)):
                summary = loading.load(
                    catalogue, settings.DATA_DIR / "demo", part, report=self.stderr.write, advance=progress.advance
                )
                failures += len(summary.failures)
        self.stdout.write(f"Loaded from the demo catalogue: {len(stickers)} products, {total} photos.")
        if failures:
            sys.exit(1)


class Progress:
    """A bar on a terminal; elsewhere, as in a log, a line every few seconds."""

    def __init__(self, total: int, lines: OutputWrapper):
        self.total = total
        self.lines = lines
        self.done = 0
        self.next_line = time.monotonic() + SECONDS_BETWEEN_LINES
        self.bar = tqdm(
            total=total, unit="photo", desc="Demo catalogue", file=sys.stderr, disable=not sys.stderr.isatty()
        )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.close()

    def advance(self) -> None:
        self.done += 1
        self.bar.update()
        if self.bar.disable and time.monotonic() >= self.next_line:
            self.next_line = time.monotonic() + SECONDS_BETWEEN_LINES
            self.lines.write(f"{self.done} of {self.total} photos are loaded.")
            self.lines.flush()


def _batches(stickers: Sequence[Sticker], size: int = 40) -> list[Sequence[Sticker]]:
    """Parts small enough that drawing the pictures of one does not hold up the loading."""
    return [stickers[start : start + size] for start in range(0, len(stickers), size)]
