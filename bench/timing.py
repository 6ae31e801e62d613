"""Timings side by side. Absolute times of a shared machine are noise; ratios of turns taken in turn are not."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Way = Callable[[int], object]


@dataclass(frozen=True)
class Times:
    """Seconds of ``n`` runs of one thing."""

    what: str
    seconds: Sequence[float]

    @property
    def n(self) -> int:
        return len(self.seconds)

    def ms(self, share: float) -> float:
        """The quantile, in milliseconds."""
        return float(np.quantile(self.seconds, share)) * 1000

    def as_json(self) -> dict[str, Any]:
        return {"what": self.what, "n": self.n, "p50_ms": round(self.ms(0.5), 3), "p95_ms": round(self.ms(0.95), 3)}


def side_by_side(ways: Mapping[str, Way], runs: int, warm_up: int) -> list[Times]:
    """Time each way once in every round: A B, B A, A B … so that none has the quiet moments or the warm caches.

    :param ways: name → function of the number of the round; in one round all must do the same work
    :param warm_up: rounds before the ``runs`` that count; numbers of rounds go on from them
    """
    seconds: list[list[float]] = [[] for _way in ways]
    order = list(zip(ways.values(), seconds, strict=True))
    for turn in range(warm_up + runs):
        for way, taken in order:
            started = time.perf_counter()
            way(turn)
            elapsed = time.perf_counter() - started
            if turn >= warm_up:
                taken.append(elapsed)
        order = order[1:] + order[:1]
    return [Times(what, taken) for what, taken in zip(ways, seconds, strict=True)]


@dataclass(frozen=True)
class Comparison:
    """The application against a denominator, by their medians.

    :param measure: ``time``: our time over theirs, which ``bound`` and ``goal`` limit from above; ``throughput``: our
        throughput over theirs, which they limit from below
    """

    name: str
    ours: Times
    denominator: Times
    measure: Literal["time", "throughput"] = "time"
    bound: float | None = None
    goal: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        ours, theirs = self.ours.ms(0.5), self.denominator.ms(0.5)
        return ours / theirs if self.measure == "time" else theirs / ours

    @property
    def overhead_ms(self) -> float:
        return self.ours.ms(0.5) - self.denominator.ms(0.5)

    @property
    def verdict(self) -> str:
        if self.bound is None or self.goal is None:
            return "no bound"
        sign, word = (1, "most") if self.measure == "time" else (-1, "least")
        met = [sign * self.ratio <= sign * limit for limit in (self.bound, self.goal)]
        said = "meets the goal" if all(met) else "meets the bound" if met[0] else "MISSES THE BOUND"
        return f"at {word} {self.bound:g}, goal {self.goal:g}: {said}"

    def __str__(self) -> str:
        width = max(len(self.ours.what), len(self.denominator.what))
        rows = [
            f"    {times.what:<{width}}  p50 {times.ms(0.5):9.2f} ms  p95 {times.ms(0.95):9.2f} ms  n {times.n}"
            for times in (self.ours, self.denominator)
        ]
        last = f"    {self.measure} ratio {self.ratio:.2f} ({self.verdict}), overhead {self.overhead_ms:.2f} ms"
        facts = ["    " + ", ".join(f"{name} {value}" for name, value in self.facts.items())] if self.facts else []
        return "\n".join([self.name, *rows, last, *facts])

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ours": self.ours.as_json(),
            "denominator": self.denominator.as_json(),
            "measure": self.measure,
            "ratio": round(self.ratio, 4),
            "overhead_ms": round(self.overhead_ms, 3),
            "bound": self.bound,
            "goal": self.goal,
            "facts": dict(self.facts),
        }
