"""Learning the axes along which the values of labels lie apart: discriminant axes, then trained by a proxy loss.

The start are Fisher's axes under a shrunk within-class covariance, which few photos tell already. From there the axes
and a proxy for each value are trained by normalised softmax (Zhai and Wu, 2019), until photos that are kept apart gain
nothing any more: with few photos that is soon.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from search.encoders.networks.devices import prepare_torch
from search.tuning.labelled import Labels

SHRINKAGE = 0.4  # of the within-class covariance to a ball: chosen on photographs, docs/tuning.md
MOST_STEPS = 40
_PATIENCE = 3  # looks at the watched photos without a gain
_LOOK_EVERY = 4  # steps
_DEPTH = 10  # photos that are found for a watched one
_RATE = 1e-3
_SCALE = 8.0  # of cosines, before the softmax
_SMOOTHING = 0.1
_DROPPED = 0.5  # of the inputs in each step
_FEW = 4  # so many times fewer photos than numbers of each leave most of their space empty
_TINY = 1e-30
_BESIDE = 0.5  # weight of other kinds of labels beside the categories


@dataclass(frozen=True)
class Axes:
    """``matrix`` is ``(d, k)`` float32, for rows that are centred; ``steps`` is how long it was trained."""

    matrix: np.ndarray
    steps: int


def learnt_axes(
    rows: np.ndarray,
    kinds: Sequence[Labels],
    most: int,
    *,
    watched: np.ndarray | None = None,
    steps: int = MOST_STEPS,
    seed: int = 0,
    tick: Callable[[], None] = lambda: None,
) -> Axes:
    """
    :param rows: ``(n, d)`` float32, centred
    :param kinds: the categories first, of which every photo that is learnt from has one
    :param most: axes
    :param watched: ``(n,)`` bool: photos that are not learnt from, but say when to stop; without, ``steps`` are made
    """
    if len(rows) * _FEW < rows.shape[1]:
        # Few photos fill a small space: learning in it takes a fraction of the time, and cosines are the same.
        basis = np.linalg.svd(rows, full_matrices=False)[2].T
        learnt = _learnt(rows @ basis, rows.shape[1], kinds, most, watched, steps, seed, tick)
        return Axes(np.ascontiguousarray(basis @ learnt.matrix, dtype=np.float32), learnt.steps)
    return _learnt(rows, rows.shape[1], kinds, most, watched, steps, seed, tick)


def _learnt(
    rows: np.ndarray,
    width: int,
    kinds: Sequence[Labels],
    most: int,
    watched: np.ndarray | None,
    steps: int,
    seed: int,
    tick: Callable[[], None],
) -> Axes:
    taught = np.ones(len(rows), dtype=bool) if watched is None else ~watched
    spread = _spread(rows[taught], kinds[0].values[taught], width)
    starts = [_discriminant(rows[taught], labels.values[taught], spread) for labels in kinds]
    weights = [1.0, *[_BESIDE] * (len(kinds) - 1)]
    start = np.concatenate([weight * one for weight, one in zip(weights, starts, strict=True)], axis=1)[:, :most]
    trained, made = _trained(rows @ spread, start, kinds, weights, taught, steps, seed, tick)
    return Axes(np.ascontiguousarray(spread @ trained, dtype=np.float32), made)


def _spread(rows: np.ndarray, values: np.ndarray, width: int) -> np.ndarray:
    """``(d, d)``: what makes the shrunk covariance within the classes a ball.

    :param width: of the space that the rows come from, whose other directions hold nothing
    """
    within = rows - _means(rows, values)[values.argmax(axis=1)]
    covariance = within.T.astype(np.float64) @ within / len(rows)
    lengths, directions = np.linalg.eigh(covariance)
    ball = max(float(np.trace(covariance)) / width, _TINY)
    shrunk = (1 - SHRINKAGE) * np.maximum(lengths, 0) + SHRINKAGE * ball
    return np.asarray(directions / np.sqrt(shrunk), dtype=np.float32)


def _discriminant(rows: np.ndarray, values: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """``(d, k)``: the axes along which the values' means lie apart, in the space of ``spread``."""
    present = values[:, values.any(axis=0)]
    means = _means(rows, present) @ spread
    _left, lengths, axes = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    kept = lengths > 1e-6 * max(float(lengths.max(initial=0.0)), _TINY)
    return np.asarray(axes[kept].T, dtype=np.float32)


def _means(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.asarray(values.T.astype(np.float32) @ rows / np.maximum(values.sum(axis=0), 1)[:, None])


def _trained(
    inputs: np.ndarray,
    start: np.ndarray,
    kinds: Sequence[Labels],
    weights: Sequence[float],
    taught: np.ndarray,
    steps: int,
    seed: int,
    tick: Callable[[], None],
) -> tuple[np.ndarray, int]:
    """The axes after the step at which the watched photos did best, and that step; 0 is the start itself."""
    import torch
    from torch.nn.functional import normalize

    prepare_torch()
    draw = torch.Generator().manual_seed(seed)
    everything = torch.from_numpy(np.ascontiguousarray(inputs, dtype=np.float32))
    everything /= everything.norm(dim=1).mean().clamp(min=1e-9)
    learning, watched = (everything[torch.from_numpy(rows)] for rows in (taught, ~taught))
    matrix = torch.from_numpy(start.copy()).requires_grad_()
    targets = [_targets(labels, taught) for labels in kinds]
    with torch.no_grad():
        placed = normalize(learning @ matrix, dim=1)
    proxies = [(mine.T @ placed).requires_grad_() for mine, _theirs in targets]
    optimiser = torch.optim.Adam([matrix, *proxies], lr=_RATE)
    best, best_loss, best_step, looked = start, float("inf"), 0, 0
    for step in range(steps + 1):
        if len(watched) and step % _LOOK_EVERY == 0:
            with torch.no_grad():
                loss = -_precision(watched @ matrix, learning @ matrix, *targets[0])
            if loss < best_loss:
                best, best_loss, best_step, looked = matrix.detach().numpy().copy(), loss, step, 0
            elif (looked := looked + 1) >= _PATIENCE:
                break
        if step == steps:
            break
        tick()
        kept = (torch.rand(learning.shape, generator=draw) >= _DROPPED) / (1 - _DROPPED)
        optimiser.zero_grad()
        _loss((learning * kept) @ matrix, [mine for mine, _theirs in targets], proxies, weights).backward()
        optimiser.step()
    return (best, best_step) if len(watched) else (matrix.detach().numpy(), steps)


def _targets(labels: Labels, taught: np.ndarray) -> tuple[Any, Any]:
    """``(n, v)`` of the photos that are learnt from, and of the watched: rows sum to 1, or to 0 without a label."""
    import torch

    values = labels.values[:, labels.values[taught].any(axis=0)].astype(np.float32)
    shares = torch.from_numpy(values / np.maximum(values.sum(axis=1, keepdims=True), 1))
    return shares[torch.from_numpy(taught)], shares[torch.from_numpy(~taught)]


def _precision(asking: Any, found: Any, mine: Any, theirs: Any) -> float:
    """The share of right ones among the first ten that the watched photos find: what a search is judged by."""
    from torch.nn.functional import normalize

    similar = normalize(asking, dim=1) @ normalize(found, dim=1).T
    first = similar.topk(min(_DEPTH, similar.shape[1]), dim=1).indices
    right = (theirs @ (mine > 0).float().T > 0).float()
    return float(right.gather(1, first).mean())


def _loss(placed: Any, targets: Sequence[Any], proxies: Sequence[Any], weights: Sequence[float]) -> Any:
    """The mean cross-entropy over the photos that have a label, summed over the kinds of labels."""
    from torch.nn.functional import log_softmax, normalize

    unit, total = normalize(placed, dim=1), placed.sum() * 0
    for wanted, among, weight in zip(targets, proxies, weights, strict=True):
        said = log_softmax(_SCALE * unit @ normalize(among, dim=1).T, dim=1)
        has = wanted.sum(dim=1, keepdim=True)
        smooth = (1 - _SMOOTHING) * wanted + _SMOOTHING * has / max(wanted.shape[1], 1)
        total = total - weight * (smooth * said).sum() / has.sum().clamp(min=1)
    return total
