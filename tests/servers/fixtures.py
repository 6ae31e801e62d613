"""Pytest fixtures of the servers: each starts when a test first asks, and is stopped with the run.

Elasticsearch 9 needs a full JDK. Where there is none its tests are left out with one line, unless ``ES9=required``.
"""

import os
from collections.abc import Iterator

import pytest

from tests.servers import java
from tests.servers.elasticsearch import VERSIONS, ElasticsearchServer, can_run
from tests.servers.postgres import postgres
from tests.servers.s3 import S3, s3

_NINE = {"elasticsearch-9", "elasticsearch_9"}
_left_out = pytest.StashKey[int]()


def _running(version: str, **options) -> Iterator[ElasticsearchServer]:
    server = ElasticsearchServer(version, **options)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def elasticsearch_8() -> Iterator[ElasticsearchServer]:
    yield from _running(VERSIONS["8"])


@pytest.fixture(scope="session")
def elasticsearch_9() -> Iterator[ElasticsearchServer]:
    yield from _running(VERSIONS["9"])


@pytest.fixture(scope="session")
def secured_elasticsearch() -> Iterator[ElasticsearchServer]:
    """With TLS and a password."""
    yield from _running(VERSIONS["8"], secured=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    with s3() as store:
        yield store


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = os.environ.get("ES9", "auto")
    if wanted not in ("auto", "required"):
        raise pytest.UsageError(f"ES9 is {wanted!r}. Set it to auto or required.")
    nine = [item for item in items if _needs_nine(item)]
    if not nine or can_run(VERSIONS["9"]):
        return
    if wanted == "required":
        raise pytest.UsageError(f"ES9=required, but there is no JDK of {java.MINIMUM} or newer in {java.WHERE}.")
    items[:] = [item for item in items if item not in nine]
    config.hook.pytest_deselected(items=nine)
    config.stash[_left_out] = len(nine)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if left_out := config.stash.get(_left_out, 0):
        terminalreporter.write_line(
            f"Left out {left_out} tests on Elasticsearch {VERSIONS['9']}: "
            f"no JDK of {java.MINIMUM} or newer in {java.WHERE}."
        )


def _needs_nine(item: pytest.Item) -> bool:
    parameters = getattr(item, "callspec", None)
    asked = set(getattr(item, "fixturenames", ()))
    if parameters is not None:
        asked |= {value for value in parameters.params.values() if isinstance(value, str)}
    return bool(asked & _NINE)
