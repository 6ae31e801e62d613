"""The servers that the other tests stand on."""

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import psycopg
import pytest

from tests.servers.processes import Process, ServerFailed, once, run_folder


def test_postgres_answers(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_s3_keeps_objects(s3_server):
    client = boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint_url,
        aws_access_key_id=s3_server.access_key,
        aws_secret_access_key=s3_server.secret_key,
        region_name=s3_server.region,
    )
    client.put_object(Bucket=s3_server.bucket, Key="a", Body=b"1")
    assert client.get_object(Bucket=s3_server.bucket, Key="a")["Body"].read() == b"1"


def test_the_command_says_where_the_server_is_and_takes_it_down():
    command = subprocess.Popen(
        [sys.executable, "-m", "tests.servers", "postgres"], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        name, _separator, url = command.stdout.readline().strip().partition("=")
        assert name == "DATABASE_URL"
        psycopg.connect(url).close()
    finally:
        command.send_signal(signal.SIGINT)
        assert command.wait(120) == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_a_server_that_does_not_come_up_fails_with_its_log():
    with run_folder("broken") as folder:
        process = Process(["sh", "-c", "echo out of luck; exit 3"], log=folder / "log", env={}, cwd=folder)
        process.start()
        with pytest.raises(ServerFailed, match=r"status 3.*\n.*out of luck"):
            process.wait_until(lambda: False, 30)


def test_a_server_that_is_never_ready_is_stopped():
    with run_folder("slow") as folder:
        process = Process(["sh", "-c", "echo still starting; sleep 600"], log=folder / "log", env={}, cwd=folder)
        process.start()
        with pytest.raises(ServerFailed, match=r"not ready after 1 s[\s\S]*still starting"):
            process.wait_until(lambda: False, 1)
        process.stop()


def test_workers_that_need_the_same_folder_wait_for_the_one_that_makes_it(monkeypatch):
    with run_folder("shared") as cache:
        cache.chmod(0o755)
        monkeypatch.setenv("IMGSITE_CACHE", str(cache))
        together, made = threading.Barrier(4), []

        def make(folder: Path) -> None:
            made.append(folder)
            folder.mkdir()
            (folder / "half").touch()
            time.sleep(0.2)  # long enough for the others to meet a half-made folder
            (folder / "whole").touch()

        def ask(_worker: int) -> bool:
            together.wait(30)
            return (once("server", make) / "whole").exists()

        with ThreadPoolExecutor(4) as workers:
            assert list(workers.map(ask, range(4))) == [True] * 4
        assert len(made) == 1
