"""The engine that needs nothing installed: vectors in the application's database, searched in this process.

Exact search over NumPy columns. Good to some 200,000 images; a system check says when to move on.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from uuid import UUID

import numpy as np
from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from search.engines.base import (
    Answer,
    Deletion,
    Document,
    Engine,
    Failure,
    Health,
    IndexMissing,
    IndexSpec,
    Request,
)
from search.engines.embedded import ranking
from search.engines.embedded.selection import Selection, WordMatches
from search.engines.embedded.snapshot import Snapshot
from search.engines.embedded.store import Store, missing, read_counter, stored_fields
from search.engines.embedded.words import text_index
from search.models import EmbeddedDocument, Generation

_CHUNK = 500  # keys in one statement; SQLite bounds the number of parameters
_STORES = 3  # generations held in memory: the live one, the one before, and one being looked at
_COLUMNS_BYTES = 150  # of memory for a document, beside its vector


class EmbeddedEngine(Engine):
    """One per process. Every write raises the generation's counter; every search compares it with what was read."""

    name = "embedded"

    def __init__(self) -> None:
        self._stores: OrderedDict[int, Store] = OrderedDict()
        self._lock = threading.Lock()

    def create(self, spec: IndexSpec) -> None:
        Generation.objects.filter(pk=spec.generation, embedded_revision=0).update(embedded_revision=1)

    def exists(self, generation: int) -> bool:
        return Generation.objects.filter(pk=generation, embedded_revision__gt=0).exists()

    @transaction.atomic
    def drop(self, generation: int) -> None:
        # The counter first: its row lock keeps writers out until everything is gone.
        Generation.objects.filter(pk=generation).update(embedded_revision=0)
        text_index().clear(generation)
        EmbeddedDocument.objects.filter(generation_id=generation).delete()
        self._forget(generation)

    @transaction.atomic
    def write(self, generation: int, documents: Sequence[Document], deletions: Sequence[Deletion]) -> list[Failure]:
        counter = Generation.objects.select_for_update().filter(pk=generation, embedded_revision__gt=0)
        revision = counter.values_list("embedded_revision", flat=True).first()
        if revision is None:
            raise missing(generation)
        operations: list[Document | Deletion] = [*documents, *deletions]
        accepted, failures = _newer(operations, _stored_versions(generation, [each.key for each in operations]))
        if accepted:
            _store(generation, revision + 1, accepted)
            Generation.objects.filter(pk=generation).update(embedded_revision=revision + 1)
        return failures

    def answer(self, generation: int, requests: Sequence[Request]) -> list[Answer]:
        """All of them of one moment; the same words are looked up once."""
        snapshot = self._store(generation).snapshot()
        words = WordMatches(snapshot, generation)
        return [self._answer(snapshot, request, words) for request in requests]

    @staticmethod
    def _answer(snapshot: Snapshot, request: Request, words: WordMatches) -> Answer:
        selection = Selection.of(snapshot, request, words)
        rank = ranking.catalogue if request.vector is None else ranking.window
        return rank(snapshot, request, selection)

    def keys_and_versions(self, generation: int) -> Iterator[tuple[UUID, int]]:
        read_counter(generation)
        return self._live(generation).values_list("key", "version").iterator(_CHUNK)

    def health(self, generation: int | None = None) -> Health:
        try:
            if generation is not None:
                read_counter(generation)
            live = self._live(generation)
            documents = live.count()
            vector = live.exclude(vector=None).values_list("vector", flat=True).first()
        except (DatabaseError, IndexMissing) as error:
            return Health(False, str(error))
        size = documents * (_COLUMNS_BYTES + len(vector or b""))
        detail = ngettext(
            "%(count)d image is kept in the database and searched in memory.",
            "%(count)d images are kept in the database and searched in memory.",
            documents,
        )
        return Health(True, detail % {"count": documents}, documents, size)

    def refresh(self, generation: int) -> None:
        """Nothing to do: what is committed is found."""

    def warm(self, spec: IndexSpec) -> None:
        self._store(spec.generation).snapshot()

    @staticmethod
    def _live(generation: int | None):
        live = EmbeddedDocument.objects.filter(deleted=False).order_by()
        return live if generation is None else live.filter(generation_id=generation)

    def _store(self, generation: int) -> Store:
        with self._lock:
            store = self._stores.setdefault(generation, Store(generation))
            self._stores.move_to_end(generation)
            if len(self._stores) > _STORES:
                self._stores.popitem(last=False)
            return store

    def _forget(self, generation: int) -> None:
        with self._lock:
            self._stores.pop(generation, None)


def _stored_versions(generation: int, keys: Sequence[UUID]) -> dict[UUID, int]:
    versions: dict[UUID, int] = {}
    for start in range(0, len(keys), _CHUNK):
        stored = EmbeddedDocument.objects.filter(generation_id=generation, key__in=keys[start : start + _CHUNK])
        versions.update(stored.values_list("key", "version"))
    return versions


def _newer(
    operations: Sequence[Document | Deletion], versions: dict[UUID, int]
) -> tuple[dict[UUID, Document | Deletion], list[Failure]]:
    """The last of each key's operations that is not older than what is stored, and those that are."""
    accepted: dict[UUID, Document | Deletion] = {}
    failures = []
    for operation in operations:
        stored = versions.get(operation.key, 0)
        if operation.version < stored:
            reason = _("Version %(version)d is older than version %(stored)d, which is stored.")
            reason %= {"version": operation.version, "stored": stored}
            failures.append(Failure(operation.key, reason, stored))
        else:
            accepted[operation.key] = operation
            versions[operation.key] = operation.version
    return accepted, failures


def _store(generation: int, revision: int, operations: dict[UUID, Document | Deletion]) -> None:
    """Put the rows and their words in place. A deleted document stays as a mark, so that every process learns of it
    and an older version cannot come back."""
    rows = {key: _row(generation, revision, operation) for key, operation in operations.items()}
    EmbeddedDocument.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["generation", "key"],
        update_fields=["version", "revision", "deleted", "vector", "fields", "words"],
    )
    text_index().replace(generation, {row.pk: row.words for row in rows.values() if not row.deleted})
    text_index().remove([row.pk for row in rows.values() if row.deleted])


def _row(generation: int, revision: int, operation: Document | Deletion) -> EmbeddedDocument:
    row = EmbeddedDocument(
        generation_id=generation, key=operation.key, version=operation.version, revision=revision, deleted=True
    )
    if isinstance(operation, Document):
        row.deleted = False
        row.fields = stored_fields(operation.fields)
        row.words = dict(operation.words)
        if operation.vector is not None:
            row.vector = np.ascontiguousarray(operation.vector, "<f4").tobytes()
    return row
