from functools import cached_property

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """Names of the groups that are made after every migration."""

    SHOPPER = "shopper", _("Shopper")
    STAFF = "staff", _("Catalogue staff")
    MODERATOR = "moderator", _("Moderator")
    ADMINISTRATOR = "administrator", _("Administrator")


class User(AbstractUser):
    """A person with an account. What they may do follows from the groups named by ``Role``."""

    email = models.EmailField(_("e-mail address"), unique=True)
    keeps_history = models.BooleanField(
        _("keeps searches and looked-at products"), null=True, blank=True, help_text=_("empty: not asked yet")
    )

    @cached_property
    def roles(self) -> frozenset[str]:
        if self.is_superuser:
            return frozenset(Role.values)
        return frozenset(self.groups.filter(name__in=Role.values).values_list("name", flat=True))

    @property
    def is_catalogue_staff(self) -> bool:
        return bool(self.roles & {Role.STAFF, Role.ADMINISTRATOR})

    @property
    def is_moderator(self) -> bool:
        return bool(self.roles & {Role.MODERATOR, Role.ADMINISTRATOR})
