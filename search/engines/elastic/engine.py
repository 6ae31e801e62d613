"""Elasticsearch 8.19 and 9: the production engine. One physical index for each generation."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _
from elasticsearch import BadRequestError

from gallery.visibility import moderation
from search.engines.base import (
    Answer,
    Deletion,
    Document,
    Engine,
    EngineError,
    EngineUnavailable,
    Failure,
    Health,
    IndexSpec,
    Request,
)
from search.engines.elastic import bulk, catalogue, together, window
from search.engines.elastic.client import Cluster
from search.engines.elastic.errors import translated
from search.engines.elastic.mapping import KEY, Names, field_mappings, index_body
from search.engines.index_settings import SCRIPT

_PAGE = 10_000  # keys in one request
_KEEP_ALIVE = "2m"
_HEALTH_SECONDS = "1s"


class ElasticsearchEngine(Engine):
    """One per process; threads share its client. The settings are read when it first connects."""

    name = "elasticsearch"

    def __init__(self) -> None:
        self._cluster = Cluster()

    @property
    def names(self) -> Names:
        return Names(settings.SEARCH_INDEX_PREFIX)

    def create(self, spec: IndexSpec) -> None:
        """
        :raises EngineError: when an index of this name holds vectors of another dimension, or the cluster runs no
            scripts and the index would need one
        """
        index, body = self.names.index(spec.generation), index_body(spec, self.names)
        client = self._cluster.patient
        with translated():
            try:
                client.indices.create(index=index, **body)
            except BadRequestError as error:
                if error.error != "resource_already_exists_exception":
                    raise
                # Refused unless the mapping is the same.
                client.indices.put_mapping(index=index, **body["mappings"])
                client.indices.put_alias(index=index, name=self.names.write(spec.generation))
        if spec.settings.type == SCRIPT:
            self._try_script(spec)

    def _try_script(self, spec: IndexSpec) -> None:
        """Ask the new index once: a cluster that runs no scripts says so now, and not to a shopper."""
        vector = np.eye(1, spec.dimension, dtype=np.float32)[0]
        try:
            self.search(Request(spec.generation, moderation, vector=vector, index=spec.settings, facets=False))
        except EngineUnavailable:
            self.drop(spec.generation)
            raise
        except EngineError as error:
            self.drop(spec.generation)
            raise EngineError(
                "This cluster runs no script for script_score (painless is missing, or scripts are turned off). Allow "
                f"them in its settings, or build with the type flat, which is exact without scripts. It said: {error}"
            ) from error

    def write(self, generation: int, documents: Sequence[Document], deletions: Sequence[Deletion]) -> list[Failure]:
        alias = self.names.write(generation)
        try:
            return bulk.write(self._cluster, alias, documents, deletions)
        except bulk.FieldsMissing:
            # After an upgrade: old documents get their new fields as they are written again.
            with translated():
                self._cluster.patient.indices.put_mapping(index=alias, properties=field_mappings())
            return bulk.write(self._cluster, alias, documents, deletions)

    def exists(self, generation: int) -> bool:
        with translated():
            return bool(self._cluster.client.indices.exists(index=self.names.index(generation)))

    def drop(self, generation: int) -> None:
        with translated():
            self._cluster.patient.indices.delete(index=self.names.index(generation), ignore_unavailable=True)

    def answer(self, generation: int, requests: Sequence[Request]) -> list[Answer]:
        """All of them in one request, and a second one where prices are counted."""
        asked = [catalogue.question(one) if one.vector is None else window.question(one) for one in requests]
        return together.answers(self._cluster, self.names.index(generation), asked)

    def keys_and_versions(self, generation: int) -> Iterator[tuple[UUID, int]]:
        self.refresh(generation)
        client = self._cluster.patient
        with translated():
            opened = client.open_point_in_time(index=self.names.index(generation), keep_alive=_KEEP_ALIVE)
        pit = opened["id"]
        try:
            after: list[Any] | None = None
            while True:
                with translated():
                    answer = client.search(
                        pit={"id": pit, "keep_alive": _KEEP_ALIVE},
                        sort=[{"_shard_doc": "asc"}],
                        search_after=after,
                        size=_PAGE,
                        version=True,
                        stored_fields="_none_",
                        docvalue_fields=[{"field": KEY}],
                        track_total_hits=False,
                    ).body
                pit = answer["pit_id"]
                found = answer["hits"]["hits"]
                yield from ((UUID(hex=hit["fields"][KEY][0]), hit["_version"]) for hit in found)
                if len(found) < _PAGE:
                    return
                after = found[-1]["sort"]
        finally:
            with translated():
                client.close_point_in_time(id=pit)

    def health(self, generation: int | None = None) -> Health:
        try:
            return self._health(None if generation is None else self.names.index(generation))
        except EngineError as error:
            return Health(False, str(error))

    def _health(self, index: str | None) -> Health:
        client = self._cluster.client
        with translated():
            # Statistics first: they miss an index at once, the cluster's health would wait for it.
            stats = client.indices.stats(index=index or self.names.every, metric=["docs", "store"]).body
            cluster = client.cluster.health(index=index, timeout=_HEALTH_SECONDS).body
        held = stats["_all"]["primaries"]
        details = {
            "green": _("Elasticsearch is well."),
            "yellow": _("Elasticsearch answers, but not every copy of the index is in place."),
            "red": _("Elasticsearch has lost a part of the index. See its log."),
        }
        return Health(
            cluster["status"] != "red",
            details[cluster["status"]],
            held["docs"]["count"] if "docs" in held else 0,
            held["store"]["size_in_bytes"] if "store" in held else 0,
        )

    def refresh(self, generation: int) -> None:
        with translated():
            self._cluster.patient.indices.refresh(index=self.names.index(generation))

    def set_live(self, generation: int) -> None:
        names = self.names
        with translated():
            self._cluster.patient.indices.update_aliases(
                actions=[
                    {"remove": {"index": names.every, "alias": names.live, "must_exist": False}},
                    {"add": {"index": names.index(generation), "alias": names.live}},
                ]
            )

    def warm(self, spec: IndexSpec) -> None:
        """Connect, and have the vectors, the facets and the products' numbers loaded by one search of each kind."""
        self.search(Request(spec.generation, moderation, limit=1))
        self.search(
            Request(
                spec.generation,
                moderation,
                vector=np.eye(1, spec.dimension, dtype=np.float32)[0],
                index=spec.settings,
            )
        )
