"""A process's copy of one generation, kept in step with the database by its revision counter."""

import dataclasses
import threading
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection
from django.utils.translation import gettext as _

from search.engines.base import Fields, IndexMissing
from search.engines.embedded.columns import Columns, Entry
from search.engines.embedded.snapshot import Snapshot
from search.models import EmbeddedDocument, Generation

_CHUNK = 2_000  # rows
_FIELDS = tuple(each.name for each in dataclasses.fields(Fields))
ROOM_TO_GROW = 1.1  # so that the first uploads after a start copy no matrix


class Counter(NamedTuple):
    """Where a generation stands."""

    revision: int  # of the last write; 0 while there is no index
    made: object  # when the generation was made, as the database gives it: another one in its place has another


# Every search asks this, and the ORM takes longer to write the statement than the database to answer it.
_COUNTER = f"SELECT embedded_revision, created_at FROM {Generation._meta.db_table} WHERE id = %s"  # noqa: S608


def read_counter(generation: int) -> Counter:
    """One statement.

    :raises IndexMissing: when the generation has no index
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNTER, [generation])
        found = cursor.fetchone()
    if found is None or found[0] == 0:
        raise missing(generation)
    return Counter(*found)


def missing(generation: int) -> IndexMissing:
    return IndexMissing(_("Generation %(number)d has no index: build a new generation.") % {"number": generation})


def stored_fields(fields: Fields) -> dict[str, Any]:
    """Fields as JSON takes them."""
    return vars(fields)


def loaded_fields(data: dict[str, Any]) -> Fields:
    """Fields as JSON gave them back. Names that another release wrote are passed over."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value := data[name], list) else value for name in _FIELDS if name in data
    }
    return Fields(**values)


class Store:
    """Gives snapshots that are as new as the counter at the time of asking. Threads share one."""

    def __init__(self, generation: int):
        self._generation = generation
        self._lock = threading.Lock()
        self._columns = Columns()
        self._current: tuple[Counter, Snapshot] | None = None

    def snapshot(self) -> Snapshot:
        """One statement while nothing was written, else three: the counter twice, and the rows written since (and the
        first time how many they are).

        :raises IndexMissing: when the generation has no index
        """
        counter = read_counter(self._generation)
        current = self._current
        if current is None or current[0] != counter:
            current = self._refreshed()
        return current[1]

    def _refreshed(self) -> tuple[Counter, Snapshot]:
        with self._lock:
            # Read again: while this thread waited for the lock, another may have loaded what this one lacked.
            counter = read_counter(self._generation)
            if self._current and self._current[0] == counter:
                return self._current
            after = self._current[0].revision if self._current and self._continues(counter) else 0
            if after == 0:
                self._columns = Columns()
            newest = self._load(after)
            if self._columns.wants_compaction:
                self._columns = self._columns.compacted()
            self._current = (counter._replace(revision=max(counter.revision, newest)), self._columns.snapshot())
            return self._current

    def _continues(self, counter: Counter) -> bool:
        """Whether the counter went on from where it was, and was not set back with its database."""
        seen = self._current[0] if self._current else counter
        return seen.made == counter.made and seen.revision < counter.revision

    def _load(self, after: int) -> int:
        """Bring in the rows of later revisions, and say which was the last.

        One statement sees whole writes, and all up to its last one: writers hold the counter's row until they commit.
        It may see writes after the counter was read. Stopping short of those would lose what they edited: such rows
        have left their old revision.
        """
        written = EmbeddedDocument.objects.filter(generation_id=self._generation, revision__gt=after).order_by()
        if after == 0:
            written = written.filter(deleted=False)
            self._columns.reserve(int(written.count() * ROOM_TO_GROW))
        newest = after
        rows = written.values_list("pk", "revision", "key", "deleted", "vector", "fields").iterator(_CHUNK)
        while chunk := list(islice(rows, _CHUNK)):
            newest = max(newest, *(revision for _pk, revision, *_rest in chunk))
            self._columns.remove([pk for pk, _revision, _key, deleted, _vector, _fields in chunk if deleted])
            self._columns.append(
                [
                    Entry(pk, key, vector, loaded_fields(fields))
                    for pk, _revision, key, deleted, vector, fields in chunk
                    if not deleted
                ]
            )
        return newest
