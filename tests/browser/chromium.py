"""Which Chromium drives the tests, and with which switches.

As a program it prints the one that ``executable`` finds, and fails where that is none.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The one without windows takes the least time.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


def executable() -> str | None:
    """``CHROMIUM``, else a browser of the machine; None means Playwright's own."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, _NAMES)), None)


def launch_options() -> dict[str, object]:
    """What Playwright's ``launch`` takes. As root Chromium cannot set up its sandbox."""
    options: dict[str, object] = {"args": [*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]}
    if found := executable():
        options["executable_path"] = found
    return options


def require_built_files() -> None:
    """Fail, with what to do, where the scripts and styles of the pages were not bundled."""
    if not (ROOT / "static" / "dist" / "main.js").is_file():
        pytest.fail("static/dist is missing: pages have no scripts and styles. Run: make install", pytrace=False)


if __name__ == "__main__":
    found = executable()
    if found is None:
        sys.exit(1)
    print(found)
