"""A small internet on this machine: names and public addresses that end on servers of the test, and a book of calls.

Only the system's own look-up and connect are replaced, so everything that decides where to connect is the real code.
"""

import errno
import ipaddress
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PUBLIC = "93.184.216.34"
PUBLIC_6 = "2606:2800:220:1:248:1893:25c8:1946"

Answer = Callable[[BaseHTTPRequestHandler], None]


class Internet:
    """``names`` maps a host name to its addresses, one list for each look-up; the last one is given again.

    ``servers`` maps an address to the local port that stands for all of its ports.
    """

    def __init__(self) -> None:
        self.names: dict[str, list[list[str]]] = {
            "localhost": [["127.0.0.1", "::1"]],
            "localhost.": [["127.0.0.1", "::1"]],
        }
        self.servers: dict[str, int] = {}
        self.looked_up: list[str] = []
        self.connected: list[str] = []
        self._look_up, self._connect = socket.getaddrinfo, socket.socket.connect

    def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
        self.looked_up.append(host)
        # Every way to write an address as a number (decimal, octal, short, …) means what it means to the system.
        with suppress(socket.gaierror):
            return self._look_up(host, port, family, type, proto, flags | socket.AI_NUMERICHOST)
        answers = self.names.get(host)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [entry for address in addresses for entry in self._look_up(address, port, type=type)]

    def connect(self, opened: socket.socket, address) -> None:
        if opened.family not in (socket.AF_INET, socket.AF_INET6):
            return self._connect(opened, address)
        self.connected.append(address[0])
        if port := self.servers.get(address[0]):
            return self._connect(opened, ("127.0.0.1", port))
        number = ipaddress.ip_address(address[0])
        number = getattr(number, "ipv4_mapped", None) or number
        if number.is_loopback or number.is_unspecified:  # the system takes "unspecified" for this machine
            return self._connect(opened, address)
        raise OSError(errno.ENETUNREACH, "Network is unreachable")  # a test never leaves this machine


class Host:
    """A web server on loopback that answers by path, and keeps the requests that it got."""

    def __init__(self, routes: dict[str, Answer], certificate: tuple[str, str] | None = None):
        self.requests: list[tuple[str, dict[str, str]]] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                host.requests.append((self.path, dict(self.headers)))
                self.close_connection = True
                with suppress(OSError):  # the other side hung up, as it should
                    routes[self.path.partition("?")[0]](self)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request, client_address) -> None:
                """A client that breaks off, or does not trust the certificate, is no error of the server."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Canary:
    """Listens on loopback and counts who connects: nobody may."""

    def __init__(self) -> None:
        self.connections = 0
        self._listening = [socket.create_server(("127.0.0.1", 0))]
        self.port = self._listening[0].getsockname()[1]
        with suppress(OSError):  # a machine without IPv6
            self._listening.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))

    @property
    def has_ipv6(self) -> bool:
        return len(self._listening) > 1

    def count(self) -> int:
        """Connections up to now, the kernel's queue included."""
        for listening in self._listening:
            listening.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    listening.accept()[0].close()
                    self.connections += 1
        return self.connections

    @contextmanager
    def hanging_up(self, seconds: float = 30) -> Iterator[None]:
        """Meanwhile the first who connects is counted and cut off: a test need not wait for the end of its time."""

        def hang_up() -> None:
            select.select(self._listening, [], [], seconds)
            self.count()

        thread = threading.Thread(target=hang_up)
        thread.start()
        try:
            yield
        finally:
            thread.join()

    def close(self) -> None:
        for listening in self._listening:
            listening.close()


@contextmanager
def internet(patch: Callable[[object, str, object], None]) -> Iterator[Internet]:
    """Put the small internet in the place of the real one; ``patch`` is pytest's ``monkeypatch.setattr``."""
    net = Internet()
    patch(socket, "getaddrinfo", net.getaddrinfo)
    # A function, not a bound method: it must bind to the socket.
    patch(socket.socket, "connect", lambda opened, address: net.connect(opened, address))
    yield net


@contextmanager
def serving(
    net: Internet, address: str, routes: dict[str, Answer], certificate: tuple[str, str] | None = None
) -> Iterator[Host]:
    """A web server that an address of the small internet ends on."""
    with closing(Host(routes, certificate)) as host:
        net.servers[address] = host.port
        yield host


def gives(body: bytes, content_type: str | None = "image/jpeg", status: int = 200, **headers: str) -> Answer:
    """Answer with this body; names of headers are written with underscores."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        if content_type:
            request.send_header("Content-Type", content_type)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in ({"Content-Length": str(len(body))} | sent).items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def redirects(request: BaseHTTPRequestHandler) -> None:
    """Lead to whatever the query string says."""
    request.send_response(302)
    request.send_header("Location", request.path.partition("?")[2])
    request.send_header("Content-Length", "0")
    request.end_headers()
