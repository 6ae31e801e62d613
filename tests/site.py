"""An installation of its own for a test: folder, database and commands in separate processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Site:
    """An installation of its own: folder, database and commands in separate processes."""

    def __init__(self, folder: Path, **environment: str):
        self.environment = os.environ | {
            "DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
            "DJANGO_SETTINGS_MODULE": "imgsite.settings",
            "TORCH_THREADS": "1",
            **environment,
        }

    def start(self, *command: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def run(self, *command: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def manage(self, *arguments: str, **environment: str) -> str:
        """The standard output of a management command; the test fails where its exit status is not 0."""
        return self.run("manage.py", *arguments, **environment)

    def account(self) -> dict:
        """The coverage of the newest generation."""
        return json.loads(self.manage("index", "status", "--json"))[-1]

    def indexed(self) -> int:
        """Images in the generation that is furthest."""
        accounts = json.loads(self.manage("index", "status", "--json"))
        return max((account["indexed"] for account in accounts), default=0)

    def kill_loop_when(self, indexed: int) -> None:
        """Start the indexing loop, and SIGKILL it once that many images are indexed."""
        loop = self.start("manage.py", "index", "run")
        deadline = time.monotonic() + 300
        try:
            while self.indexed() < indexed:
                assert loop.poll() is None, loop.communicate()
                assert time.monotonic() < deadline, "the loop made no progress"
        finally:
            loop.send_signal(signal.SIGKILL)
            loop.communicate()
