"""Documents for the engines' tests, and one index with short ways to fill and ask it."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from gallery.visibility import Visibility, moderation
from search.engines.base import Answer, Deletion, Document, Engine, Failure, Fields, Filters, IndexSpec, Request, Word
from search.engines.embedded.engine import EmbeddedEngine
from search.models import Generation
from search.text import analyse, query_phrases

DIMENSION = 16
QUERY = np.eye(1, DIMENSION, dtype=np.float32)[0]


def key(number: int) -> UUID:
    return UUID(int=number)


def towards(cosine: float) -> np.ndarray:
    """A ``(DIMENSION,)`` unit vector whose dot product with ``QUERY`` is the cosine."""
    vector = np.zeros(DIMENSION, dtype=np.float32)
    vector[0], vector[1] = cosine, np.sqrt(1 - cosine**2)
    return vector


def document(
    number: int,
    cosine: float | None = 0.9,
    *,
    version: int = 1,
    vector: np.ndarray | None = None,
    title: str = "",
    tag_words: str = "",
    description: str = "",
    **fields,
) -> Document:
    """An approved image of a published product of its own, unless said otherwise."""
    defaults = {"product": f"product-{number}", "status": "approved", "published": True, "created": 1_000 + number}
    if vector is None and cosine is not None:
        vector = towards(cosine)
    words = {"title": analyse(title), "tags": analyse(tag_words), "description": analyse(description)}
    return Document(key(number), version, Fields(**(defaults | fields)), words, vector)


def words(text: str) -> tuple[Word, ...]:
    """What the application asks for when somebody types this."""
    return tuple(Word(phrase) for phrase in query_phrases(text))


@dataclass
class Index:
    """One generation of one engine."""

    engine: Engine
    generation: int

    def write(self, documents: Iterable[Document] = (), deletions: Iterable[Deletion] = ()) -> list[Failure]:
        failures = self.engine.write(self.generation, list(documents), list(deletions))
        self.engine.refresh(self.generation)
        return failures

    def put(self, *documents: Document) -> None:
        assert self.write(documents) == []

    def search(self, visibility: Visibility = moderation, **asked) -> Answer:
        return self.engine.search(Request(self.generation, visibility, **asked))

    def window(self, visibility: Visibility = moderation, filters: Filters | None = None, **asked) -> list[int]:
        """Numbers of the matching images for ``QUERY``, best first."""
        answer = self.search(visibility, vector=QUERY, filters=filters or Filters(), **asked)
        return numbers(answer)

    def catalogue(self, visibility: Visibility = moderation, filters: Filters | None = None, **asked) -> list[int]:
        """Numbers of the images that stand for the products, without a picture."""
        return numbers(self.search(visibility, filters=filters or Filters(), **asked))

    def versions(self) -> dict[int, int]:
        return {found.int: version for found, version in self.engine.keys_and_versions(self.generation)}


def numbers(answer: Answer) -> list[int]:
    return [hit.key.int for hit in answer.hits]


def new_generation(engine: Engine) -> Generation:
    """The database's row of a generation; its index is not made yet."""
    return Generation.objects.create(engine=engine.name, encoder="drawn/1", projection_data=b"", weights={})


def new_embedded_index() -> Index:
    """An empty index of an embedded engine of its own, as each process has one."""
    engine = EmbeddedEngine()
    generation = new_generation(engine).pk
    engine.create(IndexSpec(generation, DIMENSION))
    return Index(engine, generation)


def rows_in_memory(index: Index) -> int:
    """Rows of an embedded index's columns, dead ones included."""
    return len(index.engine._store(index.generation).snapshot())
