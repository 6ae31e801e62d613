"""Whether anything may be kept of what a person searches for and looks at. Not asked yet means no."""

from typing import TYPE_CHECKING, TypeGuard

from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from gallery.models import User
from search.models import ProductView, SearchRecord

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


def keeps_history(user: "AbstractBaseUser | AnonymousUser") -> TypeGuard[User]:
    return user.is_authenticated and getattr(user, "keeps_history", None) is True


def still_agrees(user: User) -> bool:
    """The same as the database says now: a request may have begun before a "no". One query."""
    return User.objects.filter(pk=user.pk, keeps_history=True).exists()


def is_anything_kept(user: User) -> bool:
    """Whether a "no" would delete something."""
    return SearchRecord.objects.filter(user=user).exists() or ProductView.objects.filter(user=user).exists()


def agree(user: User) -> None:
    """From now on searches and looked-at products are kept."""
    user.keeps_history = True
    user.save(update_fields=["keeps_history"])


def refuse(user: User) -> None:
    """From now on nothing is kept, and what was is deleted. Saved searches and collections stay: they were saved."""
    with transaction.atomic():
        user.keeps_history = False
        user.save(update_fields=["keeps_history"])
        forget_everything(user)


def forget_everything(user: User) -> None:
    """Delete all searches and looked-at products of a person."""
    ProductView.objects.filter(user=user).delete()
    SearchRecord.objects.filter(user=user).delete()
