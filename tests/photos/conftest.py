"""Real photographs for measurements: ``make test-photos PHOTOS=path`` with a ``catalogue.csv`` in that folder."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def photos() -> Path:
    folder = os.environ.get("PHOTOS", "")
    if not folder or not (Path(folder) / "catalogue.csv").is_file():
        pytest.fail("PHOTOS must name a folder with a catalogue.csv. Run: make test-photos PHOTOS=path", pytrace=False)
    return Path(folder).resolve()
