"""``python -m bench.outside --photos PATH``: photos from another world than the catalogue's; see docs/similarity.md.

How often they are told to be, and how often the catalogue's own photos are taken for such; how evenly they fall on its
products; and what known pairs are called.
"""

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bench.worlds import WorldOfPhotos
    from search.outside.crowd import Crowd, Spread
    from search.outside.world import World
    from search.projection import PartMap, Projection
    from search.similarity import SimilarityScale

_TUNED_SHARE = 0.5  # of the learnt axes in a likeness of contents
_TOP = 10  # products
_FIRST_ROW = 4
_CLOTHES = "clothing"  # a category of the stickers


@dataclass(frozen=True)
class Ready:
    """A catalogue as a generation would hold it."""

    world: "WorldOfPhotos"
    projection: "Projection"
    scale: "SimilarityScale"
    rows: np.ndarray  # (n, d): projected parts side by side, 0 where one is missing

    @classmethod
    def of(
        cls,
        world: "WorldOfPhotos",
        projection: "Projection",
        weights: Mapping[str, float],
        known_world: "World | None",
        *,
        tuned: bool = False,
    ) -> "Ready":
        from search.generations.known_pairs import pairs_of, projected
        from search.similarity import PASSING, PASSING_TUNED, SimilarityScale, cosines

        samples = projected(projection, world.vectors)
        known = pairs_of(samples, world.photos, weights)
        if world.copies:
            places = np.arange(len(world.copies))
            known["copies"] = cosines(samples, places, projected(projection, world.copies), places)
        random = SimilarityScale.measure(samples)
        scale = SimilarityScale(random.names, random.pairs, known, known_world, PASSING_TUNED if tuned else PASSING)
        return cls(world, projection, scale, _side_by_side(projection, world.vectors))

    def similarities(self, asking: Sequence[Mapping[str, np.ndarray]], weights: Mapping[str, float]) -> np.ndarray:
        """``(q, n)``."""
        asked = _side_by_side(self.projection, asking)
        for name, where in self.projection.slices.items():
            asked[:, where] *= weights.get(name, 0.0)
        return np.asarray(asked @ self.rows.T)

    def outside(self, asking: Sequence[Mapping[str, np.ndarray]], weights: Mapping[str, float]) -> np.ndarray:
        return np.array([self.scale.is_outside(one, weights) for one in asking], dtype=bool)

    def weak(self, asking: Sequence[Mapping[str, np.ndarray]], weights: Mapping[str, float]) -> tuple[float, float]:
        """Shares of the photos that find nothing above the weak line, and that are told to be of another world."""
        lines = np.where(
            outside := self.outside(asking, weights), self.scale.outside_line(weights), self.scale.weak_line(weights)
        )
        return float((self.similarities(asking, weights).max(axis=1) < lines).mean()), float(outside.mean())


def _side_by_side(projection: "Projection", photos: Sequence[Mapping[str, np.ndarray]]) -> np.ndarray:
    rows = np.zeros((len(photos), projection.dimension - 1), dtype=np.float32)
    for place, one in enumerate(photos):
        for name, part in projection.project(one).items():
            rows[place, projection.slices[name]] = part
    return rows


def projections(world: "WorldOfPhotos") -> Iterator[tuple[str, "Projection"]]:
    """Fitted to a catalogue, without and with its categories having a say."""
    from django.conf import settings

    from search.indexing.embedding import stacked
    from search.projection import Projection

    dimensions = {name: len(vector) for one in world.vectors[:50] for name, vector in one.items()}
    order = [name for name in ("deep", "color", "texture", "shape") if name in dimensions]
    lengths = {name: dimensions[name] for name in order}
    samples = stacked(world.vectors, order)
    complete = {name: rows[~np.isnan(rows).any(axis=1)] for name, rows in samples.items()}
    untuned = Projection.fit(complete, {"deep": settings.SEARCH_DEEP_DIMENSIONS}, lengths)
    yield "untuned", untuned
    deep = _tuned(untuned.parts[0], samples["deep"], world)
    yield "tuned", Projection((deep, *untuned.parts[1:]))


def _tuned(base: "PartMap", rows: np.ndarray, world: "WorldOfPhotos") -> "PartMap":
    from search.projection import PartMap
    from search.tuning.axes import learnt_axes
    from search.tuning.labelled import Labels
    from search.tuning.measuring import blended, in_order

    values = world.photos.categories[:, None] == np.arange(len(world.names))[None]
    labelled = values.any(axis=1)
    centred = (rows - base.centre)[labelled]
    axes = learnt_axes(centred, [Labels("category", values[labelled])], max(1, base.dimension // 2), steps=12)
    return blended(in_order(base, rows), PartMap("deep", base.centre, axes.matrix), _TUNED_SHARE, rows)


def no_match(catalogue: "WorldOfPhotos", others: Sequence["WorldOfPhotos"], ways: Mapping[str, Mapping]) -> None:
    """Of a catalogue's own photos, each held out once with all of its product, and of other worlds' photos."""
    from search.generations.known_pairs import world_of
    from search.outside.world import folds

    own: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    for taught, asking in folds(catalogue.photos.products, seed=2):
        photos, rest = catalogue.among(asking).vectors, catalogue.among(taught)
        known_world = world_of(rest.photos)
        for name, projection in projections(rest):
            for way, weights in ways.items():
                ready = Ready.of(rest, projection, weights, known_world, tuned=name == "tuned")
                own.setdefault((name, way), []).append((len(photos), *ready.weak(photos, weights)))
    print(f"\nNo match: {len(catalogue.vectors)} {catalogue.name} as the catalogue; share under the weak line,")
    print("and in brackets told to be from another world")
    print("| projection | weights | held out | " + " | ".join(other.name for other in others) + " |")
    print("|---|---|---|" + "---|" * len(others))
    known_world = world_of(catalogue.photos)
    for name, projection in projections(catalogue):
        for way, weights in ways.items():
            ready = Ready.of(catalogue, projection, weights, known_world, tuned=name == "tuned")
            counts = np.array(own[name, way])
            mean = counts[:, 0] @ counts[:, 1:] / counts[:, 0].sum()
            cells = [mean, *(ready.weak(other.vectors, weights) for other in others)]
            print(f"| {name} | {way} | " + " | ".join(f"{weak:.3f} ({told:.3f})" for weak, told in cells) + " |")
            print("   " + "; ".join(_called(ready.scale, weights)))


def _called(scale: "SimilarityScale", weights: Mapping[str, float]) -> Iterator[str]:
    yield "lines " + ", ".join(f"{line:.3f}" for line in scale.lines(weights))
    for kind, shares in scale.shares(weights).items():
        yield f"{kind} " + ", ".join(f"{share:.3f}" for share in shares.values())


def hubs(catalogue: "WorldOfPhotos", asking: "WorldOfPhotos", weights: Mapping[str, float]) -> "Crowd | None":
    """How evenly another world's photos fall on the products, while the catalogue learns from them as they come."""
    from search.generations.known_pairs import world_of
    from search.outside.crowd import LEAST_PHOTOS, Crowd
    from search.outside.learning import AT_ONCE

    _name, projection = next(projections(catalogue))
    ready = Ready.of(catalogue, projection, weights, world_of(catalogue.photos))
    similar, told = ready.similarities(asking.vectors, weights), ready.outside(asking.vectors, weights)
    crowd = Crowd.empty({part.name: len(part.centre) for part in projection.parts})
    spread: Spread | None = None
    waiting: list[Mapping[str, np.ndarray]] = []
    before, after = [], []
    for place, photo in enumerate(asking.vectors):
        before.append(_products(catalogue, similar[place]))
        ranked = _ranked(ready, similar[place], photo, weights, spread) if told[place] else similar[place]
        after.append(_products(catalogue, ranked))
        if told[place]:
            waiting.append(photo)
        if len(waiting) == AT_ONCE:
            crowd, waiting = crowd.having(waiting), []
            spread = crowd.seen_by(projection) if crowd.photos >= LEAST_PHOTOS else None
    print(f"| {len(asking.vectors)} {asking.name} on {len(set(catalogue.photos.products))} {catalogue.name} ", end="")
    print(f"| {_evenness(before)} | {_evenness(after)} | {_evenness(after[500:])} |", end="")
    print(f" {_clothes(catalogue, before)} | {_clothes(catalogue, after)} |")
    return crowd if spread is not None else None


def _ranked(
    ready: Ready,
    similar: np.ndarray,
    photo: Mapping[str, np.ndarray],
    weights: Mapping[str, float],
    spread: "Spread | None",
) -> np.ndarray:
    """Similarities as they rank: those of the window that are weak are compared from product to product."""
    from django.conf import settings

    if spread is None:
        return similar
    line = ready.scale.outside_line(weights)
    window = np.argsort(-similar, kind="stable")[: settings.SEARCH_WINDOW]
    weak = window[similar[window] < line]
    ranked = np.where(similar >= line, similar, -10.0)
    ranked[weak] = np.minimum(spread.likenesses(spread.centred(photo), weights, ready.rows[weak]), line - 1e-6)
    return ranked


def _products(catalogue: "WorldOfPhotos", ranked: np.ndarray) -> list[int]:
    order = np.argsort(-ranked, kind="stable").tolist()
    return list(dict.fromkeys(catalogue.photos.products[order[: 5 * _TOP]].tolist()))[:_TOP]


def _evenness(found: Sequence[Sequence[int]]) -> str:
    shares = np.bincount([product for products in found for product in products]) / len(found)
    return f"{shares.max():.3f} ({(shares > 0.1).sum()} above .1; {(shares > 0).sum()} found)"


def _clothes(catalogue: "WorldOfPhotos", found: Sequence[Sequence[int]]) -> str:
    """Mean share of stickers that show clothes: what photographs of clothes had better find."""
    if _CLOTHES not in catalogue.names:
        return "-"
    category = catalogue.names.index(_CLOTHES)
    clothes = set(catalogue.photos.products[catalogue.photos.categories == category].tolist())
    return f"{np.mean([product in clothes for products in found for product in products]):.3f}"


def cost(catalogue: "WorldOfPhotos", crowd: "Crowd", weights: Mapping[str, float]) -> str:
    """What the catalogue's own photos lose, held out by product: right categories among the first ten and four."""
    from search.generations.known_pairs import world_of
    from search.outside.world import folds

    figures = []
    for taught, asking in folds(catalogue.photos.products, seed=2):
        rest, photos = catalogue.among(taught), catalogue.among(asking)
        _name, projection = next(projections(rest))
        ready = Ready.of(rest, projection, weights, world_of(rest.photos))
        seen = crowd.seen_by(projection)
        similar, told = ready.similarities(photos.vectors, weights), ready.outside(photos.vectors, weights)
        for place, photo in enumerate(photos.vectors):
            ranked = _ranked(ready, similar[place], photo, weights, seen) if told[place] else similar[place]
            always = _ranked(ready, similar[place], photo, weights, seen)
            row = []
            for one in (similar[place], ranked, always):
                first = np.argsort(-one, kind="stable")[:_TOP]
                right = rest.photos.categories[first] == photos.photos.categories[place]
                row += [right.mean(), right[:_FIRST_ROW].mean()]
            figures.append(row)
    return " | ".join(f"{value:.3f}" for value in np.mean(figures, axis=0))


def measure(folder: Path, packages: Path | None, cache: Path | None, only: str | None) -> None:
    from django.conf import settings

    from bench.worlds import Worlds
    from search.encoders import get_encoder

    encoder = get_encoder(settings.SEARCH_ENCODER)
    worlds = Worlds(encoder, cache)
    packages = packages or settings.BASE_DIR / "node_modules"
    products, stickers, everyday = worlds.products(folder), worlds.stickers(packages), worlds.everyday()
    ways = {"as by default": encoder.default_weights, "content alone": {"deep": 1.0}}
    print(encoder.identity, dict(encoder.default_weights))
    if only != "hubs":
        no_match(products, [everyday, stickers], ways)
        no_match(stickers, [everyday, products], ways)
    if only != "no-match":
        evenness_and_cost(products, stickers, ways)


def evenness_and_cost(
    products: "WorldOfPhotos", stickers: "WorldOfPhotos", ways: Mapping[str, Mapping[str, float]]
) -> None:
    print("\nHubs: the largest share of top tens that one product is in, before, after, and of the later photos")
    print("| photos | before | after | after, from the 501st on | share of clothes before | after |")
    print("|---|---|---|---|---|---|")
    other_kinds = stickers.among(stickers.photos.categories != stickers.names.index(_CLOTHES))
    crowds = {}
    for way, weights in ways.items():
        print(f"| *{way}* | | | | | |")
        for catalogue, asking in ((stickers, products), (other_kinds, products), (products, stickers)):
            crowds[way, catalogue.name, len(catalogue.vectors)] = hubs(catalogue, asking, weights)
    print("\nCost for the catalogue's own photos: P@10 and first four, before | as built | if all were corrected")
    for way, weights in ways.items():
        for catalogue in (products, stickers):
            crowd = crowds[way, catalogue.name, len(catalogue.vectors)]
            if crowd is not None:
                print(f"| {catalogue.name} | {way} | {cost(catalogue, crowd, weights)} |")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.outside", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs, a folder for each category")
    parser.add_argument("--only", choices=("no-match", "hubs"), help="leave out the other measurement")
    parser.add_argument("--packages", type=Path, help="folder with the demo's packages (default: node_modules)")
    parser.add_argument("--cache", type=Path, help="folder in which embeddings are kept for the next time")
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imgsite.settings")
    os.environ.setdefault("DEBUG", "true")  # no site is served, so no secret is needed
    import django

    django.setup()
    measure(given.photos, given.packages, given.cache, given.only)


if __name__ == "__main__":
    main()
