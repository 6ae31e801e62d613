"""Forms of django-allauth in the words and the look of this site: labels above, nothing grey inside a field."""

from typing import Any

from allauth.account import forms as allauth
from django.utils.translation import gettext_lazy as _

_NEW = _("At least eight characters; not a common word, not only digits, and not your name.")


class _Plain:
    """Takes away what stands in a field before anybody typed, and calls fields what the site calls them."""

    fields: dict[str, Any]
    labels = {
        "username": _("Username"),
        "email": _("E-mail address"),
        "password": _("Password"),
        "password1": _("Password"),
        "password2": _("The same password again"),
        "oldpassword": _("Present password"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            if name.startswith(("password", "oldpassword")):
                field.help_text = _NEW if name == "password1" else ""


class LoginForm(_Plain, allauth.LoginForm):
    labels = _Plain.labels | {"login": _("Username or e-mail address")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autocomplete"] = "username"


class SignupForm(_Plain, allauth.SignupForm):
    """A new account; its e-mail address is for letters about the account alone."""


class ChangePasswordForm(_Plain, allauth.ChangePasswordForm):
    labels = _Plain.labels | {"password1": _("New password"), "password2": _("The new password again")}


class SetPasswordForm(_Plain, allauth.SetPasswordForm):
    pass


class ResetPasswordForm(_Plain, allauth.ResetPasswordForm):
    pass


class ResetPasswordKeyForm(_Plain, allauth.ResetPasswordKeyForm):
    labels = _Plain.labels | {"password1": _("New password"), "password2": _("The new password again")}


class AddEmailForm(_Plain, allauth.AddEmailForm):
    labels = _Plain.labels | {"email": _("New e-mail address")}


class ReauthenticateForm(_Plain, allauth.ReauthenticateForm):
    pass
