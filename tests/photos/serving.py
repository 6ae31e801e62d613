"""The web server and the loop in processes of their own, as an installation runs them."""

import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.site import Site


@contextmanager
def running(site: Site, *command: str) -> Iterator[subprocess.Popen]:
    process = site.start(*command)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """The address of the site's own web server, which answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    site.environment |= {"HOST": "127.0.0.1", "PORT": str(port)}
    url = f"http://127.0.0.1:{port}"
    with running(site, "-m", "gunicorn", "imgsite.wsgi", "--config", "imgsite/gunicorn.py") as server:
        deadline = time.monotonic() + 60
        while not answers(url):
            assert server.poll() is None, server.communicate()
            assert time.monotonic() < deadline, "the server did not start"
        yield url


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/accounts/login/", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False
