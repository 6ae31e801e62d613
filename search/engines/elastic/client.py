"""The one place that connects to Elasticsearch: from ``SEARCH_URL`` to a client, made when first needed."""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import orjson
from django.conf import settings
from elasticsearch import Elasticsearch
from elasticsearch.serializer import DEFAULT_SERIALIZERS, OrjsonSerializer

from search.engines.base import EngineUnavailable
from search.engines.elastic.errors import error_in, translated

DEFAULT_PORT = 9200
_RETRIES = 2  # on other hosts where there are any; never after a timeout
_PATIENT_SECONDS = 30.0  # for what is rare and slow: bulk writes, refreshes, creating and dropping
_JSON_TYPES = ("application/json", "application/vnd.elasticsearch+json")


@dataclass(frozen=True)
class Address:
    """What ``SEARCH_URL`` says: ``elasticsearch[+https]://[user:password@]host[:port][,host…]``."""

    hosts: tuple[str, ...]
    user: tuple[str, str] | None

    @classmethod
    def parse(cls, url: str) -> Self:
        """
        :raises EngineUnavailable: when the URL names no Elasticsearch, as after a change to another engine
        """
        scheme, _separator, rest = url.partition("://")
        engine, _separator, transport = scheme.partition("+")
        credentials, _separator, hosts = rest.rpartition("@")
        if engine != "elasticsearch" or transport not in ("", "http", "https") or not hosts.strip("/"):
            raise EngineUnavailable(
                "SEARCH_URL does not say where Elasticsearch is. Set it to elasticsearch://user:password@host:9200 "
                "(elasticsearch+https:// for TLS)."
            )
        user, _separator, password = credentials.partition(":")
        return cls(
            tuple(_with_port(f"{transport or 'http'}://{host}") for host in hosts.split(",")),
            (unquote(user), unquote(password)) if credentials else None,
        )


def _with_port(url: str) -> str:
    parts = urlsplit(url)
    return url if parts.port else parts._replace(netloc=f"{parts.netloc}:{DEFAULT_PORT}").geturl()


class Cluster:
    """A lazy client that threads share, and the requests that every part of the engine makes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._client: Elasticsearch | None = None
        self._pid = 0

    @property
    def client(self) -> Elasticsearch:
        """
        :raises EngineUnavailable: when ``SEARCH_URL`` names no Elasticsearch
        """
        with self._lock:
            if self._client is None or self._pid != os.getpid():  # connections are not shared with a forked process
                self._client, self._pid = _connect(), os.getpid()
            return self._client

    @property
    def patient(self) -> Elasticsearch:
        """The same client for what may take longer than a search."""
        return self.client.options(request_timeout=max(_PATIENT_SECONDS, settings.SEARCH_TIMEOUT))

    def ask(self, index: str, bodies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Several searches of one index in one request; their raw answers.

        Requests and answers are plain dictionaries: a window has hundreds of hits, and an object for each of them
        would cost more than the search.

        :raises EngineUnavailable, IndexMissing, EngineError: for the request, or for any of the searches
        """
        lines: list[bytes] = []
        for body in bodies:
            lines += [b"{}", orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)]
        with translated():
            answers = self.client.msearch(index=index, searches=lines).body["responses"]  # type: ignore[arg-type]
        for answer in answers:
            if "error" in answer:
                raise error_in(answer["status"], answer)
        return answers


def _connect() -> Elasticsearch:
    address = Address.parse(settings.SEARCH_URL)
    return Elasticsearch(
        list(address.hosts),
        basic_auth=address.user,
        serializers={**DEFAULT_SERIALIZERS, **dict.fromkeys(_JSON_TYPES, OrjsonSerializer())},
        request_timeout=settings.SEARCH_TIMEOUT,
        max_retries=_RETRIES,
        retry_on_timeout=False,
        **({"ca_certs": settings.SEARCH_CA_CERTS} if settings.SEARCH_CA_CERTS else {}),
    )
