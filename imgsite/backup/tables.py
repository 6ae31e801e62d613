"""Which tables a backup holds, and their rows as JSON lines: out of one snapshot, and in again without signals."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import IO, Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.core.serializers import base
from django.core.serializers.json import DjangoJSONEncoder
from django.core.serializers.jsonl import Serializer as JsonLines
from django.core.serializers.python import Deserializer
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.sql import InsertQuery

_CHUNK = 2_000  # rows

# Everything else is kept, also tables that are added later.
LEFT_OUT = {
    # made by ``migrate``; rows that point there do it by name
    "contenttypes.ContentType",
    "auth.Permission",
    # of the moment: who is signed in, links in e-mails, the queue of the worker
    "sessions.Session",
    "account.EmailConfirmation",
    "django_tasks_database.DBTaskResult",
    # made again: files for pages, the index and what is known of it, what was encoded of parts of photos
    "gallery.Rendition",
    "search.Placement",
    "search.EmbeddedDocument",
    "search.RegionEmbedding",
    # private to whoever sent them, and gone after a day
    "search.QueryPhoto",
    "search.QueryEmbedding",
}
BY_NAME = (ContentType, Permission)  # their numbers differ between installations
# ``migrate`` makes the groups of roles, so an empty installation has them.
OF_MIGRATIONS = {"auth.Group", "auth.Group_permissions"}


def kept_models() -> list[type[models.Model]]:
    """Models of all tables that a backup holds, those that others refer to first."""
    kept = {
        model._meta.label: model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.label not in LEFT_OUT
    }
    ordered: dict[str, type[models.Model]] = {}

    def add(label: str, above: tuple[str, ...]) -> None:
        for other in sorted(model._meta.label for model in referred_to(kept[label])):
            # A circle is broken anywhere: the database looks at references when all rows are in.
            if other in kept and other not in ordered and other not in above:
                add(other, (*above, other))
        ordered.setdefault(label, kept[label])

    for label in sorted(kept):
        add(label, (label,))
    return list(ordered.values())


def referred_to(model: type[models.Model]) -> set[type[models.Model]]:
    return {
        field.related_model
        for field in model._meta.concrete_fields
        if isinstance(field.related_model, type) and field.related_model is not model
    }


def applied_migrations() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


@contextmanager
def snapshot() -> Iterator[None]:
    """All reads in the body see the database as it is at the first of them. Writers are not kept waiting."""
    if connection.vendor == "sqlite":
        # Not ``atomic``: that would take the one lock for writing.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


class Rows(JsonLines):
    """Django's JSON lines, with whole microseconds, names for what has other numbers elsewhere, and tables apart."""

    def _value_from_field(self, obj: models.Model, field: models.Field) -> Any:
        value = field.value_from_object(obj)
        return value.isoformat() if isinstance(value, datetime) else super()._value_from_field(obj, field)  # type: ignore[misc]

    def handle_fk_field(self, obj: models.Model, field: models.ForeignKey) -> None:
        if field.remote_field.model in BY_NAME:
            related = getattr(obj, field.name)
            self._current[field.name] = None if related is None else related.natural_key()  # type: ignore[index]
        else:
            super().handle_fk_field(obj, field)

    def handle_m2m_field(self, obj: models.Model, field: models.Field) -> None:
        """The table between is kept itself."""

    def end_object(self, obj: models.Model) -> None:
        self.stream.write(json_line(self.get_dump_object(obj)))
        self._current = None


class LoadedRows(Deserializer):
    def _handle_fk_field_node(self, field: models.ForeignKey, value: Any) -> Any:
        if value is not None and field.remote_field.model is ContentType:
            # Old entries of the log may speak of models that are no more.
            return ContentType.objects.get_or_create(app_label=value[0], model=value[1])[0].pk
        return super()._handle_fk_field_node(field, value)  # type: ignore[misc]


def dump(model: type[models.Model], stream: Any, seen: Callable[[models.Model], None]) -> int:
    """Write a table's rows, a line each.

    :param seen: is shown every row
    :return: how many
    """
    written = 0

    def rows() -> Iterator[models.Model]:
        nonlocal written
        for row in _all_rows(model).iterator(_CHUNK):
            seen(row)
            written += 1
            yield row

    Rows().serialize(rows(), stream=stream)
    return written


def _all_rows(model: type[models.Model]) -> models.QuerySet:
    paths = [
        f"{field.name}__content_type" if field.related_model is Permission else field.name
        for field in model._meta.concrete_fields
        if field.related_model in BY_NAME
    ]
    rows = model._base_manager.order_by(model._meta.pk.name)
    return rows.select_related(*paths) if paths else rows


def load(model: type[models.Model], lines: Iterable[dict[str, Any]]) -> int:
    """Insert rows as they were: no signal is sent, and no date or number is set anew.

    :return: how many
    :raises django.core.serializers.base.DeserializationError: for a row that does not fit the table
    """
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    at_once = min(_CHUNK, max(1, connection.ops.bulk_batch_size(fields, range(_CHUNK))))
    rows = (loaded.object for loaded in LoadedRows(_of(model, lines)))
    count = 0
    while batch := list(islice(rows, at_once)):
        query = InsertQuery(model)
        query.insert_values(fields, batch, raw=True)
        query.get_compiler(connection=connection).execute_sql()
        count += len(batch)
    return count


def _of(model: type[models.Model], lines: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    label = model._meta.label_lower
    for line in lines:
        if line.get("model") != label:
            raise base.DeserializationError(f"A row of {line.get('model')} stands among those of {label}.")
        yield line


def empty(labels: Iterable[str]) -> None:
    """Delete what ``migrate`` put into these tables."""
    for label in sorted(labels, reverse=True):  # tables between models after them in the alphabet
        model = apps.get_model(label)
        model._base_manager.all()._raw_delete(connection.alias)


def settle(loaded: Iterable[type[models.Model]]) -> None:
    """After rows came in with their numbers: new rows get higher ones, and every reference leads somewhere.

    :raises django.db.IntegrityError: for a reference that leads nowhere
    """
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(loaded)):
            cursor.execute(statement)
    connection.check_constraints()


def filled() -> dict[str, int]:
    """Tables of a backup that have rows here which ``migrate`` did not make, and how many."""
    counts = {model._meta.label: model._base_manager.count() for model in kept_models()}
    return {label: count for label, count in counts.items() if count and label not in OF_MIGRATIONS}


def json_line(value: dict[str, Any]) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":")) + "\n"


class TextOnto:
    """Takes text for a binary stream, as serializers write it."""

    def __init__(self, stream: IO[bytes]):
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(text.encode())
