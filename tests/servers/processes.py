"""Server programs as child processes: another user where we are root, a log, an end that is sure to come."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

# Elasticsearch and PostgreSQL refuse to run as root; any user who owns nothing will do.
_UNPRIVILEGED = ("nobody", "daemon")
_PR_SET_PDEATHSIG = 1
_LOG_LINES = 40


class ServerFailed(Exception):
    """A server did not come up; the text ends with the tail of its log."""


def server_user() -> pwd.struct_passwd | None:
    """Whom servers run as: nobody else's account unless we are root."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerFailed(f"Servers cannot run as root, and none of these users exists: {', '.join(_UNPRIVILEGED)}.")


def cache_folder() -> Path:
    """Where unpacked servers are kept between runs: ``IMGSITE_CACHE``, else the user's cache."""
    if "IMGSITE_CACHE" in os.environ:
        folder = Path(os.environ["IMGSITE_CACHE"])
    else:
        # The servers' user must be able to read it, and root's home is closed to everybody else.
        folder = Path("/var/cache/imgsite") if os.geteuid() == 0 else Path.home() / ".cache" / "imgsite"
    folder.mkdir(parents=True, exist_ok=True)
    if server_user() and not _open_to_all(folder):
        raise ServerFailed(
            f"{folder} is closed to other users. Set IMGSITE_CACHE to a folder that every user may read."
        )
    return folder


def reachable(program: Path, *beside: Path) -> Path:
    """An installed program's folder, or its copy in the cache where the servers' user could not read it.

    :param beside: folders next to the program's that it loads its libraries from; they are copied next to it
    """
    if server_user() is None or _open_to_all(program):
        return program

    def copied(target: Path) -> None:
        for folder in (program, *beside):
            shutil.copytree(folder, target / folder.name)

    key = zlib.crc32("\n".join(map(str, (program, *beside))).encode())
    return once(f"{program.name}-{key:08x}", copied) / program.name


def once(name: str, make: Callable[[Path], object]) -> Path:
    """A folder of the cache, made at the first call. Runs side by side wait for the one that makes it."""
    folder = cache_folder() / name
    with FileLock(folder.with_name(f".{name}.lock")):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
                Path(scratch).chmod(0o755)
                made = Path(scratch) / name
                make(made)
                made.rename(folder)
    return folder


def _open_to_all(path: Path) -> bool:
    return all(step.stat().st_mode & 0o005 == 0o005 for step in [path.resolve(), *path.resolve().parents])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def run_folder(name: str) -> Iterator[Path]:
    """A temporary folder that belongs to the servers' user."""
    folder = Path(tempfile.mkdtemp(prefix=f"imgsite-{name}-"))
    try:
        give_to_server(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def give_to_server(folder: Path) -> None:
    if user := server_user():
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, user.pw_uid, user.pw_gid)


class Process:
    """One server program in a process group of its own, its output in ``log``.

    :param stop_signal: what makes it end in good order
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
    ):
        self.command = [str(part) for part in command]
        self.log, self.env, self.cwd, self.stop_signal = log, env, cwd, stop_signal
        self._child: subprocess.Popen | None = None

    def start(self) -> None:
        """Start the program; one that runs already is left alone."""
        if self._child is not None and self._child.poll() is None:
            return
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env={**_plain_environment(), **self.env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop the servers in their turn
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
                **_as_server_user(),
            )

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Poll until ready.

        :raises ServerFailed: when the program ends or the time is up; it is stopped then
        """
        assert self._child is not None
        deadline = time.monotonic() + seconds
        while not ready():
            ended = self._child.poll()
            if ended is not None or time.monotonic() > deadline:
                self.stop()
                why = f"ended with status {ended}" if ended is not None else f"was not ready after {seconds:.0f} s"
                raise ServerFailed(f"{self.command[0]} {why}. The end of its log:\n{self.tail()}")
            time.sleep(0.1)

    def stop(self, seconds: float = 20) -> None:
        """End the whole group, gently first. Stopping what is not running is fine."""
        if self._child is None:
            return
        self.signal(self.stop_signal)
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.signal(signal.SIGKILL)
            self._child.wait()
            self._child = None

    def signal(self, number: signal.Signals) -> None:
        assert self._child is not None
        try:
            os.killpg(self._child.pid, number)
        except ProcessLookupError:
            return

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:])


def run_as_server(command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, stdin: str = "") -> None:
    """Run a program that prepares a server, as the server's user.

    :raises ServerFailed: with what it said
    """
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**_plain_environment(), **env},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        **_as_server_user(),
    )
    if done.returncode:
        raise ServerFailed(f"{command[0]} failed: {done.stdout}{done.stderr}")


def _plain_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "LANG", "TZ", "TMPDIR") if name in os.environ}


def _as_server_user() -> dict:
    user = server_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _die_with_parent() -> None:
    """Ask Linux to end the server when the tests are killed and can stop nothing themselves."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
