"""What people do with photos of their own: contribute, answer a moderator, send another file, withdraw.

A contributed photo is pending and hidden until a moderator approves it. Every verb here takes the row's lock and looks
at its status anew, because a moderator may have decided since the page was opened.
"""

from contextlib import contextmanager
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gallery.drafts import new_product, title_from
from gallery.filenames import clean_name
from gallery.intake import record_image, record_replacement, stored_original
from gallery.models import Image, Product, User
from gallery.reasons import ANSWERED, SENT_ANOTHER
from gallery.verification import Refused, verify

Status = Image.Status
ANSWERABLE = (Status.CHANGES_REQUESTED, Status.REJECTED)
REPLACEABLE = (Status.PENDING, Status.CHANGES_REQUESTED, Status.APPROVED)
WITHDRAWABLE = REPLACEABLE


class NotNow(Exception):
    """The photo is no longer in a state that allows this; the text says so to its contributor."""


def contribute(user: User, file: BinaryIO, name: str, product: Product | None = None) -> Image:
    """A photo for a product, or the suggestion of a new one: a draft named after the file.

    :raises Refused: when the file is not taken, the product has it, or too many wait; nothing is left behind
    """
    facts = verify(file, name)
    _require_room(user)  # before anything is stored, and again under the lock
    with stored_original(file, name, facts) as stored, _room_for_one_more(user):
        if product is None:
            product = new_product(facts.name, title=title_from(clean_name(name)), published=False)
        else:
            _require_news(product, facts.sha256, facts.name)
        return record_image(product, stored, uploader=user, status=Status.PENDING)


def reply(image: Image, by: User, words: str) -> None:
    """The contributor's one answer. It puts the photo back into the queue, where it is read beside the photo.

    :raises NotNow: when nothing was asked, or an answer was given before
    """
    with _locked(image, ANSWERABLE) as current:
        if current.replied_at:
            raise NotNow(_("You have answered already. A moderator has read it, or will."))
        Image.objects.filter(pk=current.pk).resubmit(by, ANSWERED, reply=words, replied_at=timezone.now())
    image.refresh_from_db()


def replace(image: Image, by: User, file: BinaryIO, name: str) -> Image:
    """Another file in place of this one.

    One that nobody sees yet takes it at once, and waits (again) for a moderator. An approved one stays as it is until
    the new file, a pending image that ``replaces`` it, is approved.

    :return: the image that waits now
    :raises Refused: when the file is not taken, or too many wait
    :raises NotNow: when the photo was rejected or withdrawn meanwhile
    """
    facts = verify(file, name)
    if facts.sha256 == image.sha256:
        raise Refused(_("%(file)s is the very file that is there.") % {"file": facts.name}, "same-file")
    with stored_original(file, name, facts) as stored, _locked(image, REPLACEABLE, adds=by) as current:
        waiting = current if current.status != Status.APPROVED else _waiting_replacement(current)
        if waiting is None:
            _require_room(by)
            return record_image(
                current.product,
                stored,
                uploader=by,
                status=Status.PENDING,
                position=current.position,
                alt_text=current.alt_text,
                replaces=current,
            )
        record_replacement(waiting, stored)
        if waiting.status != Status.PENDING:
            Image.objects.filter(pk=waiting.pk).resubmit(by, SENT_ANOTHER)
            waiting.refresh_from_db()
        return waiting


def withdraw(image: Image, by: User) -> None:
    """Take the photo back, and with it the newer file that waits to replace it. Its row and file stay for the audit.

    :raises NotNow: when it was rejected or withdrawn meanwhile
    """
    with _locked(image, WITHDRAWABLE) as current:
        waiting = Q(replaces=current.pk, status__in=(Status.PENDING, Status.CHANGES_REQUESTED))
        Image.objects.filter(Q(pk=current.pk) | waiting).retract(by)
    image.refresh_from_db()


def room_of(user: User) -> int:
    """How many more photos of this person may wait."""
    return max(0, settings.CONTRIBUTIONS_PENDING - user.images.filter(status=Status.PENDING).count())


def _require_room(user: User) -> None:
    if room_of(user):
        return
    most = settings.CONTRIBUTIONS_PENDING
    raise Refused(
        ngettext(
            "%(most)d photo of yours waits for a moderator. Send more when it is decided, or withdraw it.",
            "%(most)d photos of yours wait for a moderator. Send more when some are decided, or withdraw some.",
            most,
        )
        % {"most": most},
        "too-many-pending",
        429,
    )


def _require_news(product: Product, sha256: str, name: str) -> None:
    """The same bytes twice are refused, except after they were withdrawn."""
    known = product.images.filter(sha256=sha256).exclude(status=Status.WITHDRAWN)
    if known.exists():
        raise Refused(_("%(file)s has been sent for this product already.") % {"file": name}, "twice", 409)


@contextmanager
def _room_for_one_more(user: User):
    """A transaction in which nobody else adds a photo of this person, so that the limit holds for two tabs at once."""
    with transaction.atomic():
        _lock_person(user)
        _require_room(user)
        yield


def _lock_person(user: User) -> None:
    # The history of what this person does elsewhere refers to the row, and need not wait for it.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


@contextmanager
def _locked(image: Image, states: tuple[str, ...], adds: User | None = None):
    """The image as it is now, locked until the end.

    :param adds: who may add another image of the product: both are locked before the image, as everybody does
    :raises NotNow: when it is in none of these states, or was taken down
    """
    with transaction.atomic():
        if adds is not None:
            _lock_person(adds)
            products = Image.objects.filter(pk=image.pk).order_by().values("product")
            list(Product.objects.select_for_update().filter(pk__in=products))
        current = Image.objects.select_for_update(of=("self",)).select_related("product").get(pk=image.pk)
        if current.status not in states or current.taken_down_at:
            raise NotNow(_("That is no longer possible: the photo is now “%(state)s”.") % {"state": state_of(current)})
        yield current


def _waiting_replacement(image: Image) -> Image | None:
    waiting = image.replacements.filter(status__in=(Status.PENDING, Status.CHANGES_REQUESTED))
    return waiting.select_for_update().order_by("pk").first()


def state_of(image: Image) -> str:
    return _("Taken down") if image.taken_down_at else image.get_status_display()


def contribution_of(user: User, key: UUID) -> Image:
    """One of the person's own photos.

    :raises Image.DoesNotExist: also for everybody else's
    """
    return user.images.select_related("product", "replaces").get(pk=key)
