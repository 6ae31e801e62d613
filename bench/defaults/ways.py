"""What is compared: each way to make vectors of photographs and to rank them, and the rankings that it gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from bench.defaults import ranking
from bench.defaults.features import Photos
from bench.defaults.ranking import Rerank, units

WIDTH = 256  # axes, unless a way says otherwise
DEPTH, DEEPEST = 10, 100


@dataclass(frozen=True)
class Way:
    """One row of the table.

    :param passes: variant and view of each pass of a network; passes of one variant are averaged, others concatenated
    :param pooling: names of poolings that lie side by side
    :param asking: passes of the query, where they differ from those of the index
    :param width: axes of the projection; None centres alone
    :param weights: of other parts beside ``deep``
    """

    name: str
    passes: tuple[tuple[int, str], ...] = ((2, "whole"),)
    pooling: tuple[str, ...] = ("gem",)
    asking: tuple[tuple[int, str], ...] | None = None
    width: int | None = WIDTH
    whitening: float = 0.0
    power: float = 1.0
    rerank: Rerank | None = None
    weights: Mapping[str, float] = field(default_factory=dict)


DEFAULT = Way("**GeM, one pass, 256 axes: the default**")


def _ways() -> dict[str, list[Way]]:
    def views(name: str, *seen: str, **options) -> Way:
        return replace(DEFAULT, name=name, passes=tuple((2, view) for view in seen), **options)

    whole, both = ((2, "whole"),), ((2, "whole"), (2, "middle"))
    return {
        "Network and pooling": [
            DEFAULT,
            replace(DEFAULT, name="Lite0", passes=((0, "whole"),)),
            replace(DEFAULT, name="Lite1", passes=((1, "whole"),)),
            replace(DEFAULT, name="Lite0 at 320 pixels", passes=((0, "320 pixels"),)),
            replace(DEFAULT, name="Lite1 at 320 pixels", passes=((1, "320 pixels"),)),
            replace(DEFAULT, name="Lite2 and Lite0", passes=((2, "whole"), (0, "whole"))),
            replace(DEFAULT, name="mean", pooling=("mean",)),
            replace(DEFAULT, name="maximum", pooling=("max",)),
            replace(DEFAULT, name="mean and GeM", pooling=("mean", "gem")),
            replace(DEFAULT, name="two depths: GeM, and GeM at stride 16", pooling=("gem", "stride 16 gem")),
            replace(DEFAULT, name="two depths: GeM, and mean at stride 16", pooling=("gem", "stride 16 mean")),
            replace(DEFAULT, name="square roots of the features", power=0.5),
        ],
        "Views": [
            views("whole and mirrored", "whole", "mirrored"),
            views("whole and middle 85 %", "whole", "middle"),
            views("middle 85 % alone", "middle"),
            views("whole and middle, in the index alone", "whole", "middle", asking=whole),
            replace(DEFAULT, name="whole and middle, in the query alone", asking=both),
            views("in its own shape, not padded", "in its shape"),
            views("its own shape and middle", "in its shape", "middle"),
            views("260 pixels", "260 pixels"),
            views("384 pixels", "384 pixels"),
        ],
        "Ground": [
            views("padded with the ground's colour", "on its ground"),
            views("cut to what stands out of an even ground", "content"),
            views("whole and cut", "whole", "content"),
        ],
        "Projection": [
            replace(DEFAULT, name="centred alone", width=None),
            *(replace(DEFAULT, name=f"{width} axes", width=width) for width in (64, 128, 384, 512)),
            replace(DEFAULT, name="256 axes, a quarter whitened", whitening=0.25),
            replace(DEFAULT, name="256 axes, half whitened", whitening=0.5),
        ],
        "Other parts beside it": [
            replace(DEFAULT, name="default weights", weights={"color": 0.05, "shape": 0.1}),
            *(
                replace(DEFAULT, name=f"{part} {weight}", weights={part: weight})
                for part in ("color", "texture", "shape")
                for weight in (0.05, 0.1, 0.2, 0.3, 1.0)
            ),
        ],
        "Ranking the window anew": [
            replace(DEFAULT, name="mean of the query and 3 neighbours", rerank=ranking.expansion(3)),
            replace(DEFAULT, name="mean of the query and 10 neighbours", rerank=ranking.expansion(10)),
            replace(DEFAULT, name="mean of the query and 20 neighbours", rerank=ranking.expansion(20)),
            replace(DEFAULT, name="20 neighbours, by their similarity", rerank=ranking.expansion(20, power=3.0)),
            replace(DEFAULT, name="k-reciprocal neighbours", rerank=ranking.reciprocal),
        ],
    }


WAYS = _ways()


@dataclass(frozen=True)
class Outcome:
    """Rankings as right and wrong, ``(n, DEEPEST)`` bool, photograph by photograph.

    :param every: all other photographs are there to be found
    :param others: only those of the other folds are, which the projection was fitted on
    """

    way: Way
    every: np.ndarray
    others: np.ndarray
    dimension: int


def outcome(way: Way, photos: Photos) -> Outcome:
    """Photographs of each fold ask; centre and axes come from the other folds alone."""
    index = _features(photos, way.passes, way)
    asking = index if way.asking is None else _features(photos, way.asking, way)
    n = len(index)
    every, others = np.zeros((2, n, DEEPEST), bool)
    dimension = 0
    for members, rest in ranking.held_out(n):
        fitted = ranking.axes(index[rest], way.width, way.whitening)
        gallery, queries = ranking.projected(index, fitted), ranking.projected(asking[members], fitted)
        dimension = gallery.shape[1]
        similarities = queries @ gallery.T
        if way.weights:
            similarities = (1 - sum(way.weights.values())) * similarities + _beside(photos, way.weights, members, rest)
        hidden = similarities.copy()
        hidden[:, members] = -np.inf
        for found, right in ((similarities, every), (hidden, others)):
            order = ranking.rankings(found, members)
            if way.rerank is not None:
                order = ranking.reranked(order, queries, gallery, way.rerank)
            right[members] = photos.categories[order[:, :DEEPEST]] == photos.categories[members][:, None]
    return Outcome(way, every, others, dimension)


def _features(photos: Photos, passes: tuple[tuple[int, str], ...], way: Way) -> np.ndarray:
    """``(n, d)``: passes of one variant averaged, variants side by side, each at length 1."""
    variants: dict[int, list[np.ndarray]] = {}
    for variant, view in passes:
        found = photos.passes(variant, view)
        rows = [
            units(np.maximum(found[name], 0) ** way.power if way.power != 1 else found[name]) for name in way.pooling
        ]
        variants.setdefault(variant, []).append(np.hstack(rows))
    return np.hstack([units(np.mean(rows, axis=0)) for rows in variants.values()]).astype(np.float64)


def _beside(photos: Photos, weights: Mapping[str, float], members: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """The weighted cosines of the other parts, centred on the other folds; a part that one lacks counts as 0."""
    total = np.zeros((len(members), len(photos.categories)))
    for name, weight in weights.items():
        rows = photos.descriptors()[name].astype(np.float64)
        has = np.linalg.norm(rows, axis=1, keepdims=True) > 0
        centred = units(np.where(has, rows - rows[rest][has[rest, 0]].mean(axis=0), 0))
        total += weight * (centred[members] @ centred.T)
    return total
