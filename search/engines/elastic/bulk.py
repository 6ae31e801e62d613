"""Writing: one bulk request for puts and deletions, and what its answer means for each of them."""

import re
from collections.abc import Sequence
from typing import Any

import orjson

from search.engines.base import Deletion, Document, EngineError, Failure, IndexMissing
from search.engines.elastic.client import Cluster
from search.engines.elastic.errors import BLOCKED, INDEX_MISSING, block_remedy, error_in, translated
from search.engines.elastic.mapping import source_of

_REFUSED_ALL = {403, 429}
# What a deletion is told that misses the write alias: it would make an index of that name, which cannot be.
_MISSING = INDEX_MISSING | {"invalid_index_name_exception"}
_CONFLICT = "version_conflict_engine_exception"
_UNKNOWN_FIELD = "strict_dynamic_mapping_exception"
_CURRENT_VERSION = re.compile(r"current version \[(\d+)\]")
_WANTED = ["items.*.status", "items.*.error"]


class FieldsMissing(EngineError):
    """The index was made by a release whose documents had fewer fields."""


def write(cluster: Cluster, alias: str, documents: Sequence[Document], deletions: Sequence[Deletion]) -> list[Failure]:
    """Put and delete through the write alias, without waiting for a refresh.

    :raises EngineUnavailable: also when the cluster takes no write at all; no document is to blame then
    :raises IndexMissing: when nothing stands behind the alias
    :raises FieldsMissing: when its mapping lacks a field of these documents; what came without it is written
    """
    operations: list[Document | Deletion] = [*documents, *deletions]
    if not operations:
        return []
    lines: list[bytes] = []
    for operation in operations:
        lines += _lines(operation)
    with translated():
        answer = cluster.patient.bulk(
            index=alias,
            operations=lines,  # type: ignore[arg-type]
            require_alias=True,
            filter_path=_WANTED,
        )
    items = [item for entry in answer.body["items"] for item in entry.values()]
    refused = [(operation, item) for operation, item in zip(operations, items, strict=True) if "error" in item]
    if any(item["error"]["type"] in _MISSING for _operation, item in refused):
        raise IndexMissing(f"Elasticsearch has no index behind {alias}. Build a new generation.")
    if any(item["error"]["type"] == _UNKNOWN_FIELD for _operation, item in refused):
        raise FieldsMissing(
            "The index was made by another version of the application. Build a new generation: manage.py index build"
        )
    if len(refused) == len(items) and all(item["status"] in _REFUSED_ALL for _operation, item in refused):
        raise error_in(refused[0][1]["status"], refused[0][1])
    return [
        Failure(operation.key, _reason(operation, item["error"]), _held_version(item["error"]))
        for operation, item in refused
    ]


def _lines(operation: Document | Deletion) -> list[bytes]:
    # "gte": after a batch that was written but not recorded, the same version comes again, and is welcome.
    action = {"_id": operation.key.hex, "version": operation.version, "version_type": "external_gte"}
    if isinstance(operation, Deletion):
        return [orjson.dumps({"delete": action})]
    return [
        orjson.dumps({"index": action}),
        orjson.dumps(source_of(operation), option=orjson.OPT_SERIALIZE_NUMPY),
    ]


def _held_version(error: dict[str, Any]) -> int | None:
    """Said only in words: "version conflict, current version [2] is higher than the one provided [1]"."""
    found = _CURRENT_VERSION.search(error["reason"]) if error["type"] == _CONFLICT else None
    return int(found[1]) if found else None


def _reason(operation: Document | Deletion, error: dict[str, Any]) -> str:
    match error["type"]:
        case kind if kind == _CONFLICT:
            return (
                f"The index holds a newer version than {operation.version}. "
                "If this stays so, run: manage.py index reconcile"
            )
        case kind if kind == BLOCKED:
            return block_remedy(error["reason"])
        case "es_rejected_execution_exception":
            return "Elasticsearch had too much to do. It will be tried again."
    return f"Elasticsearch refused the document: {error['reason']}"
