"""What django-allauth asks of a site: who may sign up, what a new account is, and how mail leaves."""

import logging
from smtplib import SMTPException
from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as current
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery.models import Role, User

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    _mismatch = gettext_lazy("That name and password do not go together. Check both and try again.")
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _mismatch,
        "email_password_mismatch": _mismatch,
        "too_many_login_attempts": gettext_lazy("Those were too many wrong passwords. Try again in five minutes."),
        "email_taken": gettext_lazy("There is an account with this e-mail address. Sign in, or reset its password."),
        "account_inactive": gettext_lazy("This account is closed."),
        "incorrect_password": gettext_lazy("That is not your password."),
        "enter_current_password": gettext_lazy("That is not your present password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.SIGNUP_OPEN

    @transaction.atomic
    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> User:
        """A new account is a shopper's; other roles are given by an administrator."""
        saved = cast(User, super().save_user(request, user, form, commit=commit))
        if commit:
            saved.groups.add(Group.objects.get_or_create(name=Role.SHOPPER)[0])
        return saved

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A mail server that is down costs the letter, not the page that wanted to send it."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException):
            logger.exception("A letter could not be sent: %s", template_prefix)
            if current.request is not None:
                messages.error(current.request, _("The e-mail could not be sent. Try again in a while."))
