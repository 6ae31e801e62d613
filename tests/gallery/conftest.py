from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.core.files.storage import storages

from gallery import signals
from gallery.models import Role, User
from gallery.storage import walk


@pytest.fixture
def stored() -> Callable[..., list[str]]:
    """The names of the files that this test has put into a storage, and not deleted."""
    before = {alias: set(_names(alias)) for alias in ("originals", "renditions")}
    return lambda alias="originals": sorted(set(_names(alias)) - before[alias])


def _names(alias: str) -> list[str]:
    try:
        return list(walk(storages[alias]))
    except FileNotFoundError:  # nothing was ever stored there
        return []


@pytest.fixture
def staff(db) -> User:
    return _user("staff", Role.STAFF)


@pytest.fixture
def moderator(db) -> User:
    return _user("moderator", Role.MODERATOR)


@pytest.fixture
def shopper(db) -> User:
    return _user("shopper", Role.SHOPPER)


def _user(name: str, role: str) -> User:
    user = User.objects.create_user(name, f"{name}@example.com", "a long password")
    user.groups.add(Group.objects.get_or_create(name=role)[0])  # tests with transactions empty all tables
    return user


@pytest.fixture
def announced():
    """Collects the keys that ``images_changed`` names; ``take()`` gives them and starts anew."""
    collected = _Announced()
    signals.images_changed.connect(collected.receive)
    yield collected
    signals.images_changed.disconnect(collected.receive)


class _Announced:
    def __init__(self) -> None:
        self.keys: set = set()

    def receive(self, sender, keys, **kwargs) -> None:
        self.keys |= set(keys)

    def take(self) -> set:
        keys, self.keys = self.keys, set()
        return keys
