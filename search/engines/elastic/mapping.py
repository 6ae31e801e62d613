"""A generation's index: names, settings, strict mapping, and what a document looks like in it."""

from collections.abc import Mapping as Dictionary
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from elasticsearch.dsl import Boolean, DenseVector, Double, Field, Keyword, Long, Mapping, Object, Text

from search.engines.base import FACETS, Document, IndexSpec
from search.engines.index_settings import SCRIPT, IndexSettings

VECTOR, KEY, PRODUCT = "vector", "key", "product"
COSINE = f"cosineSimilarity(params.query_vector, '{VECTOR}') + 1.0"  # a score must not be negative
WORDS = ("title", "tags", "description")
_SETTINGS = {
    "number_of_shards": 1,  # counts of products are exact only within one shard
    "auto_expand_replicas": "0-1",
    # Said, though it is the default: an index without it stops refreshing when nobody searches, and the next search
    # waits for a graph to be built.
    "refresh_interval": "1s",
    # How long a deletion's version is remembered; a stale put that comes later would bring the document back.
    "gc_deletes": "1h",
}


@dataclass(frozen=True)
class Names:
    """How indices and aliases of one installation are called."""

    prefix: str

    def index(self, generation: int) -> str:
        return f"{self.prefix}-g{generation}"

    def write(self, generation: int) -> str:
        """The alias that every write goes through.

        An index cannot have a name with capitals, an alias can: so no write can make an index of this name. The
        option ``require_alias`` alone does not do: Elasticsearch ignores it for deletions, and a deletion with a
        version makes the index that it misses.
        """
        return f"{self.index(generation)}-WRITE"

    @property
    def live(self) -> str:
        """The alias for outside tools; the application never searches it."""
        return f"{self.prefix}-live"

    @property
    def every(self) -> str:
        return f"{self.prefix}-g*"


def mapping_of(spec: IndexSpec) -> dict[str, Any]:
    mapping = Mapping()
    mapping.meta("dynamic", "strict")
    # Documents are only ever written whole, from the database, and hits are read from doc values.
    mapping.meta("_source", excludes=[VECTOR, "words"])
    for name, field in _fields().items():
        mapping.field(name, field)
    mapping.field(VECTOR, _vector(spec))
    return mapping.to_dict()


def field_mappings() -> dict[str, Any]:
    """Everything but the vector: what an index that an earlier release made can be given later."""
    return {name: field.to_dict() for name, field in _fields().items()}


def _fields() -> dict[str, Field]:
    keywords = (KEY, PRODUCT, "status", "uploader", "labels", *FACETS)
    return {name: Keyword() for name in keywords} | {
        "published": Boolean(),
        "price": Double(),
        "created": Long(),
        # Texts come analysed: tokens between spaces.
        "words": Object(properties={name: Text(analyzer="whitespace") for name in WORDS}),
    }


def _vector(spec: IndexSpec) -> DenseVector:
    if spec.settings.type == SCRIPT:  # only the script reads it
        return DenseVector(dims=spec.dimension, index=False)
    return DenseVector(
        dims=spec.dimension, index=True, similarity="dot_product", index_options=index_options(spec.settings)
    )


def index_options(settings: IndexSettings) -> dict[str, Any]:
    options: dict[str, Any] = {"type": settings.type}
    if settings.is_graph:
        options |= {"m": settings.m, "ef_construction": settings.ef_construction}
    return options


def index_body(spec: IndexSpec, names: Names) -> dict[str, Any]:
    return {
        "settings": _SETTINGS,
        "mappings": mapping_of(spec),
        "aliases": {names.write(spec.generation): {}},
    }


def source_of(document: Document) -> Dictionary[str, Any]:
    """What is sent for a document, ready for orjson."""
    source = asdict(document.fields) | {KEY: document.key.hex, "words": dict(document.words)}
    if document.vector is not None:
        source[VECTOR] = np.ascontiguousarray(document.vector, np.float32)
    return source
