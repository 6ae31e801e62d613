"""An installation to measure: a folder and a database of its own, gone afterwards."""

import os
import secrets
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Self

# Everything that an exported variable could change in what is measured.
_UNSET = ("S3_BUCKET", "S3_ENDPOINT_URL", "CACHE_URL", "FILE_DELIVERY", "SEARCH_ENCODER", "SEARCH_INDEX_OPTIONS")
_TORCH_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TORCH_THREADS")


@dataclass(frozen=True)
class Options:
    """What a measurement is told. ``search_url``: where Elasticsearch is, if it is among the engines."""

    size: int
    runs: int
    batches: int
    engines: tuple[str, ...]
    search_url: str = ""
    photos: Path | None = None


def limit_threads(count: int) -> None:
    """Give torch so many, and NumPy one, as imgsite/gunicorn.py does; in the processes that are started from now on."""
    os.environ.update(dict.fromkeys(_TORCH_THREADS, str(count)) | {"OPENBLAS_NUM_THREADS": "1"})


class Installation:
    """A context: a folder with an empty database, and processes in which Django uses them."""

    def __init__(self, options: Options, **environment: str):
        self._options = options
        self._environment = environment
        self._folder = tempfile.TemporaryDirectory(prefix="imgsite-bench-")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._folder.cleanup()

    def run(self, function: str) -> Any:
        """Call ``package.module:function`` with the options, in a fresh process: what one holds slows no other."""
        folder = self._folder.name
        production = {
            "DATA_DIR": folder,
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "DJANGO_SETTINGS_MODULE": "imgsite.settings",
            "DEBUG": "false",
            "HTTPS": "false",
            "STATIC_MANIFEST": "false",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": "localhost",
            "SHOP_CURRENCY": "EUR",
            "SEARCH_URL": self._options.search_url or "embedded:",
            "SEARCH_INDEX_PREFIX": Path(folder).name,  # installations share a server
            **self._environment,
        }
        with ProcessPoolExecutor(1, get_context("spawn"), _set_up, (production,)) as process:
            return process.submit(_call, function, self._options).result()


def _set_up(environment: Mapping[str, str]) -> None:
    for name in _UNSET:
        os.environ.pop(name, None)
    os.environ.update(environment)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _call(function: str, options: Options) -> Any:
    module, _colon, name = function.partition(":")
    return getattr(import_module(module), name)(options)
