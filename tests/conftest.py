"""Fixtures that every test may use, and how the whole run is shared out to workers."""

from pathlib import Path

import pytest

pytest_plugins = ["tests.servers.fixtures"]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are called by their argument: files hold the time at which they were made, and so each worker would have
    other names for the same tests."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_finish(session: pytest.Session) -> None:
    if getattr(session.config.option, "loadgroup", False) and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("This pytest and this pytest-xdist do not group tests together: pin ones that do.")


def _group(item: pytest.Item) -> str:
    """Tests of one group run in one worker: those of a file, and all those that want the same costly things."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    wanted = {*getattr(item, "fixturenames", ()), *(str(value) for value in parameters.values())}
    if any("elasticsearch" in name for name in wanted):
        return "elasticsearch"  # each worker would start servers of its own
    folder = Path(__file__).parent
    if folder / "browser" in item.path.parents:
        return "browser"  # and fill a shop of its own
    return str(item.path.relative_to(folder))
