"""Paired timings. Absolute times of a shared machine are noise; ratios of turns taken side by side are not."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """Milliseconds of the application and of its denominator, over ``n`` turns each."""

    name: str
    denominator: str
    n: int
    p50_ms: float
    p95_ms: float
    denominator_p50_ms: float
    denominator_p95_ms: float
    ratio: float  # of the medians
    target: str

    def __str__(self) -> str:
        return (
            f"{self.name}\n    {self.ratio:.2f} x {self.denominator}  ({self.target}; n = {self.n})\n"
            f"    p50 {self.p50_ms:.2f} against {self.denominator_p50_ms:.2f} ms, overhead "
            f"{self.p50_ms - self.denominator_p50_ms:.2f} ms; p95 {self.p95_ms:.2f} against "
            f"{self.denominator_p95_ms:.2f} ms"
        )

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def compare(
    name: str,
    ours: Callable[[int], object],
    denominator: str,
    theirs: Callable[[int], object],
    *,
    n: int,
    target: str,
    warm: int = 5,
) -> Comparison:
    """Time both in turn, A B B A, so that neither profits from the other's caches or from a quiet moment.

    :param ours: called with the number of the turn; so is ``theirs``, which must do the same work for that number
    """
    for turn in range(warm):
        ours(turn)
        theirs(turn)
    mine, bare = [], []
    for turn in range(n):
        order = ((ours, mine), (theirs, bare)) if turn % 2 else ((theirs, bare), (ours, mine))
        for call, times in order:
            started = time.perf_counter()
            call(turn)
            times.append((time.perf_counter() - started) * 1000)
    return Comparison(
        name=name,
        denominator=denominator,
        n=n,
        p50_ms=float(np.median(mine)),
        p95_ms=float(np.quantile(mine, 0.95)),
        denominator_p50_ms=float(np.median(bare)),
        denominator_p95_ms=float(np.quantile(bare, 0.95)),
        ratio=float(np.median(mine) / np.median(bare)),
        target=target,
    )
