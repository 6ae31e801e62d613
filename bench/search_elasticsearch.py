"""``GET /api/v1/search?image_id=…&limit=24`` on Elasticsearch, against the requests that it sends, sent alone."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID
from wsgiref.util import setup_testing_defaults

from elastic_transport import Transport
from elasticsearch import Elasticsearch
from elasticsearch.serializer import DEFAULT_SERIALIZERS, OrjsonSerializer

from bench.installation import Options
from bench.questions import questions
from bench.timing import Comparison, side_by_side
from gallery.models import Image
from imgsite.wsgi import application
from search.engines.elastic.client import Address
from search.models import Generation

_WARM_UP = 20
_QUIET_SECONDS = 300
_JSON_TYPES = ("application/json", "application/vnd.elasticsearch+json")
Sent = Mapping[str, Any]  # arguments of Elasticsearch.perform_request


def measure(options: Options) -> list[Comparison]:
    """The whole of the application, from WSGI environment to the last byte, in this process."""
    generation = Generation.objects.get(engine="elasticsearch")
    asked = questions(generation)
    application = Application()
    # With the application's own serializer, so that the denominator is not slower than it need be.
    client = Elasticsearch(
        list(Address.parse(options.search_url).hosts),
        serializers={**DEFAULT_SERIALIZERS, **dict.fromkeys(_JSON_TYPES, OrjsonSerializer())},
    )
    segments = _when_quiet(client)
    requests = [_requests_of(partial(application.search, question.key)) for question in asked]

    def bare(turn: int) -> None:
        for request in requests[turn % len(requests)]:
            client.perform_request(**request)

    ours, alone = side_by_side(
        {
            "GET /api/v1/search by image_id, limit 24, with facets": lambda turn: application.search(
                asked[turn % len(asked)].key
            ),
            f"the same {len(requests[0])} request to Elasticsearch by the bare client": bare,
        },
        options.runs,
        _WARM_UP,
    )
    images = Image.objects.count()
    facts = {"segments": segments, "bytes of an answer": len(application.search(asked[0].key))}
    return [
        Comparison(f"Search on Elasticsearch over {images:,} vectors", ours, alone, bound=2.0, goal=1.2, facts=facts)
    ]


class Application:
    """The WSGI application as a server calls it."""

    def __init__(self) -> None:
        self._application = application
        self._visitors = 0

    def get(self, path: str) -> bytes:
        """The body of an answer. Each request is a visitor of its own: none asks too often.

        :raises RuntimeError: for any status but 200
        """
        self._visitors += 1
        path, _mark, query = path.partition("?")
        environ: dict[str, Any] = {
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_HOST": "localhost",
            "REMOTE_ADDR": f"10.{self._visitors >> 16 & 255}.{self._visitors >> 8 & 255}.{self._visitors & 255}",
        }
        setup_testing_defaults(environ)
        statuses: list[str] = []

        def start_response(status: str, _headers: list, _error: object = None, /) -> Callable[[bytes], object]:
            statuses.append(status)
            return lambda _data: None  # WSGI's old way to write; Django does not use it

        response = self._application(environ, start_response)
        try:
            body = b"".join(response)
        finally:
            response.close()
        if not statuses[0].startswith("200"):
            raise RuntimeError(f"{path} answered {statuses[0]}: {body[:300]!r}")
        return body

    def search(self, key: UUID) -> bytes:
        return self.get(f"/api/v1/search?image_id={key}&limit=24")


def _requests_of(search: Callable[[], bytes]) -> list[Sent]:
    """What a search sends to Elasticsearch, to be sent again."""
    sent: list[Sent] = []
    with _watched(sent):
        answer = json.loads(search())
    if len(answer["hits"]) != 24 or not answer["facets"]["brand"] or not sent:
        raise RuntimeError(f"The search found {len(answer['hits'])} products by {len(sent)} requests.")
    return sent


@contextmanager
def _watched(sent: list[Sent]) -> Iterator[None]:
    original = Transport.perform_request

    def perform_request(self: Transport, method: str, target: str, **options: Any) -> Any:
        path, _mark, query = target.partition("?")
        if query:
            raise RuntimeError(f"A search with parameters in its address cannot be sent again: {target}")
        sent.append({"method": method, "path": path, "headers": options["headers"], "body": options["body"]})
        return original(self, method, target, **options)

    Transport.perform_request = perform_request  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        Transport.perform_request = original  # type: ignore[method-assign]


def _when_quiet(client: Elasticsearch) -> int:
    """Wait until no segments are merged any more, and count them."""
    until = time.monotonic() + _QUIET_SECONDS
    while True:
        held = client.indices.stats(metric=["merge", "segments"]).body["_all"]["primaries"]
        if held["merges"]["current"] == 0:
            return held["segments"]["count"]
        if time.monotonic() > until:
            raise RuntimeError(f"Elasticsearch still merges segments after {_QUIET_SECONDS} seconds.")
        time.sleep(0.5)
