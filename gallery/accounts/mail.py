from django.conf import settings


def sends_mail() -> bool:
    """Whether mail leaves this site at all: without it nobody can confirm an address or reset a password."""
    return not settings.EMAIL_BACKEND.endswith(".dummy.EmailBackend")
