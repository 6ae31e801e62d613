"""A time limit that holds however slowly bytes drip in: a socket's own timeout begins anew with every byte."""

import socket
import threading
import time
from contextlib import suppress


class Deadline:
    """Counts from its making. While it is entered, the watched socket is shut when time is up.

    Whoever reads from the socket finds it at its end then, so ``passed`` is to be asked before a short answer is
    believed.
    """

    def __init__(self, seconds: float):
        self._end = time.monotonic() + seconds
        self._over = False
        self._watched: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True

    def __enter__(self) -> "Deadline":
        self._timer.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._timer.cancel()

    @property
    def passed(self) -> bool:
        return self._over or self.left() == 0

    def left(self) -> float:
        """Seconds."""
        return max(0.0, self._end - time.monotonic())

    def watch(self, opened: socket.socket) -> None:
        """Shut this socket when time is up, in the place of the one that was watched before."""
        with self._lock:
            self._watched = opened
        if self.passed:
            self._shut()

    def _shut(self) -> None:
        self._over = True
        with self._lock:
            if self._watched is not None:
                # The plain socket's method: an SSLSocket's own takes its state away under the reading thread.
                with suppress(OSError):  # it was closed meanwhile
                    socket.socket.shutdown(self._watched, socket.SHUT_RDWR)
