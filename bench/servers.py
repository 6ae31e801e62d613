"""The real server that is measured."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def elasticsearch(wanted: str | None) -> Iterator[str]:
    """The address of a server of this version that runs meanwhile; empty where none is wanted."""
    if wanted is None:
        yield ""
        return
    from tests.servers.elasticsearch import ElasticsearchServer

    server = ElasticsearchServer(wanted, heap="1g")
    try:
        server.start()
        yield server.url
    finally:
        server.close()
