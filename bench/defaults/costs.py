"""What the ways cost: photographs encoded and windows ranked anew, each against what is there now."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings

from bench.defaults import ranking
from bench.defaults.features import Maps, in_shapes, opened
from bench.defaults.views import VIEWS
from bench.installation import Options
from bench.questions import Question, questions
from bench.timing import Comparison, side_by_side
from gallery import visibility
from gallery.models import Image
from search.engines import get_engine
from search.engines.base import Request
from search.models import Embedding, Generation
from search.projection import Projection

_BATCH = 8  # photographs of one turn
_WARM_UP = 2
_RANKINGS: Mapping[str, ranking.Rerank] = {"query expansion": ranking.expansion(10), "k-reciprocal": ranking.reciprocal}

Passes = tuple[tuple[int, str], ...]


def encoding(ways: Sequence[Passes], paths: Sequence[Path], runs: int) -> dict[Passes, float]:
    """Photographs a second from file to features, as a share of what the first way makes; all in turn."""
    networks = {variant: Maps(variant) for passes in ways for variant, _view in passes}

    def encode(passes: Passes, turn: int) -> None:
        start = turn * _BATCH % max(1, len(paths) - _BATCH)
        pictures = [opened(path) for path in paths[start : start + _BATCH]]
        for variant, view in passes:
            in_shapes(networks[variant], [VIEWS[view](one, networks[variant].input_size) for one in pictures])

    times = side_by_side({str(passes): partial(encode, passes) for passes in ways}, runs, _WARM_UP)
    return {passes: times[0].ms(0.5) / one.ms(0.5) for passes, one in zip(ways, times, strict=True)}


def reranking(options: Options) -> list[Comparison]:
    """On each engine: to read a window's vectors and rank them anew, against the request that found the window.

    Neither engine answers with vectors. They are read from the stored embeddings and projected, as for the scores of
    the parts that a page shows; beside that stands what the ranking alone takes.
    """
    generations = Generation.objects.filter(engine__in=options.engines).order_by("pk")
    return [one for generation in generations for one in _on(generation, options)]


def _on(generation: Generation, options: Options) -> list[Comparison]:
    engine, projection = get_engine(generation.engine), generation.projection
    engine.warm(generation.spec)
    asked = questions(generation)
    windows = [[hit.key for hit in engine.search(_request(generation, one)).hits] for one in asked]

    def search(turn: int) -> object:
        return engine.search(_request(generation, asked[turn % len(asked)]))

    at_hand = [_window(window, generation, projection) for window in windows]

    def rerank(how: ranking.Rerank, is_read: bool, turn: int) -> object:
        place = turn % len(asked)
        query = projection.parts_of(asked[place].direction.vector)["deep"]
        return how(query, _window(windows[place], generation, projection) if is_read else at_hand[place])

    ways: dict[str, Callable[[int], object]] = {"kNN request": search}
    for name, how in _RANKINGS.items():
        ways[f"{name}, window read"] = partial(rerank, how, True)
        ways[f"{name}, vectors at hand"] = partial(rerank, how, False)
    bare, *others = side_by_side(ways, options.runs, _WARM_UP)
    facts = {"median of matches": int(np.median([len(window) for window in windows]))}
    return [
        Comparison(
            f"{one.what}: {generation.engine}, {options.size:,} vectors", one, bare, bound=0.5, goal=0.5, facts=facts
        )
        for one in others
    ]


def _request(generation: Generation, question: Question) -> Request:
    return Request(
        generation.pk,
        visibility.public,
        vector=question.direction.vector,
        floor=question.direction.floor,
        exclude=(question.key,),
        window=settings.SEARCH_WINDOW,
        index=generation.index_settings,
        facets=False,
    )


def _window(keys: Sequence[UUID], generation: Generation, projection: Projection) -> np.ndarray:
    """``(w, d)``: the part ``deep`` of the window's photos, projected, in their order."""
    hashes = dict(Image.objects.filter(pk__in=keys).order_by().values_list("pk", "sha256"))
    rows = Embedding.objects.by_hash(generation.encoder, hashes.values())
    deep = next(part for part in projection.parts if part.name == "deep")
    stored = np.stack([rows[hashes[key]].vectors["deep"] for key in keys])
    return ranking.projected(stored, (deep.centre, deep.matrix))
