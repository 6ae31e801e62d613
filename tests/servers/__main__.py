"""``python -m tests.servers elasticsearch|postgres|s3``: a server for development, until Ctrl-C."""

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.elasticsearch import VERSIONS, ElasticsearchServer
from tests.servers.postgres import postgres
from tests.servers.processes import ServerFailed
from tests.servers.s3 import s3


@contextmanager
def _elasticsearch(options: argparse.Namespace) -> Iterator[str]:
    server = ElasticsearchServer(options.version, secured=options.secured, heap=options.heap)
    try:
        server.start()
        trust = f"\nSEARCH_CA_CERTS={server.certificate}" if server.secured else ""
        yield f"SEARCH_URL={server.url}{trust}"
    finally:
        server.close()


@contextmanager
def _postgres(options: argparse.Namespace) -> Iterator[str]:
    with postgres() as url:
        yield f"DATABASE_URL={url}"


@contextmanager
def _s3(options: argparse.Namespace) -> Iterator[str]:
    with s3() as store:
        yield "\n".join(f"{name}={value}" for name, value in store.environment.items())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    kinds = parser.add_subparsers(required=True)
    search = kinds.add_parser("elasticsearch", help="prints SEARCH_URL")
    search.add_argument("--version", default=VERSIONS["8"], help=f"known to work: {', '.join(VERSIONS.values())}")
    search.add_argument("--secured", action="store_true", help="with TLS and a password")
    search.add_argument("--heap", default="512m", help="Java heap (default: %(default)s)")
    search.set_defaults(run=_elasticsearch)
    kinds.add_parser("postgres", help="prints DATABASE_URL").set_defaults(run=_postgres)
    kinds.add_parser("s3", help="prints the S3 variables").set_defaults(run=_s3)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started without it
    try:
        with options.run(options) as lines:
            print(lines, flush=True)
            signal.pause()
    except KeyboardInterrupt:
        pass
    except (ServerFailed, LookupError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
