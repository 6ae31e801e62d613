"""Accounts to try the shop with. They have known passwords, so they exist only where DEBUG is on."""

from dataclasses import dataclass
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.models import Group
from django.http import HttpRequest

from gallery.models import Role, User


class NotForProduction(Exception):
    """Known passwords were asked for where DEBUG is off."""


@dataclass(frozen=True)
class Account:
    username: str
    password: str
    role: Role

    @property
    def email(self) -> str:
        return f"{self.username}@example.com"


ACCOUNTS = (
    Account("shopper", "shopper-demo", Role.SHOPPER),
    Account("staff", "staff-demo", Role.STAFF),
    Account("moderator", "moderator-demo", Role.MODERATOR),
    Account("administrator", "administrator-demo", Role.ADMINISTRATOR),
)


def make_accounts() -> None:
    """Make the accounts that are missing. One that exists keeps its password; somebody's own is left alone.

    :raises NotForProduction: where DEBUG is off
    """
    if not settings.DEBUG:
        raise NotForProduction("Demo accounts have known passwords: they are made only where DEBUG is on.")
    for account in ACCOUNTS:
        administers = account.role == Role.ADMINISTRATOR
        user, created = User.objects.get_or_create(
            username=account.username,
            defaults={"email": account.email, "is_staff": administers, "is_superuser": administers},
        )
        if created:
            user.set_password(account.password)
            user.save()
        if user.email == account.email:
            user.groups.add(Group.objects.get(name=account.role))


# What proxies tell the server of whom they speak for; by no means all do, so that DEBUG is never for the public.
_PROXIED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP", "HTTP_VIA")


def may_switch(request: HttpRequest) -> bool:
    """Whether this request may become any demo account: in debug, and from this very machine alone.

    What a proxy passed on comes from this machine, too, and is refused for it.
    """
    if not settings.DEBUG or any(name in request.META for name in _PROXIED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
