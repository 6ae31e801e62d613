"""System checks of the gallery's settings: each names the variable and says what to do."""

from django.conf import settings
from django.core.checks import Error, register
from django.core.checks.messages import CheckMessage

from gallery.accounts.mail import sends_mail


@register("gallery")
def check_limits(app_configs, **kwargs) -> list[CheckMessage]:
    errors: list[CheckMessage] = [
        Error(f"{name} is {getattr(settings, name)}.", hint="Set it to 1 or more.", id="gallery.E001")
        for name in (
            "MAX_IMAGE_BYTES",
            "MAX_IMAGE_PIXELS",
            "MAX_IMAGE_FRAMES",
            "MAX_UPLOAD_FILES",
            "CONTRIBUTIONS_PENDING",
            "IMPORT_MAX_BYTES",
            "FEED_MAX_BYTES",
            "FEED_SECONDS",
        )
        if getattr(settings, name) < 1
    ]
    if settings.FILE_DELIVERY not in ("stream", "x-accel", "x-sendfile", "redirect"):
        errors.append(
            Error(
                f"FILE_DELIVERY is {settings.FILE_DELIVERY!r}.",
                hint="Set it to stream, x-accel, x-sendfile or redirect.",
                id="gallery.E002",
            )
        )
    elif settings.FILE_DELIVERY == "redirect" and "s3" not in settings.STORAGES["renditions"]["BACKEND"].lower():
        errors.append(
            Error(
                "FILE_DELIVERY is 'redirect', but files are not in an S3 bucket.",
                hint="Set S3_BUCKET, or set FILE_DELIVERY to stream, x-accel or x-sendfile.",
                id="gallery.E004",
            )
        )
    if settings.TAKEDOWN_GRACE_DAYS < 0:
        errors.append(
            Error(
                f"TAKEDOWN_GRACE_DAYS is {settings.TAKEDOWN_GRACE_DAYS}.",
                hint="Set it to 0 (delete with the next round of the indexing loop) or more.",
                id="gallery.E005",
            )
        )
    if len(settings.SHOP_CURRENCY) != 3 or not settings.SHOP_CURRENCY.isupper():
        errors.append(
            Error(
                f"SHOP_CURRENCY is {settings.SHOP_CURRENCY!r}.",
                hint="Set it to three capital letters, like EUR.",
                id="gallery.E003",
            )
        )
    return errors


@register("gallery")
def check_accounts(app_configs, **kwargs) -> list[CheckMessage]:
    chosen = settings.ACCOUNT_EMAIL_VERIFICATION
    if chosen not in ("none", "optional", "mandatory"):
        return [
            Error(
                f"ACCOUNT_EMAIL_VERIFICATION is {chosen!r}.",
                hint="Set it to none, optional or mandatory.",
                id="gallery.E005",
            )
        ]
    if chosen == "mandatory" and not sends_mail():
        return [
            Error(
                "ACCOUNT_EMAIL_VERIFICATION is 'mandatory', but no mail is sent: nobody could sign in.",
                hint="Set EMAIL_URL to a mail server, like smtp+tls://user:password@host:587.",
                id="gallery.E006",
            )
        ]
    return []
