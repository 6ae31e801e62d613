"""The documents of one generation as NumPy columns in memory.

Rows are only appended, and an edited document is a new row: what a reader holds never changes under it. Which rows
are alive is copied for each snapshot. Columns have one writer (``Store``, under its lock) and any number of readers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from search.engines.base import Fields
from search.engines.counting import facet_values, label_values
from search.engines.embedded.arrays import Codes, Growing, recoded
from search.engines.embedded.snapshot import Snapshot

SMALLEST = 1_024  # rows; fewer are not worth clearing away
DEAD_SHARE = 0.25  # of all rows, before they are cleared away
NOBODY = -1

ROW = np.dtype(
    [
        ("pk", np.int64),
        ("key_high", np.uint64),
        ("key_low", np.uint64),
        ("product", np.int32),
        ("uploader", np.int32),
        ("public", np.bool_),
        ("has_vector", np.bool_),
        ("price", np.float64),
        ("created", np.int64),
        ("terms_end", np.int64),
    ]
)


@dataclass(frozen=True)
class Entry:
    """One document as it is appended."""

    pk: int
    key: UUID
    vector: bytes | memoryview | None  # little-endian float32
    fields: Fields


class Columns:
    """Everything in memory about one generation's documents."""

    def __init__(self) -> None:
        self.matrix = Growing(np.float32, 0)
        self.columns = {name: Growing(ROW[name]) for name in ROW.names or ()}
        self.terms = Growing(np.int32)
        self.keys: list[UUID] = []
        self.products: Codes[str] = Codes()
        self.uploaders: Codes[str] = Codes()
        self.facet_values: Codes[tuple[str, str]] = Codes()
        self._row_of: dict[int, int] = {}
        self._dead: set[int] = set()

    def reserve(self, rows: int) -> None:
        self.matrix.reserve(rows)
        for column in self.columns.values():
            column.reserve(rows)

    def remove(self, pks: Sequence[int]) -> None:
        """Mark the documents' rows as dead; unknown documents do not matter."""
        self._dead.update(row for pk in pks if (row := self._row_of.pop(pk, None)) is not None)

    def append(self, entries: Sequence[Entry]) -> None:
        """Add documents; one that is there already has its old row marked as dead."""
        self.remove([entry.pk for entry in entries])
        first = len(self.keys)
        self._append_vectors([entry.vector for entry in entries])
        rows, terms, end = [], [], len(self.terms)
        for place, entry in enumerate(entries):
            fields = entry.fields
            codes = [self.facet_values.of(value) for value in (*facet_values(fields), *label_values(fields))]
            terms += codes
            end += len(codes)
            rows.append(
                (
                    entry.pk,
                    entry.key.int >> 64,
                    entry.key.int & 0xFFFF_FFFF_FFFF_FFFF,
                    self.products.of(fields.product),
                    NOBODY if fields.uploader is None else self.uploaders.of(fields.uploader),
                    fields.status == "approved" and fields.published,
                    entry.vector is not None,
                    np.nan if fields.price is None else fields.price,
                    fields.created,
                    end,
                )
            )
            self.keys.append(entry.key)
            self._row_of[entry.pk] = first + place
        table = np.array(rows, ROW)
        for name, column in self.columns.items():
            column.extend(table[name])
        self.terms.extend(np.array(terms, np.int32))

    def _append_vectors(self, vectors: Sequence[bytes | memoryview | None]) -> None:
        """Rows of the matrix; a document without a vector has a row of zeros, so that rows stay in step."""
        given = [vector for vector in vectors if vector is not None]
        width = self.matrix.rows.shape[1] or (len(given[0]) // 4 if given else 0)
        if width != self.matrix.rows.shape[1]:
            # Until now no document had a vector, and the dimension was not known.
            rows = len(self.matrix)
            self.matrix = Growing(np.float32, width, room=self.matrix.room)
            self.matrix.extend(np.zeros((rows, width), np.float32))
        block = np.zeros((len(vectors), width), np.float32)
        if given:
            numbers = np.frombuffer(b"".join(given), dtype="<f4").reshape(-1, width)
            block[[vector is not None for vector in vectors]] = numbers
        self.matrix.extend(block)

    @property
    def wants_compaction(self) -> bool:
        return len(self.keys) > SMALLEST and len(self._dead) > DEAD_SHARE * len(self.keys)

    def compacted(self) -> "Columns":
        """The same documents without the dead rows, in new arrays: readers keep the old ones."""
        alive = self._alive()
        rows = np.flatnonzero(alive)
        old = {name: column.rows for name, column in self.columns.items()}
        lengths = np.diff(old["terms_end"], prepend=0)
        new = Columns()
        new.keys = [self.keys[row] for row in rows.tolist()]
        product, new.products = recoded(old["product"][rows], self.products)
        uploader, new.uploaders = recoded(old["uploader"][rows], self.uploaders)
        terms, new.facet_values = recoded(self.terms.rows[np.repeat(alive, lengths)], self.facet_values)
        new.terms.extend(terms)
        replaced = {"product": product, "uploader": uploader, "terms_end": np.cumsum(lengths[rows])}
        for name, column in new.columns.items():
            column.extend(replaced[name] if name in replaced else old[name][rows])
        new.matrix = Growing(np.float32, self.matrix.rows.shape[1])
        new.matrix.extend(self.matrix.rows[rows])
        new._row_of = {pk: row for row, pk in enumerate(new.columns["pk"].rows.tolist())}
        return new

    def _alive(self) -> np.ndarray:
        alive = np.ones(len(self.keys), np.bool_)
        alive[list(self._dead)] = False
        return alive

    def snapshot(self) -> Snapshot:
        """What is there now, for readers."""
        return Snapshot(
            matrix=self.matrix.rows,
            alive=self._alive(),
            terms=self.terms.rows,
            keys=self.keys,
            products=self.products.values,
            uploaders=self.uploaders,
            facet_values=self.facet_values,
            **{name: column.rows for name, column in self.columns.items()},
        )
