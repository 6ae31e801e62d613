"""Another encoder takes over, and gives way again, while people search ten times a second and others edit."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from tests.photos.serving import running, serving
from tests.site import Site

pytestmark = pytest.mark.photos

SEARCHES_A_SECOND = 10
# ResNet-50 as it is before any training: good for nothing but what is tested here, and nothing is downloaded.
ENCODERS = json.dumps(
    {
        "untrained-resnet50": {
            "BACKEND": "search.encoders.networks.torchvision.TorchvisionNetwork",
            "OPTIONS": {"model": "resnet50", "weights": "random:1"},
        }
    }
)
# Adds a mirrored copy of a photograph, and deletes an earlier one every other time, until it is told to stop.
EDIT = """
import io, signal, sys, time, django
django.setup()
from PIL import Image as Picture, ImageOps
from gallery.intake import add_image
from gallery.models import Image, Product
going = [True]
signal.signal(signal.SIGTERM, lambda *_: going.clear())
originals = list(Image.objects.order_by("pk")[:500])
n = 0
while going:
    with originals[n % 500].original.open("rb") as file:
        picture = ImageOps.mirror(Picture.open(file).convert("RGB"))
    upload = io.BytesIO()
    picture.save(upload, "JPEG", quality=85)
    upload.seek(0)
    product = Product.objects.create(sku=f"EDITED-{time.time_ns()}", title="Mirrored", published=True)
    add_image(product, upload, "mirrored.jpg")
    if n % 2:
        Product.objects.filter(sku__startswith="EDITED-").order_by("pk")[0].delete()
    n += 1
    time.sleep(1)
print(n)
"""


class Searcher(threading.Thread):
    """Asks the API by one catalogue photo after another, ten times a second, and keeps what came of it."""

    def __init__(self, address: str, keys: list[str], weights: dict[int, dict[str, float]]):
        super().__init__(daemon=True)
        self.address, self.keys, self.weights = address, keys, weights
        self.generations: Counter[int] = Counter()
        self.failed: list[str] = []
        self.mixed: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        n = 0
        while not self.stopping.is_set():
            start = time.monotonic()
            self.ask(self.keys[n % len(self.keys)])
            n += 1
            self.stopping.wait(max(0.0, start + 1 / SEARCHES_A_SECOND - time.monotonic()))

    def ask(self, key: str) -> None:
        url = f"{self.address}/api/v1/search?image_id={key}&limit=12&weaker=1"
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                answer = json.load(response)
        except (OSError, urllib.error.HTTPError) as error:
            self.failed.append(f"{url}: {error}")
            return
        if not answer["hits"]:
            self.failed.append(f"{url}: {answer['notes']}")
            return
        self.generations[answer["generation"]] += 1
        # The similarity is the engine's, the parts come from the embeddings of the generation that is named: they
        # only agree where query, projection and index are of one generation.
        for hit in answer["hits"]:
            weights = self.weights[answer["generation"]]
            expected = sum(weights.get(name, 0.0) * cosine for name, cosine in hit["parts"].items())
            if abs(expected - hit["similarity"]) > 0.01:
                self.mixed.append(f"{url}: {hit['image']['id']} {expected} {hit['similarity']}")


@contextmanager
def searching(address: str, keys: list[str], weights: dict[int, dict[str, float]]) -> Iterator[Searcher]:
    searcher = Searcher(address, keys, weights)
    searcher.start()
    try:
        yield searcher
    finally:
        searcher.stopping.set()
        searcher.join(60)


def weights_of(site: Site) -> dict[int, dict[str, float]]:
    return {pk: json.loads(weights) for pk, weights in site.read("SELECT id, weights FROM search_generation")}


def first_keys(site: Site, count: int) -> list[str]:
    return [str(UUID(hex=key)) for (key,) in site.read("SELECT id FROM gallery_image ORDER BY id LIMIT ?", count)]


def wait_for(site: Site, state: str, generation: int) -> None:
    deadline = time.monotonic() + 900
    while [(state,)] != site.read("SELECT state FROM search_generation WHERE id = ?", generation):
        assert time.monotonic() < deadline, f"generation {generation} is not {state}"
        time.sleep(0.5)


BEHIND = """
SELECT placement.key, placement.attempts, placement.reason, generation.id, generation.state
FROM search_placement placement JOIN search_generation generation ON generation.id = placement.generation_id
WHERE placement.behind AND generation.id IN (?, ?)
"""


def settle(site: Site, *generations: int) -> None:
    """Let the loop run until these are not behind: also with what waits for another try, or for a lease's end.

    Others may be: the site was used with other engines before, which its settings do not reach now.
    """
    deadline = time.monotonic() + 300
    with running(site, "manage.py", "index", "run"):
        while behind := site.read(BEHIND, *generations):
            assert time.monotonic() < deadline, f"the loop does not catch up: {behind[:5]}"
            time.sleep(0.5)


@pytest.mark.parametrize("engine", ["embedded", "elasticsearch_8"])
def test_another_encoder_takes_over_and_gives_way_while_people_search_and_edit(
    engine, photos: Path, site: Site, tmp_path, request
):
    own = site.copy(tmp_path, SEARCH_ENCODERS=ENCODERS, THROTTLE_SEARCH="100000/min", DEBUG="true")
    if engine != "embedded":
        own.environment["SEARCH_URL"] = request.getfixturevalue(engine).url
    own.manage("index", "run", "--until-idle")
    ((before,),) = own.read("SELECT id FROM search_generation WHERE state = 'live'")
    weights = weights_of(own)
    with (
        serving(own) as address,
        running(own, "manage.py", "index", "run"),
        running(own, "-c", EDIT),
        searching(address, first_keys(own, 200), weights) as searcher,
    ):
        built = json.loads(own.manage("index", "build", "--encoder", "untrained-resnet50", "--promote", "--json"))
        weights |= weights_of(own)
        after = built["generation"]
        wait_for(own, "live", after)
        time.sleep(3)
        own.manage("index", "rollback")
        wait_for(own, "live", before)
        time.sleep(3)
        own.manage("index", "promote", str(after))
        wait_for(own, "live", after)
        time.sleep(3)
    settle(own, before, after)
    print(
        f"{engine}: {sum(searcher.generations.values())} searches answered by {dict(searcher.generations)}, "
        f"{len(searcher.failed)} failed, {len(searcher.mixed)} mixed; {built['to_embed']} files embedded; "
        f"{own.count('gallery_image')} images at the end"
    )
    assert searcher.failed == []
    assert searcher.mixed == []
    assert set(searcher.generations) == {before, after}
    accounts = {account["generation"]: account for account in json.loads(own.manage("index", "status", "--json"))}
    images = own.count("gallery_image")
    assert images > 1000
    for generation in (before, after):
        assert (accounts[generation]["indexed"], accounts[generation]["documents"]) == (images, images)
    own.manage("index", "reconcile", "--check")
