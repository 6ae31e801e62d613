"""How a generation's index is laid out and asked: its type, the HNSW graph's settings, and how widely a query looks."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

GRAPHS = ("hnsw", "int8_hnsw", "int4_hnsw", "bbq_hnsw")
SCANS = ("flat", "int8_flat", "int4_flat", "bbq_flat")
SCRIPT = "script_score"
TYPES = (*GRAPHS, *SCANS, SCRIPT)
MOST_CANDIDATES = 10_000  # Elasticsearch's own bound

# Of each number, the least and the most.
BOUNDS = {"m": (2, 512), "ef_construction": (2, 3_200), "candidates": (1, MOST_CANDIDATES), "oversample": (1, 10)}


class BadIndexSettings(ValueError):
    """Index settings that cannot be used; the text names the setting and what it may be."""


@dataclass(frozen=True)
class IndexSettings:
    """One generation's index settings, as ``Generation.index_options`` keeps them.

    The embedded engine is always exact and ignores them. ``script_score`` is exact on Elasticsearch by a script that
    reads every vector; the ``flat`` types compare every vector inside the engine, quantised ones first by few bits.
    """

    type: str = "int8_hnsw"
    m: int = 16  # neighbours of a vector in the graph
    ef_construction: int = 100  # candidates for them while the graph is built
    candidates: int | None = None  # at least so many are looked at for a query; None leaves it to the window's size
    oversample: float = 2.0  # of quantised types: so many times the window are scored again by their true vectors

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """
        :raises BadIndexSettings: for a name or a value that is not known
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(given.keys() - known):
            raise BadIndexSettings(f"There is no index setting {unknown[0]!r}. There are: {', '.join(sorted(known))}.")
        if given.get("type", cls.type) not in TYPES:
            raise BadIndexSettings(f"The index type {given['type']!r} is unknown. Types: {', '.join(TYPES)}.")
        for name, (least, most) in BOUNDS.items():
            value = given.get(name)
            numeric = isinstance(value, int | float if name == "oversample" else int) and not isinstance(value, bool)
            if name in given and value is not None and not (numeric and least <= value <= most):
                raise BadIndexSettings(f"The index setting {name} is {value!r}; it is a number from {least} to {most}.")
        values = {name: value for name, value in given.items() if value is not None}
        if str(values.get("type", "")).startswith("bbq_"):  # one bit a number chooses too roughly for twice as many
            values.setdefault("oversample", 3.0)
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def is_graph(self) -> bool:
        return self.type in GRAPHS

    @property
    def is_exact(self) -> bool:
        """Whether every vector is compared by its true numbers."""
        return self.type in ("flat", SCRIPT)

    @property
    def is_quantised(self) -> bool:
        return self.type not in ("hnsw", "flat", SCRIPT)

    def __str__(self) -> str:
        return f"{self.type} (m {self.m}, ef_construction {self.ef_construction})" if self.is_graph else self.type


DEFAULT_SETTINGS = IndexSettings()
