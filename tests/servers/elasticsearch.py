"""Elasticsearch's own server for integration tests, from Maven Central, on a free port with data of its own."""

import json
import shutil
import signal
import ssl
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from jgo.maven import MavenContext

from tests.servers import java
from tests.servers.certificates import self_signed
from tests.servers.processes import Process, free_port, give_to_server, once, reachable, run_as_server, run_folder

VERSIONS = {"8": "8.19.9", "9": "9.3.2"}
PASSWORD = "of-this-run-alone"
_GROUP, _ARTIFACT = "org.elasticsearch.distribution.integ-test-zip", "elasticsearch"
_START_SECONDS = 120
_SETTINGS = {
    "discovery.type": "single-node",
    "network.host": "127.0.0.1",
    "cluster.routing.allocation.disk.threshold_enabled": "false",
    "indices.breaker.total.use_real_memory": "false",
}


class ElasticsearchServer:
    """One node. ``url`` is what ``SEARCH_URL`` takes; it and the data stay the same through ``stop`` and ``start``.

    :param secured: with TLS and the password ``PASSWORD`` of the user elastic; ``certificate`` is to be trusted then
    """

    def __init__(self, version: str, *, secured: bool = False, heap: str = "512m"):
        self.version, self.secured, self.heap = version, secured, heap
        self.port = free_port()
        self.certificate: Path | None = None
        self._resources = ExitStack()
        self._process: Process | None = None

    @property
    def address(self) -> str:
        """For plain HTTP clients."""
        return f"{'https' if self.secured else 'http'}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return self.url_for("elastic", PASSWORD) if self.secured else f"elasticsearch://127.0.0.1:{self.port}"

    def url_for(self, user: str, password: str) -> str:
        return f"elasticsearch+https://{user}:{password}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, for the first time or again, and wait until the cluster answers.

        :raises ServerFailed: with the tail of the log
        """
        if self._process is None:
            self._process = self._prepare()
        self._process.start()
        self._process.wait_until(self._answers, _START_SECONDS)

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def close(self) -> None:
        """Stop, and remove the data."""
        self.stop()
        self._resources.close()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The server takes connections but answers none, as one that is out of memory or swapped out."""
        assert self._process is not None
        self._process.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.signal(signal.SIGCONT)

    def _prepare(self) -> Process:
        runtime = _java_for(self.version)
        home = once(f"elasticsearch-{self.version}", lambda folder: _unpack(self.version, folder))
        folder = self._resources.enter_context(run_folder(f"elasticsearch-{self.version}"))
        config = folder / "config"
        shutil.copytree(home / "config", config)
        if not runtime.has_vector_module:
            options = config / "jvm.options"
            kept = [line for line in options.read_text().splitlines() if "jdk.incubator.vector" not in line]
            options.write_text("\n".join(kept) + "\n")
        (folder / "tmp").mkdir()
        env = {
            "ES_JAVA_HOME": str(reachable(runtime.home)),
            "ES_PATH_CONF": str(config),
            "ES_TMPDIR": str(folder / "tmp"),
            "ES_JAVA_OPTS": f"-Xms{self.heap} -Xmx{self.heap}",
            "CLI_JAVA_OPTS": "-Xmx64m",
        }
        settings = _SETTINGS | {
            "http.port": str(self.port),
            "transport.port": str(free_port()),
            "path.data": str(folder / "data"),
            "path.logs": str(folder / "logs"),
            "xpack.security.enabled": str(self.secured).lower(),
        }
        if self.secured:
            settings |= self._secure(home, config, env)
        (config / "elasticsearch.yml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
        give_to_server(folder)
        return Process([home / "bin" / "elasticsearch"], log=folder / "console.log", env=env, cwd=folder)

    def _secure(self, home: Path, config: Path, env: dict[str, str]) -> dict[str, str]:
        self.certificate = config / "http.crt"
        self_signed(self.certificate, config / "http.key")
        give_to_server(config)
        keystore = home / "bin" / "elasticsearch-keystore"
        run_as_server([keystore, "add", "-f", "-x", "bootstrap.password"], env=env, cwd=config, stdin=PASSWORD)
        return {
            "xpack.security.http.ssl.enabled": "true",
            "xpack.security.http.ssl.certificate": "http.crt",
            "xpack.security.http.ssl.key": "http.key",
        }

    def _answers(self) -> bool:
        request = urllib.request.Request(f"{self.address}/_cluster/health?wait_for_status=yellow&timeout=1s")
        context = None
        if self.secured:
            passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
            passwords.add_password(None, self.address, "elastic", PASSWORD, is_authenticated=True)
            context = ssl.create_default_context(cafile=str(self.certificate))
            handlers = [urllib.request.HTTPBasicAuthHandler(passwords), urllib.request.HTTPSHandler(context=context)]
        else:
            handlers = []
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=5) as answer:
                return json.load(answer)["status"] in ("green", "yellow")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


def can_run(version: str) -> bool:
    """Whether this machine has a Java for this version: 9 needs a full JDK."""
    return version.startswith("8") or java.full_jdk() is not None


def _java_for(version: str) -> java.Java:
    found = java.full_jdk()
    if found is None and not version.startswith("8"):
        raise LookupError(f"Elasticsearch {version} needs a JDK of {java.MINIMUM} or newer; none in {java.WHERE}.")
    return found or java.wheel_runtime()


def _unpack(version: str, folder: Path) -> None:
    # Not into the user's own Maven cache: a download that was cut off there would be taken for whole ever after.
    maven = MavenContext(repo_cache=folder.parent / "maven", timeout=60)
    archive = maven.project(_GROUP, _ARTIFACT).at_version(version).artifact(packaging="zip").resolve()
    with zipfile.ZipFile(archive) as files:
        files.extractall(folder.parent)
    (folder.parent / f"elasticsearch-{version}").rename(folder)
    for program in (folder / "bin").iterdir():
        program.chmod(0o755)  # the zip keeps no modes
