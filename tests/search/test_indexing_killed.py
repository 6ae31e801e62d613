"""The indexing loop is killed with SIGKILL, in a process of its own, and nothing is lost or doubled."""

import signal
import time
from pathlib import Path

from tests.pictures import draw
from tests.site import Site

# Stands in for a decoder or network that crashes the process: the real loop, killed by one picture alone.
KILLED_BY_MAGENTA = """
import os, signal, numpy as np, django
django.setup()
from django.core.management import call_command
from search.encoders.networks.efficientnet_lite import EfficientNetLite
forward = EfficientNetLite.forward
def deadly(self, squares):
    if (squares == np.array([255, 0, 255], dtype=np.uint8)).all(axis=(1, 2, 3)).any():
        os.kill(os.getpid(), signal.SIGKILL)
    return forward(self, squares)
EfficientNetLite.forward = deadly
call_command("index", "run", "--until-idle")
"""


def draw_catalogue(folder: Path, count: int) -> Path:
    for n in range(count):
        path = folder / "catalogue" / "shapes" / f"item-{n:03d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = ("circle", "square", "triangle", "stripes")[n % 4]
        draw(shape, ("red", "blue", "green")[n % 3], size=(160 + n, 150)).save(path, quality=90)
    return folder / "catalogue"


def test_killed_at_three_points_and_started_again(tmp_path):
    count = 90
    site = Site(tmp_path, SEARCH_BATCH="8", SEARCH_LEASE_SECONDS="1", SEARCH_FIT_AT="40")
    site.manage("migrate", "-v0")
    site.manage("import_catalogue", str(draw_catalogue(tmp_path, count)), "--no-progress")
    for share in (0.1, 0.4, 0.8):
        site.kill_loop_when(indexed=int(share * count))
    time.sleep(1.1)  # the lease of the last killed loop, one second here, has to end
    site.manage("index", "run", "--until-idle")
    account = site.account()
    assert (account["images"], account["indexed"], account["waiting"], account["failed"]) == (count, count, 0, 0)
    assert account["documents"] == count, "none twice"
    assert account["state"] == "live"
    site.manage("index", "reconcile", "--check")


def test_an_image_that_kills_the_process_costs_only_itself(tmp_path):
    site = Site(tmp_path, SEARCH_BATCH="8", SEARCH_LEASE_SECONDS="1", SEARCH_MAX_ATTEMPTS="3")
    catalogue = draw_catalogue(tmp_path, 11)
    draw("circle", "magenta", "magenta", size=(160, 160)).save(catalogue / "shapes" / "item-004-deadly.png")
    site.manage("migrate", "-v0")
    site.manage("import_catalogue", str(catalogue), "--no-progress")
    kills = 0
    while site.start("-c", KILLED_BY_MAGENTA).wait(120) == -signal.SIGKILL:
        kills += 1
        assert kills <= 3, "the deadly image is tried more often than SEARCH_MAX_ATTEMPTS"
        time.sleep(1.1)  # the killed process's lease has to end
    assert kills >= 1
    account = site.account()
    assert (account["indexed"], account["failed"]) == (11, 1)
    assert list(account["reasons"]) == ["The indexing process stopped while it worked on this image."]


def test_building_another_generation_survives_a_killed_loop(tmp_path):
    count = 40
    site = Site(tmp_path, SEARCH_BATCH="4", SEARCH_LEASE_SECONDS="1", SEARCH_FIT_LEAST="20", SEARCH_FIT_AT="10000")
    site.manage("migrate", "-v0")
    site.manage("import_catalogue", str(draw_catalogue(tmp_path, count)), "--no-progress")
    site.manage("index", "run", "--until-idle")
    site.manage("index", "build", "--encoder", "efficientnet-lite0", "--promote")
    embedded = "SELECT COUNT(*) FROM search_embedding WHERE encoder LIKE 'efficientnet-lite0%'"
    site.kill_loop_once(lambda: site.read(embedded)[0][0] >= 8)  # while the sample is embedded
    site.kill_loop_once(lambda: site.read(embedded)[0][0] >= 28)  # while the index is filled
    time.sleep(1.1)  # the lease of the last killed loop, one second here, has to end
    site.manage("index", "run", "--until-idle")
    account = site.account()
    assert (account["state"], account["indexed"], account["documents"]) == ("live", count, count)
    assert account["encoder"].startswith("efficientnet-lite0")
    site.manage("index", "reconcile", "--check")
