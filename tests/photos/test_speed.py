"""How long people wait: from the drop of a 12-megapixel photo to a dozen results, and after a filter's click.

Times are printed. They are held to their limits only with ``SPEED=required``: on a shared machine they are noise.
"""

import base64
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Page

from tests.browser.chromium import launch_options, require_built_files
from tests.photos.serving import running, serving
from tests.site import Site

pytestmark = [pytest.mark.photos, pytest.mark.browser]

SEARCHES = 20
FRESH = 1000  # images that the indexing loop has yet to take in while people search
MOST_SECONDS = 2.0
MOST_SECONDS_WHILE_INDEXING = 4.0
MOST_SECONDS_FILTER = 0.3
PHOTOS_SEEN = 12

# Time stands in the session's storage, as the drop and the results are two pages.
_DROP = """([transfer]) => {
  for (const kind of ["dragenter", "dragover"]) over(kind);
  sessionStorage.setItem("dropped", Date.now());
  sessionStorage.removeItem("painted");
  over("drop");
  function over(kind) {
    const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
    document.querySelector("main").dispatchEvent(new DragEvent(kind, options));
  }
}"""
_CARRY = """(bytes) => {
  const transfer = new DataTransfer();
  const file = new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], "photo.jpg", { type: "image/jpeg" });
  transfer.items.add(file);
  return transfer;
}"""
# Painted: loaded, within the window, and one frame later.
_WATCH_RESULTS = """
(() => {
  if (!sessionStorage.getItem("dropped") || sessionStorage.getItem("painted")) return;
  const seen = (img) => img.complete && img.naturalWidth > 0 && img.getBoundingClientRect().top < innerHeight;
  const look = () => {
    const photos = [...document.querySelectorAll("#results .tile img")];
    // A photo of something rare has fewer matches than a dozen: then all of them.
    const enough = document.readyState === "loading" ? PHOTOS_SEEN : Math.min(PHOTOS_SEEN, photos.length);
    if (enough === 0 || photos.filter(seen).length < enough) return requestAnimationFrame(look);
    requestAnimationFrame(() => {
      sessionStorage.setItem("painted", Date.now());
      document.documentElement.dataset.painted = "";
    });
  };
  requestAnimationFrame(look);
})();
""".replace("PHOTOS_SEEN", str(PHOTOS_SEEN))
_CHANGE_FILTER = """async (id) => {
  const option = document.getElementById(id);
  const before = option.getAttribute("aria-current");
  // Of the results alone: what they load beside themselves settles at times of its own.
  const settled = new Promise((resolve) =>
    document.addEventListener("htmx:afterSettle", ({ target }) => target.id === "results" && resolve()),
  );
  const start = performance.now();
  option.click();
  while (document.getElementById(id)?.getAttribute("aria-current") === before) {
    if (performance.now() - start > 30_000) throw new Error(`nothing changed after a click on ${id}`);
    await new Promise(requestAnimationFrame);
  }
  const seconds = (performance.now() - start) / 1000;
  await settled; // the links of the new filters lead on from here; nobody clicks within the same frame
  return seconds;
}"""


def percentile(seconds: list[float], share: float) -> float:
    """By nearest rank: the smallest that at least this share of all does not exceed."""
    return sorted(seconds)[max(0, int(np.ceil(share * len(seconds))) - 1)]


def hold(seconds: list[float], most: float) -> None:
    """Fail for a 95th percentile above the limit, where limits are required."""
    if os.environ.get("SPEED") == "required":
        assert percentile(seconds, 0.95) <= most, json.dumps(seconds)


def report(what: str, seconds: list[float]) -> None:
    print(
        f"{what}: n={len(seconds)}, first {seconds[0]:.2f} s, p50 {percentile(seconds, 0.5):.2f} s,"
        f" p95 {percentile(seconds, 0.95):.2f} s, longest {max(seconds):.2f} s"
    )


def twelve_megapixels(path: Path, seed: int) -> bytes:
    """A sample photograph as a phone would have taken it: 4000 x 3000, with the noise of a sensor."""
    with Image.open(path) as photograph:
        large = ImageOps.fit(photograph.convert("RGB"), (4000, 3000), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(seed).integers(-6, 7, (3000, 4000, 1), dtype=np.int16)
    pixels = np.clip(np.asarray(large, dtype=np.int16) + noise, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()


@pytest.fixture(scope="module")
def photographs(photos: Path) -> list[bytes]:
    paths = sorted(photos.rglob("*.jpg"))
    step = len(paths) // SEARCHES
    return [twelve_megapixels(path, seed) for seed, path in enumerate(paths[::step][:SEARCHES])]


@pytest.fixture(scope="module")
def own_site(site: Site, tmp_path_factory) -> Site:
    """A copy of the indexed photographs, on the embedded engine, as ``make demo`` would serve it."""
    own = site.copy(tmp_path_factory.mktemp("speed"), DEBUG="true")
    own.manage("index", "run", "--until-idle")
    return own


@pytest.fixture
def address(own_site: Site) -> Iterator[str]:
    """A server that has just started."""
    with serving(own_site) as address:
        yield address


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    require_built_files()
    return launch_options()


@pytest.fixture
def page(page: Page) -> Page:
    page.set_viewport_size({"width": 1440, "height": 1600})  # a dozen photos fit, however the bands divide them
    page.add_init_script(_WATCH_RESULTS)
    return page


def search_by_drop(page: Page, address: str, photograph: bytes) -> float:
    """Seconds from the drop on the home page to a dozen results painted."""
    page.goto(f"{address}/")
    transfer = page.evaluate_handle(_CARRY, base64.b64encode(photograph).decode("ascii"))
    page.evaluate(_DROP, [transfer])
    page.wait_for_url("**/search/?photo=*")
    page.wait_for_selector("html[data-painted]")  # a selector, as the page's policy forbids eval
    dropped, painted = page.evaluate("[sessionStorage.getItem('dropped'), sessionStorage.getItem('painted')]")
    return (int(painted) - int(dropped)) / 1000


def encoded(site: Site) -> int:
    """How many query photos were encoded."""
    return site.count("search_queryembedding")


def waiting(site: Site) -> int:
    ((placements,),) = site.read("SELECT COUNT(*) FROM search_placement WHERE behind")
    return placements


def test_from_the_drop_to_a_dozen_photos(own_site: Site, photographs: list[bytes], address: str, page: Page):
    seconds = [search_by_drop(page, address, photograph) for photograph in photographs]
    report("From the drop of 12 megapixels to 12 photos painted", seconds)
    assert encoded(own_site) == SEARCHES
    hold(seconds, MOST_SECONDS)


def test_changing_a_filter(own_site: Site, photographs: list[bytes], address: str, page: Page):
    search_by_drop(page, address, photographs[0])
    before = encoded(own_site)
    ids = page.locator("#filters details[open] .option").evaluate_all("(all) => all.map((one) => one.id)")
    # On and off again, so that every filter has something to choose from.
    seconds = [page.evaluate(_CHANGE_FILTER, ids[n // 2 % len(ids)]) for n in range(SEARCHES)]
    report("From the click on a filter to its results", seconds)
    assert encoded(own_site) == before, "a filter encodes nothing"
    hold(seconds, MOST_SECONDS_FILTER)


@pytest.fixture
def fresh(own_site: Site, photos: Path, tmp_path: Path) -> None:
    """Photographs that are imported and not indexed: mirror images of the first ones."""
    for path in sorted(photos.rglob("*.jpg"))[:FRESH]:
        with Image.open(path) as photograph:
            ImageOps.mirror(photograph.convert("RGB")).save(tmp_path / f"mirrored-{path.stem}.jpg", quality=90)
    own_site.manage("import_catalogue", str(tmp_path), "--no-progress")


def test_while_the_indexing_loop_runs(own_site: Site, photographs: list[bytes], fresh: None, address: str, page: Page):
    assert waiting(own_site) >= FRESH
    with running(own_site, "manage.py", "index", "run"):
        seconds = [search_by_drop(page, address, photograph) for photograph in photographs]
        if not waiting(own_site):
            print("The loop was through before the last search: FRESH is low for this machine.")
    report("The same while the indexing loop runs", seconds)
    hold(seconds, MOST_SECONDS_WHILE_INDEXING)
