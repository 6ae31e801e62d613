"""An installation of its own for a test: folder, database and commands in separate processes."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Site:
    """An installation of its own: folder, database and commands in separate processes."""

    def __init__(self, folder: Path, **environment: str):
        self.database = folder / "site.sqlite3"
        self.environment = os.environ | {
            "DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "DJANGO_SETTINGS_MODULE": "imgsite.settings",
            "TORCH_THREADS": "1",
            **environment,
        }

    def start(self, *command: str, **environment: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
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

    def written(self) -> int:
        """Images that some generation holds, read from the database itself: a command would take seconds."""
        ((images,),) = self.read("SELECT COUNT(DISTINCT key) FROM search_placement WHERE version > 0")
        return images

    def read(self, sql: str, *values: object) -> list[tuple]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql, values).fetchall()

    def count(self, table: str) -> int:
        ((rows,),) = self.read(f"SELECT COUNT(*) FROM {table}")  # noqa: S608
        return rows

    def copy(self, folder: Path, **environment: str) -> "Site":
        """The same files and records as an installation of their own; nothing may be running on this one."""
        shutil.copytree(self.database.parent, folder / "site")
        copy = Site(folder / "site")
        place = {name: copy.environment[name] for name in ("DATA_DIR", "DATABASE_URL")}
        copy.environment = self.environment | place | environment
        return copy

    def kill_loop_when(self, indexed: int) -> None:
        """Start the indexing loop, and SIGKILL it once that many images are indexed."""
        self.kill_loop_once(lambda: self.written() >= indexed)

    def kill_loop_once(self, reached: Callable[[], bool]) -> None:
        """Start the indexing loop, and SIGKILL it as soon as this is so."""
        loop = self.start("manage.py", "index", "run")
        deadline = time.monotonic() + 300
        try:
            while not reached():
                assert loop.poll() is None, loop.communicate()
                assert time.monotonic() < deadline, "the loop made no progress"
                time.sleep(0.05)
        finally:
            loop.send_signal(signal.SIGKILL)
            loop.communicate()
