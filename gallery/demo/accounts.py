"""Accounts to try the shop with. They have known passwords, so they exist only where DEBUG is on."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Group

from gallery.models import Role, User


class NotForProduction(Exception):
    """Known passwords were asked for where DEBUG is off."""


@dataclass(frozen=True)
class Account:
    username: str
    password: str
    role: Role


ACCOUNTS = (
    Account("shopper", "shopper-demo", Role.SHOPPER),
    Account("staff", "staff-demo", Role.STAFF),
    Account("moderator", "moderator-demo", Role.MODERATOR),
)


def make_accounts() -> None:
    """Make the accounts that are missing. One that exists keeps its password.

    :raises NotForProduction: where DEBUG is off
    """
    if not settings.DEBUG:
        raise NotForProduction("Demo accounts have known passwords: they are made only where DEBUG is on.")
    for account in ACCOUNTS:
        user, created = User.objects.get_or_create(
            username=account.username, defaults={"email": f"{account.username}@example.com"}
        )
        if created:
            user.set_password(account.password)
            user.save()
        user.groups.add(Group.objects.get(name=account.role))
