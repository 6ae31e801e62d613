"""Real photographs for measurements: ``make test-photos PHOTOS=path`` with a ``catalogue.csv`` in that folder."""

import os
import time
from pathlib import Path

import pytest

from tests.site import Site


@pytest.fixture(scope="session")
def photos() -> Path:
    folder = os.environ.get("PHOTOS", "")
    if not folder or not (Path(folder) / "catalogue.csv").is_file():
        pytest.fail("PHOTOS must name a folder with a catalogue.csv. Run: make test-photos PHOTOS=path", pytrace=False)
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def site(photos, tmp_path_factory) -> Site:
    """The photographs imported and indexed while the loop was killed three times."""
    site = Site(tmp_path_factory.mktemp("photos"), SEARCH_LEASE_SECONDS="2", TORCH_THREADS="2")
    site.manage("migrate", "-v0")
    summary = site.manage("import_catalogue", str(photos), "--no-progress")
    print(summary)
    for indexed in (100, 400, 800):
        site.kill_loop_when(indexed)
    time.sleep(2.1)  # the lease of the killed loop, two seconds here, has to end
    site.manage("index", "run", "--until-idle")
    return site
