"""``python -m bench.vitals``: Core Web Vitals of the results page, on a phone as Lighthouse imagines one.

24 cards of the demonstration are opened in Chromium with a processor four times slower and a line of 1.6 Mbit/s with
150 ms, from a server as in production (gunicorn, compressed static files). Told are the median of several runs of the
largest contentful paint, the cumulative layout shift and the longest interaction, and the weight of the scripts.
"""

import argparse
import gzip
import json
import secrets
import statistics
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import ROOT, launch_options
from tests.photos.serving import serving
from tests.site import Site

_CPU_SLOWDOWN = 4
_NETWORK = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
_PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
# https://web.dev/articles/vitals: what each is, in milliseconds but for the shift.
_OBSERVE = """
window.vitals = { lcp: 0, cls: 0, interaction: 0 };
const watch = (type, options, take) => new PerformanceObserver((list) => list.getEntries().forEach(take))
  .observe({ type, buffered: true, ...options });
watch("largest-contentful-paint", {}, (entry) => { vitals.lcp = entry.startTime; });
watch("layout-shift", {}, (entry) => { if (!entry.hadRecentInput) vitals.cls += entry.value; });
watch("event", { durationThreshold: 16 }, (entry) => {
  if (entry.interactionId) vitals.interaction = Math.max(vitals.interaction, entry.duration);
});
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.vitals", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--query", default="", help="of the results page; all products if not given")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Site(
            Path(folder),
            SECRET_KEY=secrets.token_urlsafe(),
            ALLOWED_HOSTS="127.0.0.1",
            HTTPS="false",
            DEBUG="false",
            STATIC_MANIFEST="true",
        )
        for command in (["migrate"], ["collectstatic", "--noinput"]):
            site.manage(*command, "--verbosity", "0")
        site.run("-c", "import django; django.setup(); from tests.browser.demo import add_demo; add_demo()")
        site.manage("index", "run", "--until-idle")
        with serving(site) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(**launch_options())
            runs = [_run(browser, f"{address}/search/?{given.query}") for _time in range(given.runs)]
            browser.close()
    figures = {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}
    print(json.dumps({"runs": given.runs, "median": figures, "all": runs}, indent=2))


def _run(browser: Browser, url: str) -> dict[str, float]:
    context = browser.new_context(**_PHONE)
    context.add_init_script(_OBSERVE)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", _NETWORK)
    session.send("Emulation.setCPUThrottlingRate", {"rate": _CPU_SLOWDOWN})
    page.goto(url, wait_until="networkidle")
    shown = page.locator(".found > .band .tile").count()
    figures = {"lcp_ms": page.evaluate("vitals.lcp")}
    page.get_by_role("button", name="Filters", exact=True).tap()
    page.locator("#filters.show").wait_for()
    page.locator("#filters [data-bs-dismiss]").first.tap()
    page.locator("#filters.show").wait_for(state="detached")
    page.locator(".tile-menu-open, .similar").first.scroll_into_view_if_needed()
    page.mouse.wheel(0, 400)
    page.wait_for_timeout(500)  # entries of events are told a frame or two later
    figures |= {"cls": page.evaluate("vitals.cls"), "interaction_ms": page.evaluate("vitals.interaction")}
    figures |= {"cards": float(shown), "script_gzip_kb": _scripts(page)}
    context.close()
    return figures


def _scripts(page: Page) -> float:
    """Kilobytes of the page's scripts, compressed as gzip does."""
    names = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    files = {Path(urlsplit(name).path).name for name in names if urlsplit(name).path.endswith(".js")}
    # A collected file carries a digest in its name: theme.1a2b3c.js.
    sources = {ROOT / "static" / "dist" / f"{name.split('.')[0]}.js" for name in files}
    return round(sum(len(gzip.compress(source.read_bytes())) for source in sources) / 1000, 1)


if __name__ == "__main__":
    main()
