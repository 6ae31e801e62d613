"""How long people wait, in a real browser before the real server: from a dropped photo to painted results."""

import io
import random
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import FilePayload, Page, sync_playwright

from tests.browser.chromium import launch_options, require_built_files
from tests.browser.files import drop
from tests.servers.processes import free_port
from tests.site import Site

pytestmark = pytest.mark.photos

DROPS, CLICKS, PAINTED = 20, 20, 12
# The clock starts in the page at the drop and is read in the next page, so neither Python nor the wire is measured.
_NOTE_THE_DROP = """
addEventListener("drop", () => sessionStorage.setItem("dropped", String(Date.now())), { capture: true });
"""
_WHEN_PAINTED = """(count) => {
  const photos = [...document.querySelectorAll(".tile img")];
  const painted = photos.filter((photo) => photo.complete && photo.naturalWidth > 0).length;
  return location.search.includes("photo=") && painted >= count
    && Date.now() - Number(sessionStorage.getItem("dropped"));
}"""
_CLICK_A_FILTER = """(number) => new Promise((resolve) => {
  const options = [...document.querySelectorAll("a.option")].filter((option) => option.offsetParent);
  const before = performance.now();
  document.addEventListener("htmx:afterSettle", () =>
    requestAnimationFrame(() => resolve(performance.now() - before)), { once: true });
  options[number % options.length].click();
})"""


def twelve_megapixels(path: Path, seed: int) -> FilePayload:
    """A sample photograph as a phone would send it: 4000 x 3000, with a sensor's noise."""
    noise = np.random.default_rng(seed)
    with Image.open(path) as picture:
        large = picture.convert("RGB").resize((4000, 3000), Image.Resampling.BICUBIC).filter(ImageFilter.SHARPEN)
    grain = noise.normal(0, 4, (750, 1000, 1)).repeat(4, axis=0).repeat(4, axis=1)
    pixels = np.clip(np.asarray(large, dtype=np.float32) + grain, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return FilePayload(name=f"phone-{seed}.jpg", mimeType="image/jpeg", buffer=file.getvalue())


@pytest.fixture(scope="module")
def phone_photos(photos) -> list[FilePayload]:
    files = sorted(photos.rglob("*.jpg"))
    chosen = random.Random(0).sample(files, 10)
    return [twelve_megapixels(path, seed) for seed, path in enumerate(chosen)]


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    """The site served as ``make demo`` serves it, just started."""
    require_built_files()
    site.manage("index", "run", "--until-idle")  # back to the embedded engine, wherever the site was last
    port = free_port()
    command = ("-m", "gunicorn", "imgsite.wsgi", "--config", "imgsite/gunicorn.py")
    server = site.start(*command, DEBUG="true", PORT=str(port), TORCH_THREADS="2")
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        assert server.poll() is None, server.communicate()
        assert time.monotonic() < deadline, "the server did not answer"
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):
            break
    yield url
    server.terminate()
    server.communicate(timeout=30)


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        page.add_init_script(_NOTE_THE_DROP)
        yield page
        browser.close()


def seconds_of_drops(page: Page, address: str, phone_photos: list[FilePayload]) -> np.ndarray:
    seconds = []
    for n in range(DROPS):
        page.goto(address)
        drop(page, phone_photos[n % len(phone_photos)])
        milliseconds = page.wait_for_function(_WHEN_PAINTED, arg=PAINTED, timeout=60_000).json_value()
        seconds.append(milliseconds / 1000)
    return np.array(seconds)


def report(name: str, seconds: np.ndarray) -> float:
    p95 = float(np.quantile(seconds, 0.95))
    print(
        f"{name}: p50 {np.median(seconds):.2f} s, p95 {p95:.2f} s, "
        f"first {seconds[0]:.2f} s, slowest {seconds.max():.2f} s, n = {len(seconds)}"
    )
    return p95


def test_from_the_drop_to_twelve_painted_photos(site, address, page, phone_photos):
    seconds = seconds_of_drops(page, address, phone_photos)
    assert report("drop of 12 megapixels to 12 photos", seconds) <= 2


def test_the_same_while_indexing_runs(site, address, page, phone_photos, photos, tmp_path):
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    for n, path in enumerate(sorted(photos.rglob("*.jpg"))[:900]):
        (fresh / f"fresh-{n:03d}.jpg").write_bytes(path.read_bytes() + b"\0" * (n + 1))  # other bytes, to be embedded
    site.manage("import_catalogue", str(fresh), "--no-progress")
    loop = site.start("manage.py", "index", "run", TORCH_THREADS="2")
    try:
        before = site.written()
        while site.written() == before:
            assert loop.poll() is None, loop.communicate()
            time.sleep(0.1)
        seconds = seconds_of_drops(page, address, phone_photos)
        assert loop.poll() is None, loop.communicate()
    finally:
        loop.terminate()
        loop.communicate(timeout=60)
    assert report("the same while indexing runs", seconds) <= 4


def test_a_filter_click_encodes_nothing_and_is_quick(site, address, page, phone_photos):
    page.goto(address)
    drop(page, phone_photos[0])
    page.wait_for_function(_WHEN_PAINTED, arg=PAINTED, timeout=60_000)
    results = page.url
    encoded = _encoded(site)
    seconds = []
    for n in range(CLICKS):
        page.goto(results)
        seconds.append(page.evaluate(_CLICK_A_FILTER, n) / 1000)
    assert _encoded(site) == encoded, "a filter click ran the encoder"
    assert report("filter click to new results", np.array(seconds)) <= 0.3


def _encoded(site: Site) -> int:
    """Pictures that were ever encoded here: the last key of each table of embeddings."""
    with closing(sqlite3.connect(site.database)) as connection:
        last = [
            connection.execute(f"SELECT COALESCE(MAX(id), 0) FROM {table}").fetchone()[0]  # noqa: S608
            for table in ("search_queryembedding", "search_embedding")
        ]
    return sum(last)
