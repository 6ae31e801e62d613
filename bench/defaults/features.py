"""What the networks say of the photographs, pooled in every way, each pass made once and kept."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from bench.defaults.views import VIEWS
from gallery.pictures import open_upright
from search.encoders.descriptors.thumbnails import Thumbnails
from search.encoders.networks.devices import at_once, chosen_device
from search.encoders.networks.efficientnet_lite import EfficientNetLite
from search.encoders.registry import DESCRIPTORS
from search.indexing.embedding import DECODE_PIXELS

_AT_ONCE = 32  # pictures that are held
_POWER = 3.0


class Maps(EfficientNetLite):
    """The network with every pooling of its last feature map and of the last one of stride 16."""

    def pooled(self, pictures: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Pictures of one size, ``(h, w, 3)`` uint8 → name of a pooling → ``(n, d)`` float32."""
        self.load()
        import torch

        weights = next(self._model.parameters())
        rows = defaultdict(list)
        with torch.inference_mode():
            batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
            for few in batch.split(at_once(chosen_device())):
                features = few.to(chosen_device()).float().sub_(127).div_(128).to(weights.dtype)  # as in training
                features = self._model._swish(self._model._bn0(self._model._conv_stem(features)))
                earlier = features
                for block in self._model._blocks:
                    after = block(features)
                    if after.shape[-1] < features.shape[-1]:
                        earlier = features
                    features = after
                last = self._model._swish(self._model._bn1(self._model._conv_head(features)))
                for name, map_ in (("", last), ("stride 16 ", earlier)):
                    map_ = map_.float()
                    rows[f"{name}mean"].append(map_.mean(dim=(2, 3)))
                    rows[f"{name}max"].append(map_.amax(dim=(2, 3)))
                    rows[f"{name}gem"].append(map_.clamp(min=1e-6).pow(_POWER).mean(dim=(2, 3)).pow(1 / _POWER))
        return {name: torch.cat(found).cpu().numpy() for name, found in rows.items()}


@dataclass
class Photos:
    """The photographs with their categories, and what was found out about them.

    :param cache: folder in which passes are kept between runs; None keeps them for this run alone
    """

    paths: Sequence[Path]
    categories: np.ndarray  # (n,) whole numbers
    cache: Path | None = None
    _passes: dict[str, Mapping[str, np.ndarray]] = field(default_factory=dict)

    def passes(self, variant: int, view: str) -> Mapping[str, np.ndarray]:
        """Name of a pooling → ``(n, d)`` float32, of one pass of EfficientNet-Lite."""
        name = f"lite{variant}-{Maps(variant).input_size}-{view.replace(' ', '-')}"
        return self._kept(name, lambda: self._run(variant, view))

    def descriptors(self) -> Mapping[str, np.ndarray]:
        """Name of a descriptor → ``(n, d)`` float32, rows of zeros where a photograph lacks it."""
        return self._kept("descriptors", self._describe)

    def _kept(self, name: str, make) -> Mapping[str, np.ndarray]:
        if name not in self._passes:
            file = self.cache / f"{name}.npz" if self.cache else None
            if file is not None and file.is_file():
                with np.load(file) as arrays:
                    self._passes[name] = dict(arrays)
            else:
                self._passes[name] = make()
                if file is not None:
                    np.savez(file, **self._passes[name])
        return self._passes[name]

    def _run(self, variant: int, view: str) -> dict[str, np.ndarray]:
        network, frame = Maps(variant), VIEWS[view]
        rows: dict[str, list] = {}
        for batch in self._batches(f"lite{variant}, {view}"):
            framed = [frame(picture, network.input_size) for picture in batch]
            for name, found in in_shapes(network, framed).items():
                rows.setdefault(name, []).append(found)
        return {name: np.concatenate(found) for name, found in rows.items()}

    def _describe(self) -> dict[str, np.ndarray]:
        rows: dict[str, list] = {one.name: [] for one in DESCRIPTORS}
        for batch in self._batches("descriptors"):
            for picture in batch:
                thumbnails = Thumbnails.of(picture)
                for one in DESCRIPTORS:
                    found = one.describe(thumbnails)
                    rows[one.name].append(np.zeros(one.dimension, np.float32) if found is None else found)
        return {name: np.stack(found) for name, found in rows.items()}

    def _batches(self, what: str) -> Iterator[list[Image.Image]]:
        for start in tqdm(range(0, len(self.paths), _AT_ONCE), desc=what, disable=None):
            yield [opened(path) for path in self.paths[start : start + _AT_ONCE]]


def opened(path: Path) -> Image.Image:
    """As the indexing loop decodes."""
    with path.open("rb") as file:
        return open_upright(file, at_least=DECODE_PIXELS)


def in_shapes(network: Maps, framed: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Pictures of any sizes, those of one size together; rows in the order of the pictures."""
    places = defaultdict(list)
    for place, pixels in enumerate(framed):
        places[pixels.shape].append(place)
    rows: dict[str, np.ndarray] = {}
    for members in places.values():
        for name, found in network.pooled([framed[place] for place in members]).items():
            rows.setdefault(name, np.zeros((len(framed), found.shape[1]), np.float32))[members] = found
    return rows
