"""Photos that people contribute, and what became of them."""

from typing import Any, BinaryIO, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from rest_framework.throttling import SimpleRateThrottle

from gallery import contributions, visibility
from gallery.contributions import ANSWERABLE, REPLACEABLE, WITHDRAWABLE, NotNow
from gallery.filenames import clean_name
from gallery.models import Image, Product, User
from gallery.models.images import REPLY_LENGTH
from gallery.verification import Refused, note_sentences
from gallery.views.access import person, signed_in
from gallery.views.uploads import TYPES, Receipt

PAGE_SIZE = 24
MOST_FILES = 10  # in one form; each is decoded in full while the person waits


class ContributionForm(forms.Form):
    """One or several files, and the promise that they may be shown."""

    mine = forms.BooleanField(
        label=gettext_lazy("I took these photos, or I may share them"),
        error_messages={"required": gettext_lazy("Confirm that the photos may be shown here.")},
    )


class ReplyForm(forms.Form):
    reply = forms.CharField(
        label=gettext_lazy("Your answer"),
        max_length=REPLY_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("You can answer once. The photo then waits for a moderator again."),
        error_messages={"required": gettext_lazy("Write what the moderator should know.")},
    )


class _Throttle(SimpleRateThrottle):
    """Files of one person. The rate is read when a request comes, not on import."""

    scope = "contribution"

    def get_rate(self) -> str:
        rates: Any = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
        return rates[self.scope]

    def get_cache_key(self, request, view) -> str:
        return self.cache_format % {"scope": self.scope, "ident": request.user.pk}


@require_safe
@never_cache
@signed_in
def uploads_page(request: HttpRequest) -> HttpResponse:
    """Every photo that the person sent, the newest first, and what became of it."""
    user = person(request)
    images = user.images.select_related("product").prefetch_related("replacements").order_by("-created_at", "-pk")
    page = Paginator(images, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "entries": [{"image": image} | _state(image) for image in page],
        "room": contributions.room_of(user),
    }
    return render(request, "gallery/uploads.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@signed_in
def contribute(request: HttpRequest, sku: str | None = None) -> HttpResponse:
    """The form for photos of a product, or of one that the shop does not have; a POST takes ``file``s."""
    user = person(request)
    product = None if sku is None else _product_at(sku, user)
    if product and product.sku != sku and request.method != "POST":
        return redirect("contribute-to", product.sku)
    form = ContributionForm(request.POST if request.method == "POST" else None)
    receipts: list[Receipt] = []
    status = 200
    if form.is_bound:
        files = request.FILES.getlist("file")
        if form.is_valid() and not 0 < len(files) <= MOST_FILES:
            form.add_error(None, _wrong_count(files))
        if form.is_valid():
            receipts = [_receipt(request, user, file, product) for file in files]
            if all(receipt.ok for receipt in receipts):
                _thank(request, len(receipts))
                return redirect("uploads")
        status = 422
    context = {
        "form": form,
        "product": product,
        "receipt": receipts,
        "limits": {"bytes": settings.MAX_IMAGE_BYTES, "files": MOST_FILES, "types": TYPES},
        "room": contributions.room_of(user),
    }
    return render(request, "gallery/contribute.html", context, status=status)


def _product_at(sku: str, user: User) -> Product:
    """The product, or the one that it was merged into: the form may have been opened before.

    :raises Http404: for one that the person does not see
    """
    visible = Product.objects.visible_to(visibility.of(user))
    product = visible.filter(sku=sku).first() or visible.filter(redirects__old_sku=sku).first()
    if product is None:
        raise Http404
    return product


def _receipt(request: HttpRequest, user: User, file: UploadedFile, product: Product | None) -> Receipt:
    name = clean_name(file.name or "")
    if not _Throttle().allow_request(request, None):  # type: ignore[arg-type]
        return Receipt(name, False, _too_often())
    try:
        image = contributions.contribute(user, cast(BinaryIO, file), file.name or "", product)
    except Refused as refused:
        return Receipt(name, False, refused.message)
    return Receipt(image.source_name, True, " ".join(note_sentences(image.notes)))


def _wrong_count(files: list[UploadedFile]) -> str:
    if not files:
        return _("No file was sent. Choose at least one picture.")
    return ngettext(
        "Send one file at a time.", "Send at most %(most)d files at a time, and the rest afterwards.", MOST_FILES
    ) % {"most": MOST_FILES}


def _too_often() -> str:
    return _("Those were many files in a short time. Try again in an hour.")


def _thank(request: HttpRequest, number: int) -> None:
    thanks = ngettext(
        "Thank you. The photo waits for a moderator; nobody else sees it until then.",
        "Thank you. The photos wait for a moderator; nobody else sees them until then.",
        number,
    )
    messages.success(request, thanks)


# --- One photo ------------------------------------------------------------------------------------------


@require_safe
@never_cache
@signed_in
def contribution_page(request: HttpRequest, key: UUID) -> HttpResponse:
    """One photo of the person: its state in words, and what can be done about it."""
    return _page(request, _own(request, key))


@require_POST
@signed_in
def reply(request: HttpRequest, key: UUID) -> HttpResponse:
    """The one answer to a moderator, ``reply``."""
    image = _own(request, key)
    form = ReplyForm(request.POST)
    if not form.is_valid():
        return _page(request, image, form, status=422)
    try:
        contributions.reply(image, person(request), form.cleaned_data["reply"])
    except NotNow as no:
        messages.error(request, str(no))
    else:
        messages.success(request, _("Your answer is with the moderators. The photo waits for them again."))
    return redirect("contribution", image.pk)


@require_POST
@signed_in
def replace(request: HttpRequest, key: UUID) -> HttpResponse:
    """Another ``file`` for the photo."""
    image = _own(request, key)
    file = request.FILES.get("file")
    if file is None:
        return _page(request, image, file_error=_("No file was sent. Choose a picture."), status=422)
    if not _Throttle().allow_request(request, None):  # type: ignore[arg-type]
        return _page(request, image, file_error=_too_often(), status=429)
    try:
        waiting = contributions.replace(image, person(request), cast(BinaryIO, file), file.name or "")
    except Refused as refused:
        return _page(request, image, file_error=refused.message, status=422)
    except NotNow as no:
        messages.error(request, str(no))
        return redirect("contribution", image.pk)
    if waiting.replaces_id == image.pk:
        messages.success(request, _("The new file waits for a moderator. The photo stays as it is until then."))
    else:
        messages.success(request, _("The new file waits for a moderator."))
    return redirect("contribution", waiting.pk)


@require_POST
@signed_in
def withdraw(request: HttpRequest, key: UUID) -> HttpResponse:
    """The photo is taken back."""
    image = _own(request, key)
    try:
        contributions.withdraw(image, person(request))
    except NotNow as no:
        messages.error(request, str(no))
    else:
        messages.success(request, _("The photo is withdrawn. Nobody else sees it."))
    return redirect("contribution", image.pk)


def _own(request: HttpRequest, key: UUID) -> Image:
    try:
        return contributions.contribution_of(person(request), key)
    except Image.DoesNotExist as error:
        raise Http404 from error


def _page(
    request: HttpRequest, image: Image, form: ReplyForm | None = None, file_error: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "image": image,
        "product": image.product,
        "form": form or ReplyForm(),
        "file_error": file_error,
        "may_answer": image.status in ANSWERABLE and not image.replied_at and not image.taken_down_at,
        "may_replace": image.status in REPLACEABLE,
        "may_withdraw": image.status in WITHDRAWABLE,
        "types": TYPES,
    } | _state(image)
    return render(request, "gallery/contribution.html", context, status=status)


def _state(image: Image) -> dict[str, Any]:
    """The state in words, and the newer file that waits to replace this one."""
    newer = max(image.replacements.all(), key=lambda one: one.created_at, default=None)
    was_replaced = (
        image.status == Image.Status.WITHDRAWN and newer is not None and newer.status == Image.Status.APPROVED
    )
    return {
        "state": _("Replaced by a newer photo") if was_replaced else contributions.state_of(image),
        "newer": newer if newer and newer.status in (Image.Status.PENDING, Image.Status.CHANGES_REQUESTED) else None,
    }
