"""Nothing jumps, and nothing lies beyond the edge of the window."""

import pytest
from playwright.sync_api import Page

from tests.browser.places import PLACES, go_to

MOST_SHIFT = 0.02  # of Google's "cumulative layout shift"; 0.1 counts as good

_WATCH_SHIFTS = """
window.shifted = 0;
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.shifted += entry.value;
    window.shifts.push(...entry.sources.map(({ node }) => `${node?.nodeName} ${node?.className ?? ""}`));
  }
}).observe({ type: "layout-shift", buffered: true });
"""

_BEYOND_THE_EDGE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > width + 1)
    .map((one) => `${one.nodeName} ${one.className}`);
}"""

_WITHOUT_SIZE = """() => [...document.images]
  .filter((one) => one.checkVisibility() && !(one.hasAttribute("width") && one.hasAttribute("height")))
  .map((one) => one.outerHTML)"""


@pytest.mark.parametrize("place", PLACES)
def test_nothing_lies_beyond_the_edge(page: Page, place: str, request):
    go_to(place, page, request)
    for width in (390, 820, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(_BEYOND_THE_EDGE) == [], width
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
    assert page.evaluate(_WITHOUT_SIZE) == []


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("place", ["home", "photo", "words", "weaker", "product", "upload"])
def test_nothing_jumps(page: Page, place: str, width: int, request):
    page.add_init_script(_WATCH_SHIFTS)
    page.set_viewport_size({"width": width, "height": 900})
    go_to(place, page, request)
    page.evaluate("() => new Promise((done) => document.fonts.ready.then(() => requestAnimationFrame(done)))")
    for _screen in range(4):
        page.mouse.wheel(0, 800)
        page.wait_for_load_state("networkidle")
    shifted, what = page.evaluate("[shifted, shifts]")
    assert shifted < MOST_SHIFT, what
