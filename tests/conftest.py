"""Fixtures that every test may use."""

pytest_plugins = ["tests.servers.fixtures"]


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are called by their argument: files hold the time at which they were made, and so each worker would have
    other names for the same tests."""
    return argname if isinstance(val, bytes) else None
