"""Fixtures that every test may use."""

from collections.abc import Iterator

import pytest
from django.test import override_settings

pytest_plugins = ["tests.servers.fixtures"]


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are called by their argument: files hold the time at which they were made, and so each worker would have
    other names for the same tests."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hashes that are slow by design take a tenth of the time of tests that need accounts."""
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=hashers):
        yield
