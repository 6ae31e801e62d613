"""One moment of a generation's columns, and the masks over its rows. Never changes; any thread may read it."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

import numpy as np

from gallery.visibility import Visibility
from search.engines.base import IMAGE_FACETS, EngineHit, Sort
from search.engines.counting import Row
from search.engines.embedded.arrays import Codes

_CACHED = 64  # masks, of one byte a row


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Columns of ``n`` rows. ``keys``, ``products`` and codes may hold more by now; rows here never refer to that."""

    matrix: np.ndarray  # (n, dimension) float32; zeros without a vector
    alive: np.ndarray  # (n,) bool
    pk: np.ndarray  # (n,) int64: of EmbeddedDocument
    key_high: np.ndarray  # (n,) uint64
    key_low: np.ndarray  # (n,) uint64
    product: np.ndarray  # (n,) int32: place in ``products``
    uploader: np.ndarray  # (n,) int32: code, negative for none
    public: np.ndarray  # (n,) bool
    has_vector: np.ndarray  # (n,) bool
    price: np.ndarray  # (n,) float64, NaN for none
    created: np.ndarray  # (n,) int64
    terms_end: np.ndarray  # (n,) int64: where the row's facet values end in ``terms``
    terms: np.ndarray  # int32: codes of facet values, row after row
    keys: list[UUID]
    products: list[str]
    uploaders: Codes[str]
    facet_values: Codes[tuple[str, str]]
    _cache: dict[Hashable, np.ndarray] = field(init=False, default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.alive)

    @cached_property
    def product_count(self) -> int:
        """Products up to the highest place that a row has."""
        return int(self.product.max(initial=-1)) + 1

    @cached_property
    def term_counts(self) -> np.ndarray:
        """``(n,)``: how many facet values each row has."""
        return np.diff(self.terms_end, prepend=0)

    # --- Masks: (n,) bool, not to be written to -----------------------------------------------------------

    def visible_to(self, who: Visibility) -> np.ndarray:
        if who.kind == "moderation":
            return self.alive
        public = self._cached("public", lambda: self.alive & self.public)
        code = self.uploaders.get(str(who.user_id)) if who.kind == "own" else None
        return public if code is None else public | (self.alive & (self.uploader == code))

    def having(self, facet: str, values: Sequence[str]) -> np.ndarray:
        """Rows with at least one of these values."""
        return self._cached((facet, tuple(values)), lambda: self._having(facet, values))

    def _having(self, facet: str, values: Sequence[str]) -> np.ndarray:
        mask = np.zeros(len(self), np.bool_)
        for value in values:
            code = self.facet_values.get((facet, value))
            if code is not None:
                # Values lie row after row, so the row of a place is the first that ends beyond it.
                mask[np.searchsorted(self.terms_end, np.flatnonzero(self.terms == code), side="right")] = True
        return mask

    def priced(self, lowest: float | None, highest: float | None) -> np.ndarray:
        """Rows with a price between these, both included."""
        mask = ~np.isnan(self.price)
        if lowest is not None:
            mask &= self.price >= lowest
        if highest is not None:
            mask &= self.price <= highest
        return mask

    def without(self, mask: np.ndarray, keys: Sequence[UUID]) -> np.ndarray:
        """The mask less these documents."""
        for key in keys:
            low, high = np.uint64(key.int & 0xFFFF_FFFF_FFFF_FFFF), np.uint64(key.int >> 64)
            mask = mask & ~((self.key_low == low) & (self.key_high == high))
        return mask

    def _cached(self, name: Hashable, make: Callable[[], np.ndarray]) -> np.ndarray:
        mask = self._cache.get(name)
        if mask is None:
            mask = make()
            mask.flags.writeable = False
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            self._cache[name] = mask
        return mask

    # --- Rows ---------------------------------------------------------------------------------------------

    def rows_of(self, pks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows of these documents, and which of the documents are here: ``(m,)`` int64, ``(n,)`` bool."""
        if len(self) == 0:
            return np.empty(0, np.int64), np.zeros(len(pks), np.bool_)
        by_pk, ordered = self._by_pk
        # An edited document has several rows; the last one is what it is now.
        places = np.searchsorted(ordered, pks, side="right") - 1
        found = ordered[places] == pks
        return by_pk[places[found]], found

    @cached_property
    def _by_pk(self) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(self.pk, kind="stable")
        return order, self.pk[order]

    def in_order(self, sort: Sort) -> np.ndarray:
        """All rows, newest first or by price; equal ones by key, those without a price last."""
        return self._newest if sort in ("newest", "relevance") else self._by_price(descending=sort == "-price")

    @cached_property
    def _newest(self) -> np.ndarray:
        return np.lexsort((self.key_low, self.key_high, -self.created))

    def _by_price(self, descending: bool) -> np.ndarray:
        def order() -> np.ndarray:
            price = np.where(np.isnan(self.price), np.inf, -self.price if descending else self.price)
            return np.lexsort((self.key_low, self.key_high, price))

        return self._cached(("order", "price", descending), order)

    def best(self, rows: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Places in ``rows`` from the highest score to the lowest, equal ones by key."""
        return np.lexsort((self.key_low[rows], self.key_high[rows], -scores))

    def firsts(self, rows: np.ndarray) -> np.ndarray:
        """Of these rows the first of each product, in their order."""
        products = self.product[rows]
        places = np.arange(len(rows))
        first = np.empty(self.product_count, np.intp)
        first[products[::-1]] = places[::-1]  # of several assignments the last one stays
        return rows[first[products] == places]

    def hits(self, rows: np.ndarray, scores: np.ndarray) -> list[EngineHit]:
        columns = (self.product[rows], scores, self.price[rows], self.created[rows])
        return [
            EngineHit(self.keys[row], self.products[product], score, None if price != price else price, created)
            for row, product, score, price, created in zip(
                rows.tolist(), *(column.tolist() for column in columns), strict=True
            )
        ]

    def counted_of_images(self, rows: np.ndarray) -> dict[tuple[str, str], int]:
        """Products with at least one of these rows, per value of ``IMAGE_FACETS``."""
        having, places, values = self._image_values
        chosen = np.zeros(len(self), np.bool_)
        chosen[rows] = True
        kept = chosen[having]
        table = np.zeros((self.product_count, len(values)), np.bool_)
        table[self.product[having[kept]], places[kept]] = True
        return {value: n for value, n in zip(values, table.sum(axis=0).tolist(), strict=True) if n}

    @cached_property
    def _image_values(self) -> tuple[np.ndarray, np.ndarray, list[tuple[str, str]]]:
        """Every value of ``IMAGE_FACETS`` that a row has: ``(m,)`` rows, ``(m,)`` places in the list of values."""
        names = self.facet_values.values
        codes = [code for code, (facet, _value) in enumerate(names) if facet in IMAGE_FACETS]
        here = np.isin(self.terms, codes)
        having = np.repeat(np.arange(len(self)), self.term_counts)[here]
        return having, np.searchsorted(codes, self.terms[here]), [names[code] for code in codes]

    def counted(self, rows: np.ndarray) -> list[Row]:
        """What is counted of these rows."""
        values = self.facet_values.values
        ends = self.terms_end[rows]
        starts = ends - self.term_counts[rows]
        return [
            Row(
                self.products[product],
                [values[code] for code in self.terms[start:end].tolist()],
                None if price != price else price,
            )
            for product, start, end, price in zip(
                self.product[rows].tolist(), starts.tolist(), ends.tolist(), self.price[rows].tolist(), strict=True
            )
        ]
